// What may be stored and served, and under which key: verify, then store (docs/architecture.md).
// The cache asks; `revocation` answers. Loop thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/callback.h"
#include "base/clock.h"
#include "base/object_kind.h"
#include "base/result.h"
#include "cache/stored_response.h"
#include "http/message.h"

namespace revcache::cache {

// A complete response body of a kind that is held until admitted. Copied or shared, so that it may
// be looked at off-loop.
struct AdmissionRequest {
  ObjectKind kind = ObjectKind::other;
  std::string url;  // normalised, of the request (not of a redirect's target)
  std::uint16_t status = 200;
  std::string content_type;
  SharedBytes request_body;  // an OCSP request's DER; empty otherwise
  SharedBytes body;
  WallTime now;
};

struct Admitted {
  Trust trust = Trust::unverified;
  std::optional<WallTime> usable_until;  // nextUpdate: caps every later use
  std::optional<std::string> key;        // store under this key instead of the request's
  bool storable = true;                  // false: may be served once, not kept
  // The answer only says that there is none (an OCSP error status): a copy that is still good is
  // the better answer.
  bool is_failure = false;
};

class Admission {
 public:
  virtual ~Admission() = default;

  // Told from URL, extension, Content-Type and method before anything is fetched. Pure, fast.
  [[nodiscard]] virtual ObjectKind kind_of_request(http::Method method, std::string_view url,
                                                   const http::FieldsView& fields) const = 0;
  // Once the response's head is known the kind may become more definite (Content-Type of a CRL on
  // an unknown URL). Never weakens a kind already held.
  [[nodiscard]] virtual ObjectKind kind_of_response(ObjectKind asked,
                                                    const http::ResponseHead& head) const = 0;

  // Asked of kind ocsp only, each time that an answer that was stored or has just been fetched is
  // about to be given: false when it says good for what is known to be revoked by now. It then
  // counts as absent, and upstream is asked. Fast: a memory hit waits for it.
  [[nodiscard]] virtual bool still_holds(const StoredResponse& /*stored*/) const { return true; }

  // What was found, or an Error whose detail names the reason of the refusal (malformed: not what
  // it claims to be; untrusted: wrong signature, rolled back, expired), where that can be told
  // without keeping the loop. nullopt: admit() tells it.
  [[nodiscard]] virtual std::optional<Result<Admitted>> admit_now(
      const AdmissionRequest& /*request*/) {
    return std::nullopt;
  }

  // The same for what admit_now() has not told.
  virtual void admit(AdmissionRequest request, Callback<Result<Admitted>> done) = 0;
};

}  // namespace revcache::cache
