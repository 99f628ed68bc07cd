#include "admin/status.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/duration_text.h"
#include "pki/asn1_time.h"

namespace revcache::admin {
namespace {

// Headings of docs/operations.md.
constexpr std::string_view kCrlRunsOut = "a-crl-runs-out";
constexpr std::string_view kCrlOverdue = "a-crl-is-overdue";
constexpr std::string_view kRefreshesFail = "refreshes-fail";
constexpr std::string_view kSignerFails = "a-signer-fails-or-ends";
constexpr std::string_view kTryLater = "the-responder-says-trylater";
constexpr std::string_view kClockWrong = "the-clock-is-wrong";
constexpr std::string_view kNoAuthority = "can-nps-authenticate";

WallSeconds seconds_of(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

// "3 d 4 h ago (2026-11-22T10:15:00Z)"
std::string ago(WallSeconds time, WallSeconds now) {
  return duration_text(now - time) + " ago (" + pki::rfc3339(time) + ')';
}

std::string ahead(WallSeconds time, WallSeconds now) {
  return "in " + duration_text(time - now) + " (" + pki::rfc3339(time) + ')';
}

std::string refresh_text(const RefreshStatus& refresh, const std::string& whose) {
  std::string text = "The last " + std::to_string(refresh.consecutive_failures) +
                     " attempts to renew " + refresh.failing_url;
  if (!whose.empty()) text += " of " + whose;
  text += " failed";
  if (!refresh.detail.empty()) text += ": " + refresh.detail;
  return text + '.';
}

// One authority after the other: reasons are collected here.
class AuthorityJudge {
 public:
  AuthorityJudge(AuthorityStatus& authority, const StatusReport& report)
      : authority_(authority), report_(report), now_(seconds_of(report.now)) {}

  void judge() && {
    judge_certificate();
    judge_evidence();
    judge_signer();
    for (const CrlStatus& crl : report_.crls) {
      if (crl.authority == authority_.name) judge_crl(crl);
    }
    judge_refresh();
    authority_.status = Verdict::yes;
    for (const Reason& reason : authority_.reasons) {
      authority_.status = std::max(authority_.status, reason.severity);
    }
  }

 private:
  void add(Verdict severity, std::string text, std::string_view runbook) {
    authority_.reasons.push_back({severity, authority_.name, std::move(text), runbook});
  }

  // What is wrong with the evidence of an authority that nothing waits for hurts fewer.
  [[nodiscard]] Verdict severity() const {
    return authority_.required ? Verdict::no : Verdict::at_risk;
  }

  void judge_certificate() {
    if (authority_.within_dates) return;
    add(severity(),
        "The certificate of " + authority_.name +
            " itself is outside its dates: nothing that it signed proves anything any more.",
        kTryLater);
  }

  // What comes of it when there is nothing to answer from.
  [[nodiscard]] std::string consequence() const {
    return authority_.answered_for
               ? " Questions about its certificates are answered with tryLater or unknown, and NPS "
                 "refuses them."
               : " NPS cannot tell whether its certificates are revoked, and refuses them.";
  }

  void judge_evidence() {
    const EvidenceStatus& evidence = authority_.evidence;
    if (!evidence.needed) return;
    if (!evidence.usable) return add(severity(), why_unusable() + consequence(), kCrlRunsOut);
    if (evidence.kind != EvidenceKind::crl) return judge_attestation();
    if (evidence.crls_configured_held >= evidence.crls_configured) return;
    add(Verdict::at_risk,
        "Of the " + std::to_string(evidence.crls_configured) + " CRLs configured for " +
            authority_.name + " only " + std::to_string(evidence.crls_configured_held) +
            (evidence.crls_configured_held == 1 ? " is" : " are") +
            " held: where none of these covers a certificate, nothing proves it good.",
        kCrlRunsOut);
  }

  [[nodiscard]] std::string why_unusable() const {
    const EvidenceStatus& evidence = authority_.evidence;
    if (evidence.kind == EvidenceKind::attestation) {
      return "Every attestation for " + authority_.name + " has ended" + ended() + '.';
    }
    if (evidence.kind == EvidenceKind::crl) {
      return authority_.name + " has no usable CRL: the last one ended" + ended() + '.';
    }
    if (evidence.crls_configured > 0) {
      std::string text = authority_.name + " has no usable CRL: none has been fetched yet";
      if (!authority_.refresh.detail.empty()) text += " (" + authority_.refresh.detail + ')';
      return text + '.';
    }
    return "There is no evidence about the certificates of " + authority_.name +
           ": neither a CRL nor an attestation is configured, and none was learned.";
  }

  [[nodiscard]] std::string ended() const {
    const auto& at = authority_.evidence.next_update;
    return at ? ' ' + ago(*at, now_) : std::string();
  }

  void judge_attestation() {
    const auto& until = authority_.evidence.next_update;
    if (authority_.evidence.kind != EvidenceKind::attestation || !until) return;
    if (*until - now_ >= kCrlEndsSoon) return;
    add(Verdict::at_risk,
        "An attestation for " + authority_.name + " ends " + ahead(*until, now_) + '.',
        kCrlRunsOut);
  }

  void judge_signer() {
    if (!authority_.answered_for || !authority_.signer) return;
    const SignerStatus& signer = *authority_.signer;
    if (!signer.usable) {
      std::string text = "Signer " + signer.name + " may not sign for " + authority_.name;
      if (!signer.problem.empty()) text += ": " + signer.problem;
      return add(Verdict::no, text + ". Every answer is tryLater, and NPS refuses.", kSignerFails);
    }
    if (signer.not_after && *signer.not_after - now_ < kSignerEndsSoon) {
      add(Verdict::at_risk,
          "Signer " + signer.name + " of " + authority_.name + " ends " +
              ahead(*signer.not_after, now_) + "; then every answer is tryLater.",
          kSignerFails);
    }
    if (!signer.problem.empty()) {
      add(Verdict::at_risk,
          "The new files of signer " + signer.name + " cannot be used: " + signer.problem +
              ". The old one goes on signing.",
          kSignerFails);
    }
  }

  [[nodiscard]] static std::string name_of(const CrlStatus& crl) {
    std::string text = crl.kind == CrlKind::delta ? "delta CRL" : "CRL";
    text += ' ' + crl.label + " of ";
    return text + (crl.own ? crl.authority : crl.issuer + " (below " + crl.authority + ')');
  }

  void judge_crl(const CrlStatus& crl) {
    if (now_ >= crl.usable_until) {
      // What is said already: that there is no other.
      if (crl.own && !authority_.evidence.usable) return;
      return add(Verdict::at_risk,
                 "The " + name_of(crl) + " ended " + ago(crl.usable_until, now_) +
                     (crl.kind == CrlKind::delta
                          ? ": newer revocations come with the next complete CRL only."
                          : ": certificates that only it covers are refused."),
                 kCrlRunsOut);
    }
    judge_end(crl);
    if (crl.next_publish && now_ - *crl.next_publish > kPublicationLate) {
      add(Verdict::at_risk,
          "The " + name_of(crl) + " should have had a successor " + ago(*crl.next_publish, now_) +
              ", by its Next CRL Publish.",
          kCrlOverdue);
    }
  }

  void judge_end(const CrlStatus& crl) {
    if (!crl.next_update) return;
    if (now_ >= *crl.next_update) {
      return add(Verdict::at_risk,
                 "The " + name_of(crl) + " ended " + ago(*crl.next_update, now_) +
                     "; grace keeps it in use until " + pki::rfc3339(crl.usable_until) + '.',
                 kCrlRunsOut);
    }
    const auto lifetime = *crl.next_update - crl.this_update;
    const auto left = *crl.next_update - now_;
    const bool soon = std::ranges::any_of(std::array{kCrlEndsSoon, kCrlEndsNow}, [&](auto warning) {
      return left < warning && lifetime > kCrlLifetimeFactor * warning;
    });
    if (!soon) return;
    add(Verdict::at_risk,
        "The " + name_of(crl) + " ends " + ahead(*crl.next_update, now_) + " and was not renewed.",
        kCrlRunsOut);
  }

  void judge_refresh() {
    const RefreshStatus& refresh = authority_.refresh;
    if (refresh.consecutive_failures < kRefreshFailures) return;
    add(Verdict::at_risk, refresh_text(refresh, authority_.name), kRefreshesFail);
  }

  AuthorityStatus& authority_;
  const StatusReport& report_;
  WallSeconds now_;
};

// What concerns no authority more than another.
void judge_instance(StatusReport& report) {
  const auto add = [&report](Verdict severity, std::string text, std::string_view runbook) {
    report.reasons.push_back({severity, {}, std::move(text), runbook});
  };
  if (!report.state_problem.empty()) {
    add(Verdict::no,
        "The state cannot be read, and without it nothing is evidence: " + report.state_problem +
            ". Every answer is tryLater.",
        kTryLater);
  }
  if (report.clock_behind) {
    std::string text = "The clock is behind what has been seen";
    if (report.clock_floor) {
      text += ": it was " + pki::rfc3339(*report.clock_floor) + " before, and is " +
              pki::rfc3339(seconds_of(report.now)) + " now";
    }
    add(Verdict::no, text + ". Every answer is tryLater.", kClockWrong);
  }
  if (report.authorities.empty()) {
    add(Verdict::at_risk, "Nothing is verified: no [[authority]] is configured.", kNoAuthority);
  }
  if (report.others.consecutive_failures >= kRefreshFailures) {
    add(Verdict::at_risk, refresh_text(report.others, {}), kRefreshesFail);
  }
}

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"yes", "at_risk", "no"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

std::string_view to_string(EvidenceKind kind) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"none", "crl", "ocsp", "attestation"};
  return kNames.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(CrlKind kind) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"full", "partition", "delta"};
  return kNames.at(static_cast<std::size_t>(kind));
}

void judge(StatusReport& report) {
  report.reasons.clear();
  judge_instance(report);
  for (AuthorityStatus& authority : report.authorities) {
    authority.reasons.clear();
    AuthorityJudge(authority, report).judge();
    std::ranges::copy(authority.reasons, std::back_inserter(report.reasons));
  }
  const auto found = std::exchange(report.reasons, {});
  for (const Verdict severity : {Verdict::no, Verdict::at_risk}) {
    std::ranges::copy_if(found, std::back_inserter(report.reasons),
                         [severity](const Reason& one) { return one.severity == severity; });
  }
  report.verdict = report.reasons.empty() ? Verdict::yes : report.reasons.front().severity;
}

}  // namespace revcache::admin
