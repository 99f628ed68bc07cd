// Whether a CRL is evidence (RFC 5280 section 6.3.3 (f) and (g), 5.2).
#include <utility>

#include "pki/asn1_time.h"
#include "pki/crl.h"
#include "pki/der.h"

namespace revcache::pki {
namespace {

using Verdict = std::optional<Refused>;  // nullopt: nothing against it

Verdict check_form(const ParsedCrl& crl) {
  if (crl.version > 2) {
    return Refused{Refusal::unsupported_version, "a CRL of version " + std::to_string(crl.version)};
  }
  // 5.1.2.1: extensions require v2; software that knows v1 only would overlook them.
  if (crl.version == 1 && crl.has_extensions) {
    return Refused{Refusal::unsupported_version, "a CRL of version 1 with extensions"};
  }
  if (!equal(crl.tbs_algorithm, crl.signature_algorithm)) {
    return Refused{Refusal::algorithm_mismatch, "the signature algorithm inside the CRL is " +
                                                    algorithm_name(crl.tbs_algorithm) +
                                                    ", outside " +
                                                    algorithm_name(crl.signature_algorithm)};
  }
  return std::nullopt;
}

Verdict check_issuer(const ParsedCrl& crl, const Certificate& issuer) {
  if (!names_match(crl.issuer, issuer.subject)) {
    return Refused{Refusal::issuer_unknown,
                   "issued by " + name_text(crl.issuer) + ", not by " + name_text(issuer.subject)};
  }
  const bool both_have_key_ids = !crl.authority_key_id.empty() && !issuer.subject_key_id.empty();
  if (both_have_key_ids && !equal(crl.authority_key_id, issuer.subject_key_id)) {
    return Refused{Refusal::issuer_unknown, "its authority key identifier is " +
                                                hex(crl.authority_key_id) + ", the issuer's " +
                                                hex(issuer.subject_key_id)};
  }
  // 6.3.3 (f): with a key usage, cRLSign must be in it.
  if (!issuer.may(KeyUsage::crl_sign)) {
    return Refused{Refusal::issuer_not_entitled,
                   "the key usage of " + name_text(issuer.subject) + " has no cRLSign"};
  }
  return std::nullopt;
}

Verdict check_signature(const ParsedCrl& crl, const Certificate& issuer,
                        const SignaturePolicy& policy) {
  const auto& key = issuer.key();
  if (!key) return key.error();
  const auto verified =
      verify_signature(*key, crl.signature_algorithm, crl.tbs, crl.signature, policy);
  if (!verified) return verified.error();
  return std::nullopt;
}

Verdict check_scope(const ParsedCrl& crl) {
  if (!crl.unknown_critical_extensions.empty()) {
    return Refused{Refusal::unknown_critical_extension, crl.unknown_critical_extensions.front()};
  }
  if (crl.scope.indirect || crl.has_certificate_issuer_entries) {
    return Refused{Refusal::indirect_crl, crl.scope.indirect
                                              ? "its issuing distribution point says indirectCRL"
                                              : "an entry names another certificate issuer"};
  }
  if (crl.scope.only_some_reasons) {
    return Refused{Refusal::only_some_reasons, "its issuing distribution point leaves reasons out"};
  }
  return std::nullopt;
}

Verdict check_dates(const ParsedCrl& crl, WallTime now) {
  if (!crl.next_update) return Refused{Refusal::no_next_update, "no nextUpdate (5.1.2.5)"};
  if (crl.this_update > now + kClockSkewMax) {
    return Refused{Refusal::not_yet_valid, "thisUpdate is " + rfc3339(crl.this_update)};
  }
  if (now >= *crl.next_update) {
    return Refused{Refusal::expired, "nextUpdate was " + rfc3339(*crl.next_update)};
  }
  return std::nullopt;
}

}  // namespace

Checked<VerifiedCrlPtr> verify_crl(ParsedCrlPtr crl, CertificatePtr issuer, WallTime now,
                                   const SignaturePolicy& policy) {
  Verdict against = check_form(*crl);
  if (!against) against = check_issuer(*crl, *issuer);
  if (!against) against = check_signature(*crl, *issuer, policy);
  if (!against) against = check_scope(*crl);
  if (!against) against = check_dates(*crl, now);
  if (against) return std::unexpected(*std::move(against));
  auto verified = std::make_shared<VerifiedCrl>();
  verified->issuer_key_ = key_hash(*issuer);
  verified->hash_ = sha256(crl->der.bytes());
  verified->crl_ = std::move(crl);
  verified->issuer_ = std::move(issuer);
  return verified;
}

}  // namespace revcache::pki
