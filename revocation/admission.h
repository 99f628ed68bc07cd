// Verify, then store: hands each body to Evidence, off-loop unless it can be told at once. One per
// loop, over the Evidence of the process. Fulfils cache/admission.h; loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "cache/admission.h"
#include "metrics/log.h"
#include "net/background_work.h"
#include "net/executor.h"
#include "pki/cert_id.h"
#include "revocation/evidence.h"
#include "revocation/publisher.h"

namespace revcache::revocation {

class Admission final : public cache::Admission {
 public:
  // All outlive it.
  Admission(Evidence& evidence, net::BackgroundWork& background, net::Executor& executor,
            const LoopSnapshot& known, const Clock& clock)
      : evidence_(evidence),
        background_(background),
        executor_(executor),
        known_(known),
        clock_(clock) {}

  [[nodiscard]] ObjectKind kind_of_request(http::Method method, std::string_view url,
                                           const http::FieldsView& fields) const override;
  [[nodiscard]] ObjectKind kind_of_response(ObjectKind asked,
                                            const http::ResponseHead& head) const override;
  // The kill switch over genuine answers: whatever this loop's snapshot revokes, no stored answer
  // calls good any more. What the key asks about is looked up; the body is read only when that is
  // revoked, or when the key does not tell.
  [[nodiscard]] bool still_holds(const cache::StoredResponse& stored) const override;
  [[nodiscard]] std::optional<Result<cache::Admitted>> admit_now(
      const cache::AdmissionRequest& request) override;
  void admit(cache::AdmissionRequest request, Callback<Result<cache::Admitted>> done) override;

 private:
  [[nodiscard]] const Issuer* issuer_of(const pki::CertId& cert_id) const;
  [[nodiscard]] bool is_revoked(const pki::CertId& cert_id) const;
  [[nodiscard]] bool calls_revoked_good(const SharedBytes& body) const;

  Evidence& evidence_;
  net::BackgroundWork& background_;
  net::Executor& executor_;
  const LoopSnapshot& known_;
  const Clock& clock_;

  // Whom a CertID of SHA-2 names, by its two hashes, under the snapshot of that generation: without
  // it each look-up would hash every issuer's name and key.
  mutable std::map<std::string, const Issuer*, std::less<>> named_;
  mutable std::uint64_t named_generation_ = 0;
};

// Pairs of hashes that are remembered; past it they are forgotten.
inline constexpr std::size_t kNamedIssuersMax = 512;

}  // namespace revcache::revocation
