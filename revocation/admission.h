// Decides what the cache may store and serve: the form of CRL, OCSP and certificate bodies is
// checked before the first byte is handed on. What passes is unverified: cached like any HTTP
// object, never evidence. Fulfils cache/admission.h; loop thread only.
#pragma once

#include "cache/admission.h"
#include "net/executor.h"

namespace revcache::revocation {

class Admission final : public cache::Admission {
 public:
  explicit Admission(net::Executor& executor) : executor_(executor) {}

  [[nodiscard]] ObjectKind kind_of_request(http::Method method, std::string_view url,
                                           const http::FieldsView& fields) const override;
  [[nodiscard]] ObjectKind kind_of_response(ObjectKind asked,
                                            const http::ResponseHead& head) const override;
  void admit(cache::AdmissionRequest request, Callback<Result<cache::Admitted>> done) override;

 private:
  net::Executor& executor_;
};

}  // namespace revcache::revocation
