// Who may sign an OCSP response, and what it must say to be evidence (RFC 6960 sections 3.2,
// 4.2.2.2).
#include <algorithm>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/crl.h"
#include "pki/der.h"
#include "pki/ocsp_response.h"

namespace revcache::pki {
namespace {

bool is_named_as_responder(const ParsedOcspResponse& response, const Certificate& certificate) {
  if (!response.responder_name.empty()) {
    return names_match(response.responder_name, certificate.subject);
  }
  return equal(response.responder_key_hash, sha1(certificate.public_key));
}

std::string validity(const Certificate& certificate) {
  return "is valid from " + rfc3339(certificate.not_before) + " to " +
         rfc3339(certificate.not_after);
}

// A responder that the administrator names: 4.2.2.2 (1) asks nothing of it, but a certificate that
// is made for something else is a mistake.
Checked<void> check_trusted(const Certificate& responder, WallTime now) {
  if (responder.extended_key_usage && !responder.has_extended_key_usage(kOcspSigningOid)) {
    return refuse(Refusal::responder_not_authorized, "the trusted responder is for other purposes");
  }
  if (!responder.is_valid_at(now)) {
    return refuse(Refusal::responder_not_authorized,
                  "the trusted responder's certificate " + validity(responder));
  }
  return {};
}

// 4.2.2.2: issued directly by the CA itself, with id-kp-OCSPSigning spelt out: anyExtendedKeyUsage
// does not count.
Checked<void> check_delegated(const Certificate& responder, const Certificate& issuer, WallTime now,
                              const SignaturePolicy& policy) {
  const auto not_authorized = [](std::string detail) {
    return refuse(Refusal::responder_not_authorized, std::move(detail));
  };
  if (!responder.has_extended_key_usage(kOcspSigningOid)) {
    return not_authorized("the responder's certificate lacks id-kp-OCSPSigning");
  }
  if (!responder.may(KeyUsage::digital_signature)) {
    return not_authorized("the responder's key usage lacks digitalSignature");
  }
  if (!responder.is_valid_at(now)) {
    return not_authorized("the responder's certificate " + validity(responder));
  }
  if (!responder.unknown_critical_extensions.empty()) {
    return not_authorized("the responder's certificate has the critical extension " +
                          responder.unknown_critical_extensions.front());
  }
  auto issued = verify_issued_by(responder, issuer, policy);
  if (issued) return {};
  if (issued.error().reason == Refusal::algorithm_refused) return issued;
  return not_authorized("not issued by the CA: " + std::string(to_string(issued.error().reason)) +
                        ": " + issued.error().detail);
}

Checked<void> check_signature(const ParsedOcspResponse& response, const Certificate& responder,
                              const SignaturePolicy& policy) {
  const auto& key = responder.key();
  if (!key) return std::unexpected(key.error());
  return verify_signature(*key, response.signature_algorithm, response.tbs, response.signature,
                          policy);
}

// Tries whoever may have signed, until one did. Of several refusals it keeps the first that came
// furthest: an entitled responder's wrong signature says more than a stranger's lack of rights.
class ResponderSearch {
 public:
  ResponderSearch(const ParsedOcspResponse& response, const SignaturePolicy& policy)
      : response_(response), policy_(policy) {}

  // `check`: whether `candidate` is entitled; asked only of the one whom the response names. True
  // when this one signed.
  template <class Check>
  bool consider(const Certificate& candidate, const Check& check) {
    if (!is_named_as_responder(response_, candidate)) return false;
    Checked<void> entitled = check();
    if (!entitled) {
      note(Progress::named, std::move(entitled).error());
      return false;
    }
    Checked<void> verified = check_signature(response_, candidate, policy_);
    if (verified) return true;
    note(Progress::entitled, std::move(verified).error());
    return false;
  }

  // Why nobody did.
  [[nodiscard]] const Refused& refusal() const noexcept { return refusal_; }

 private:
  enum class Progress : std::uint8_t { none, named, entitled };

  void note(Progress progress, Refused refusal) {
    if (progress <= progress_) return;
    progress_ = progress;
    refusal_ = std::move(refusal);
  }

  const ParsedOcspResponse& response_;
  const SignaturePolicy& policy_;
  Progress progress_ = Progress::none;
  Refused refusal_{Refusal::responder_not_authorized,
                   "neither the CA, nor a trusted responder, nor an embedded certificate is the "
                   "responder that the response names"};
};

struct Responder {
  ResponderKind kind = ResponderKind::issuer;
  CertificatePtr certificate;  // null: the issuer
};

struct Question {
  const ParsedOcspResponse& response;
  const Certificate& issuer;
  WallTime now;
  const SignaturePolicy& policy;
};

Checked<Responder> find_responder(const Question& question,
                                  std::span<const CertificatePtr> trusted_responders) {
  const auto& [response, issuer, now, policy] = question;
  ResponderSearch search(response, policy);
  if (search.consider(issuer, [] { return Checked<void>(); })) return Responder{};
  for (const CertificatePtr& trusted : trusted_responders) {
    const auto check = [&trusted, at = now] { return check_trusted(*trusted, at); };
    if (search.consider(*trusted, check)) return Responder{ResponderKind::trusted, trusted};
  }
  for (const CertificatePtr& embedded : response.certificates) {
    const auto check = [&] {
      return check_delegated(*embedded, question.issuer, question.now, question.policy);
    };
    if (search.consider(*embedded, check)) return Responder{ResponderKind::delegated, embedded};
  }
  return std::unexpected(search.refusal());
}

Checked<void> check_single(const SingleResponse& single, const Certificate& issuer, WallTime now) {
  if (!cert_id_names_issuer(single.cert_id, issuer)) {
    return refuse(Refusal::cert_id_mismatch,
                  "serial " + hex(single.cert_id.serial) + " is of another issuer");
  }
  if (single.this_update > now + kClockSkewMax) {
    return refuse(Refusal::not_yet_valid, "thisUpdate is " + rfc3339(single.this_update));
  }
  if (!single.next_update) return {};
  if (*single.next_update < single.this_update) {
    return refuse(Refusal::expired, "nextUpdate is before thisUpdate");
  }
  if (*single.next_update < now) {
    return refuse(Refusal::expired, "nextUpdate was " + rfc3339(*single.next_update));
  }
  return {};
}

Checked<void> check_content(const ParsedOcspResponse& response, const Certificate& issuer,
                            WallTime now) {
  if (!response.unknown_critical_extensions.empty()) {
    return refuse(Refusal::unknown_critical_extension,
                  response.unknown_critical_extensions.front());
  }
  if (response.produced_at > now + kClockSkewMax) {
    return refuse(Refusal::not_yet_valid, "producedAt is " + rfc3339(response.produced_at));
  }
  for (const SingleResponse& single : response.responses) {
    auto checked = check_single(single, issuer, now);
    if (!checked) return checked;
  }
  return {};
}

// Of two answers of the same age the one that keeps a certificate from being accepted counts.
int strictness(OcspCertStatus status) noexcept {
  switch (status) {
    case OcspCertStatus::good:
      return 0;
    case OcspCertStatus::unknown:
      return 1;
    case OcspCertStatus::revoked:
      break;
  }
  return 2;
}

bool outranks(const SingleResponse& left, const SingleResponse& right) noexcept {
  if (left.this_update != right.this_update) return left.this_update > right.this_update;
  return strictness(left.status) > strictness(right.status);
}

}  // namespace

const SingleResponse* VerifiedOcspResponse::find(const Certificate& issuer, ByteView serial) const {
  const ByteView wanted = significant_octets(serial);
  const SingleResponse* best = nullptr;
  for (const SingleResponse& single : response_->responses) {
    if (!equal(significant_octets(single.cert_id.serial), wanted)) continue;
    if (best != nullptr && !outranks(single, *best)) continue;
    if (cert_id_names_issuer(single.cert_id, issuer)) best = &single;
  }
  return best;
}

Checked<VerifiedOcspResponsePtr> verify_ocsp_response(
    ParsedOcspResponsePtr response, const Certificate& issuer,
    std::span<const CertificatePtr> trusted_responders, WallTime now,
    const SignaturePolicy& policy) {
  if (response->status != OcspResponseStatus::successful) {
    return refuse(Refusal::not_successful, std::string(to_string(response->status)));
  }
  auto responder = find_responder({*response, issuer, now, policy}, trusted_responders);
  if (!responder) return std::unexpected(std::move(responder).error());
  auto content = check_content(*response, issuer, now);
  if (!content) return std::unexpected(std::move(content).error());

  std::shared_ptr<VerifiedOcspResponse> verified(new VerifiedOcspResponse);
  verified->response_ = std::move(response);
  verified->responder_ = responder->kind;
  verified->signer_ = std::move(responder->certificate);
  return verified;
}

}  // namespace revcache::pki
