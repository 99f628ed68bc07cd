#include "pki/diagnosis_findings.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "pki/distinguished_name.h"

namespace revcache::pki {
namespace {

struct ChainRow {
  ChainFault fault;
  std::string_view id;
  std::string_view reference;
  std::string_view text;
  std::string_view fix;
};

constexpr std::array<ChainRow, kChainFaults> kChainRows{{
    {ChainFault::issuer_missing, "issuer-missing", "RFC 5280 6.1",
     "The chain ends here: its issuer was not found",
     "Give the issuer's certificate with --extra, or the root with --trust."},
    {ChainFault::signature_wrong, "signature-wrong", "RFC 5280 6.1.3 (a)(1)",
     "The signature does not verify under its issuer's key",
     "The certificate was altered, or another CA of the same name issued it: ask for the issuer's "
     "current certificate."},
    {ChainFault::algorithm_refused, "signature-algorithm-refused", "RFC 5280 6.1.3 (a)(1)",
     "The signature's algorithm or key is too weak to prove anything",
     "Have the certificate issued again with SHA-256; --allow-sha1 admits SHA-1."},
    {ChainFault::expired, "certificate-expired", "RFC 5280 6.1.3 (a)(2)",
     "The certificate has expired", "Renew it."},
    {ChainFault::not_yet_valid, "certificate-not-yet-valid", "RFC 5280 6.1.3 (a)(2)",
     "The certificate is not valid yet", "Compare the clock of this machine with that of the CA."},
    {ChainFault::not_a_ca, "issuer-not-a-ca", "RFC 5280 6.1.4 (k)",
     "It issued a certificate without being a CA",
     "Only a certificate with basic constraints CA:TRUE may issue others."},
    {ChainFault::path_too_long, "path-length-exceeded", "RFC 5280 6.1.4 (m)",
     "There are more CAs below it than its path length constraint allows",
     "Issue from a CA that is nearer to it, or have it renewed with a longer path length."},
    {ChainFault::key_usage_forbids_issuing, "key-usage-forbids-issuing", "RFC 5280 6.1.4 (n)",
     "It issued a certificate although its key usage forbids it",
     "A CA certificate needs keyCertSign."},
    {ChainFault::unknown_critical_extension, "unknown-critical-extension", "RFC 5280 4.2",
     "It has a critical extension that is not understood here", ""},
    {ChainFault::untrusted_anchor, "root-not-trusted", "RFC 5280 6.1.1 (d)",
     "The chain ends at a root that is not trusted",
     "Give the root with --trust; on the server it belongs into Trusted Root Certification "
     "Authorities."},
    {ChainFault::nothing_to_check, "nothing-to-check", "RFC 5280 6.1",
     "The certificate to be checked is a trust anchor",
     "Put the user's or computer's certificate first in the file."},
}};

// The best first. What Windows does with the third is not documented.
std::string ways_out(const Certificate* issuer) {
  const std::string name = issuer == nullptr ? "its issuer" : name_text(issuer->subject);
  return "1. Give the server an OCSP URL for what " + name +
         " issues: property 81 on that certificate in its store (Group Policy: Public Key Policies "
         "> Trusted Root Certification Authorities > Properties > OCSP), naming revcache, which "
         "answers from the CA's genuine CRL.\n"
         "2. Let those answers be signed by an OCSP signer that the server trusts: with "
         "id-kp-OCSPSigning and id-pkix-ocsp-nocheck, self-signed and trusted, or issued by " +
         name +
         ".\n"
         "3. Keep the genuine CRL of " +
         name +
         " in the server's machine store: certutil -f -addstore CA root.crl, again before each "
         "expiry. Not every Windows release looks there for a certificate that names no CDP: test "
         "it.\n"
         "Not a way out: IgnoreNoRevocationCheck = 1 accepts every client whose check cannot be "
         "completed.";
}

std::string with_detail(std::string_view text, std::string_view detail) {
  std::string all(text);
  if (!detail.empty()) all.append(": ").append(detail);
  return all + '.';
}

std::string_view kind_name(const JudgedEvidence& judged) {
  return judged.evidence.kind == EvidenceKind::crl ? "crl" : "ocsp";
}

std::string with_hyphens(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

std::string_view reference_of(const JudgedEvidence& judged) {
  if (judged.evidence.kind == EvidenceKind::ocsp) return "RFC 6960 3.2";
  if (!judged.refused) return "RFC 5280 6.3.3";
  switch (judged.refused->reason) {
    case Refusal::malformed:
      return "RFC 5280 5.1";
    case Refusal::expired:
    case Refusal::no_next_update:
      return "RFC 5280 5.1.2.5";
    case Refusal::not_yet_valid:
      return "RFC 5280 5.1.2.4";
    case Refusal::unknown_critical_extension:
      return "RFC 5280 5.2";
    case Refusal::base_mismatch:
      return "RFC 5280 5.2.4";
    case Refusal::scope_mismatch:
    case Refusal::indirect_crl:
    case Refusal::only_some_reasons:
      return "RFC 5280 5.2.5";
    default:
      return "RFC 5280 6.3.3";
  }
}

std::string_view fix_of(const JudgedEvidence& judged) {
  if (judged.evidence.failure) {
    return "Ask for the URL from the server itself; through revcache it is answered also while the "
           "CA's host is down.";
  }
  if (!judged.refused) return "";
  switch (judged.refused->reason) {
    case Refusal::malformed:
      return "Look at what the URL gives: a login page or a filter's message, often. revcache "
             "refuses these and goes on serving the last good copy.";
    case Refusal::expired:
      return "The CA must publish a new one; if it has, a cache on the way is old.";
    case Refusal::algorithm_refused:
      return "--allow-sha1 admits SHA-1.";
    case Refusal::signature_wrong:
    case Refusal::issuer_unknown:
      return "It was altered, or is of another CA of that name: a renewed CA has a new key.";
    case Refusal::not_yet_valid:
      return "Compare the clock of this machine with that of the CA.";
    case Refusal::responder_not_authorized:
      return "The responder's certificate must be of this issuer with id-kp-OCSPSigning, or be "
             "given with --trust.";
    default:
      return "";
  }
}

}  // namespace

Finding chain_finding(const LinkFault& fault) {
  const auto& row = *std::ranges::find(kChainRows, fault.fault, &ChainRow::fault);
  return {std::string(row.id), Severity::error, std::string(row.reference),
          with_detail(row.text, fault.detail), std::string(row.fix)};
}

Finding cdp_missing(const CertificateDiagnosis& one, const Certificate* issuer, Profile profile) {
  Finding finding{"cdp-missing", Severity::error, "RFC 5280 4.2.1.13", {}, {}};
  const std::string what =
      one.link.role == ChainRole::leaf ? "This certificate" : "This CA certificate";
  finding.text = what +
                 " names no CRL distribution point and no OCSP responder, so a server that checks "
                 "the whole chain cannot find out whether it is revoked.";
  if (profile == Profile::pkix) {
    finding.severity = Severity::info;
    finding.text = what +
                   " names no CRL distribution point and no OCSP responder; RFC 5280 does "
                   "not demand one.";
    return finding;
  }
  finding.text += " NPS logs event 6273 with reason code 258, and the VPN client shows error 853.";
  finding.fix = ways_out(issuer);
  return finding;
}

std::optional<Finding> evidence_finding(const JudgedEvidence& judged, bool matters) {
  const bool failed = judged.evidence.failure.has_value();
  if (!failed && !judged.refused && !judged.too_old && !judged.uncertain) return std::nullopt;
  Finding finding;
  finding.severity = matters ? Severity::error : Severity::warning;
  finding.reference = reference_of(judged);
  finding.fix = fix_of(judged);
  const std::string kind(kind_name(judged));
  const std::string what = kind == "crl" ? "The CRL " : "The OCSP answer ";
  if (failed) {
    finding.id = kind + "-unreachable";
    finding.text = what + "was not to be had from " + judged.evidence.source + ": " +
                   judged.evidence.failure->detail + '.';
  } else if (judged.refused) {
    finding.id = kind + '-' + with_hyphens(to_string(judged.refused->reason));
    finding.text =
        what + "of " + judged.evidence.source + " is no evidence: " + judged.refused->detail + '.';
  } else if (judged.too_old) {
    finding.id = kind + "-too-old";
    finding.text = what + "of " + judged.evidence.source +
                   " is too old: older than --max-age allows, or it "
                   "names no nextUpdate and was not asked for just now.";
  } else {
    finding.id = kind + "-partial";
    finding.text = what + "of " + judged.evidence.source +
                   " covers only some certificates of this issuer: that this one is not listed "
                   "proves nothing.";
    finding.reference = "RFC 5280 5.2.5";
  }
  return finding;
}

std::vector<Finding> remarks(const CertificateDiagnosis& one, Profile profile) {
  const Certificate& certificate = *one.link.certificate;
  std::vector<Finding> all;
  if (certificate.has_name_constraints) {
    all.push_back({"name-constraints-not-evaluated", Severity::warning, "RFC 5280 4.2.1.10",
                   "It constrains the names below it. That was not evaluated here; Windows does.",
                   "Compare the names of the certificates below with its name constraints."});
  }
  const auto indirect = std::ranges::any_of(
      certificate.crl_distribution_points,
      [](const DistributionPoint& point) { return point.has_crl_issuer || point.has_reasons; });
  if (indirect) {
    all.push_back({"cdp-indirect", profile == Profile::nps ? Severity::warning : Severity::info,
                   "RFC 5280 4.2.1.13",
                   "A distribution point names an indirect CRL, or one for some reasons only; "
                   "Windows ignores these, and so does this check.",
                   ""});
  }
  for (const auto& judged : one.evidence) {
    const auto& ocsp = judged.verified_ocsp;
    if (!ocsp || ocsp->responder() != ResponderKind::delegated) continue;
    const bool vouched = ocsp->signer() != nullptr && ocsp->signer()->ocsp_nocheck;
    if (vouched) continue;
    all.push_back({"ocsp-responder-unchecked", Severity::info, "RFC 6960 4.2.2.2.1",
                   "The responder's own certificate may be revoked: it lacks id-pkix-ocsp-nocheck, "
                   "and its status was not asked for.",
                   ""});
  }
  return all;
}

}  // namespace revcache::pki
