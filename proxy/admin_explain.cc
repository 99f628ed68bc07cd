#include "proxy/admin_explain.h"

#include <string>
#include <vector>

#include "pki/crl.h"

namespace revcache::proxy {
namespace {

using revocation::Decision;
using revocation::Issuer;
using revocation::Rule;
using revocation::SigningAuthority;

struct FoundIssuer {
  const Issuer* issuer = nullptr;
  bool signature_holds = false;
};

bool is_named_by(const pki::Certificate& certificate, const pki::Certificate& issuer) {
  if (!pki::equal(certificate.issuer, issuer.subject)) return false;
  return certificate.authority_key_id.empty() || issuer.subject_key_id.empty() ||
         pki::equal(certificate.authority_key_id, issuer.subject_key_id);
}

FoundIssuer issuer_of(const pki::Certificate& certificate, const revocation::Snapshot& known) {
  FoundIssuer found;
  for (const Issuer& issuer : known.issuers()) {
    if (!is_named_by(certificate, *issuer.certificate)) continue;
    if (pki::verify_issued_by(certificate, *issuer.certificate, {})) return {&issuer, true};
    if (found.issuer == nullptr) found.issuer = &issuer;
  }
  return found;
}

// Why nobody signs for it; empty: somebody does.
std::string why_not_answered(const admin::CertificateQuestion& question, const Issuer* issuer,
                             const SigningAuthority* signing) {
  if (issuer == nullptr) return "no [[authority]], and no CA known to be under one, issued it";
  if (!issuer->is_authority) {
    return "its issuer is a CA under " + issuer->authority +
           ", not an [[authority]] itself: only those are answered for";
  }
  if (signing == nullptr) {
    return "[[authority]] " + issuer->authority + " names no signer: it is not answered for";
  }
  if (!question.authority.empty() && signing->name != question.authority) {
    return "/ocsp/" + question.authority + " answers for " + question.authority +
           " only; this is of " + signing->name;
  }
  return {};
}

// Delta CRLs whose base is not there yet (RFC 5280 5.2.4).
std::vector<admin::UnusedEvidence> unused_of(const Issuer& issuer) {
  std::vector<admin::UnusedEvidence> unused;
  for (const revocation::HeldCrl& held : issuer.crls) {
    if (held.waiting_delta == nullptr) continue;
    const auto misfit = pki::may_combine(*held.complete, *held.waiting_delta);
    if (!misfit) continue;
    unused.push_back({.kind = "delta_crl",
                      .number = pki::hex((*held.waiting_delta)->number),
                      .reason = std::string(to_string(misfit->reason)),
                      .detail = misfit->detail});
  }
  return unused;
}

}  // namespace

admin::Explanation explain_answer(const admin::CertificateQuestion& question, const ExplainBy& by) {
  const pki::Certificate& certificate = *question.certificate;
  const auto [issuer, signature_holds] = issuer_of(certificate, by.known);
  admin::Explanation explained;
  explained.signature_holds = signature_holds;
  if (issuer != nullptr) {
    explained.issuer = pki::name_text(issuer->certificate->subject);
    explained.unused = unused_of(*issuer);
  }
  const bool may_sign = issuer != nullptr && issuer->is_authority && by.table != nullptr;
  const SigningAuthority* const signing = may_sign ? by.table->find(issuer->key) : nullptr;
  if (auto why = why_not_answered(question, issuer, signing); !why.empty()) {
    Decision nobody;
    nobody.rule = Rule::unknown_issuer;
    explained.record = record_of(nobody, nullptr, certificate.serial, by.now);
    explained.record.why = std::move(why);
    return explained;
  }
  const Decision decision =
      signing->decide(by.known, *issuer, certificate.serial, by.standing, by.now);
  explained.record = record_of(decision, issuer, certificate.serial, by.now);
  if (decision.is_signed()) {
    explained.record.signer = signing->signer_name;
    explained.record.next_update =
        next_update_of(decision, signing->policy.validity, signing->signer_not_after, by.now);
  }
  return explained;
}

}  // namespace revcache::proxy
