#include "pki/diagnosis.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "pki/diagnosis_findings.h"
#include "pki/diagnosis_nps.h"

namespace revcache::pki {
namespace {

void append(std::vector<Finding>& findings, std::vector<Finding> more) {
  std::ranges::move(more, std::back_inserter(findings));
}

void judge(CertificateDiagnosis& one, const CertificatePtr& issuer,
           std::span<const Evidence> evidence, const EvidenceRules& rules) {
  auto verdict = judge_evidence(*one.link.certificate, issuer, evidence, rules);
  one.status = verdict.status;
  one.source = verdict.source;
  one.revoked_at = verdict.revoked_at;
  one.reason = verdict.reason;
  one.evidence = std::move(verdict.evidence);
}

// Those of one severity keep their order.
std::vector<Finding> errors_first(const std::vector<Finding>& findings) {
  std::vector<Finding> sorted;
  for (const Severity severity : {Severity::error, Severity::warning, Severity::info}) {
    std::ranges::copy_if(findings, std::back_inserter(sorted),
                         [&](const Finding& finding) { return finding.severity == severity; });
  }
  return sorted;
}

Finding revoked_finding(const CertificateDiagnosis& one) {
  return {"certificate-revoked", Severity::error, "RFC 5280 6.3.3",
          "Its issuer has revoked it, reason " + std::string(to_string(one.reason)) + '.',
          "Nothing but a new certificate helps, unless it is on hold."};
}

Finding no_evidence_finding(bool offline) {
  if (offline) {
    return {"evidence-missing", Severity::error, "RFC 5280 6.3.3",
            "No CRL and no OCSP answer about it is at hand, and nothing was fetched.",
            "Give a CRL with --crl or an answer with --ocsp, or leave out --offline."};
  }
  return {"evidence-missing", Severity::error, "RFC 5280 6.3.3",
          "No URL that it names can be asked over plain HTTP.",
          "Give a CRL with --crl or an OCSP answer with --ocsp."};
}

Finding anchor_finding() {
  return {"root-taken-from-chain", Severity::info, "RFC 5280 6.1.1 (d)",
          "Nobody said whom to trust: this root is taken as trusted because the chain ends at it.",
          "Name the root that the server trusts with --trust."};
}

// After the status is known. `issuer` is null for the last of the chain.
void add_findings(CertificateDiagnosis& one, const Certificate* issuer,
                  const DiagnosisQuestion& question) {
  for (const LinkFault& fault : one.link.faults) one.findings.push_back(chain_finding(fault));
  const bool checked = one.status != CertificateStatus::not_checked;
  const bool unknown = one.status == CertificateStatus::unknown;
  const bool below_root = one.link.role != ChainRole::root;
  if (one.status == CertificateStatus::revoked) one.findings.push_back(revoked_finding(one));
  const bool named = names_revocation_source(*one.link.certificate);
  if (below_root && !named) one.findings.push_back(cdp_missing(one, issuer, question.profile));
  for (const auto& judged : one.evidence) {
    if (auto finding = evidence_finding(judged, unknown)) one.findings.push_back(*finding);
  }
  if (checked && unknown && named && one.evidence.empty()) {
    one.findings.push_back(no_evidence_finding(question.offline));
  }
  append(one.findings, remarks(one, question.profile));
  if (issuer == nullptr && question.chain.anchor_is_given) one.findings.push_back(anchor_finding());
  if (one.link.role == ChainRole::leaf && question.profile == Profile::nps) {
    append(one.findings, lint_leaf(*one.link.certificate));
  }
  one.findings = errors_first(one.findings);
}

Outcome outcome_of(const Diagnosis& diagnosis, bool chain_is_valid) {
  if (!chain_is_valid) return Outcome::invalid;
  const auto any = [&](CertificateStatus status) {
    return std::ranges::any_of(diagnosis.chain,
                               [&](const auto& one) { return one.status == status; });
  };
  if (any(CertificateStatus::revoked)) return Outcome::revoked;
  return any(CertificateStatus::unknown) ? Outcome::unknown : Outcome::good;
}

}  // namespace

std::string_view to_string(Severity severity) noexcept {
  static constexpr std::array<std::string_view, 3> kNames{"info", "warning", "error"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::string_view to_string(Profile profile) noexcept {
  static constexpr std::array<std::string_view, 2> kNames{"nps", "pkix"};
  return kNames[static_cast<std::size_t>(profile)];
}

std::string_view to_string(Outcome outcome) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"good", "revoked", "unknown", "invalid"};
  return kNames[static_cast<std::size_t>(outcome)];
}

bool names_revocation_source(const Certificate& certificate) {
  if (!certificate.ocsp_urls.empty()) return true;
  return std::ranges::any_of(
      certificate.crl_distribution_points, [](const DistributionPoint& point) {
        return !point.urls.empty() && !point.has_crl_issuer && !point.has_reasons;
      });
}

Diagnosis diagnose(const DiagnosisQuestion& question) {
  Diagnosis diagnosis;
  diagnosis.at = question.rules.at;
  diagnosis.profile = question.profile;
  const auto& links = question.chain.links;
  const bool valid = question.chain.is_valid();
  for (std::size_t at = 0; at < links.size(); ++at) {
    auto& one = diagnosis.chain.emplace_back();
    one.link = links[at];
    const bool below_anchor = at + 1 < links.size();
    if (valid && below_anchor) {
      const auto evidence = at < question.evidence.size() ? std::span(question.evidence[at])
                                                          : std::span<const Evidence>{};
      judge(one, links[at + 1].certificate, evidence, question.rules);
    }
    add_findings(one, below_anchor ? links[at + 1].certificate.get() : nullptr, question);
  }
  diagnosis.result = outcome_of(diagnosis, valid);
  diagnosis.nps = nps_verdict(diagnosis.chain, question.chain.reaches_anchor);
  return diagnosis;
}

}  // namespace revcache::pki
