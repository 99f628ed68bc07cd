// Verify, then store: hands each body to Evidence, off-loop unless it can be told at once. One per
// loop, over the Evidence of the process. Fulfils cache/admission.h; loop thread only.
#pragma once

#include "cache/admission.h"
#include "metrics/log.h"
#include "net/background_work.h"
#include "net/executor.h"
#include "revocation/evidence.h"

namespace revcache::revocation {

class Admission final : public cache::Admission {
 public:
  // All outlive it.
  Admission(Evidence& evidence, net::BackgroundWork& background, net::Executor& executor)
      : evidence_(evidence), background_(background), executor_(executor) {}

  [[nodiscard]] ObjectKind kind_of_request(http::Method method, std::string_view url,
                                           const http::FieldsView& fields) const override;
  [[nodiscard]] ObjectKind kind_of_response(ObjectKind asked,
                                            const http::ResponseHead& head) const override;
  void admit(cache::AdmissionRequest request, Callback<Result<cache::Admitted>> done) override;

 private:
  Evidence& evidence_;
  net::BackgroundWork& background_;
  net::Executor& executor_;
};

}  // namespace revcache::revocation
