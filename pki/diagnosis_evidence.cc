#include "pki/diagnosis_evidence.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/der.h"
#include "pki/distinguished_name.h"

namespace revcache::pki {
namespace {

// A verified CRL, and where in the list of judged evidence it stands.
struct PlacedCrl {
  VerifiedCrlPtr crl;
  std::size_t place = 0;
};

class Judge {
 public:
  Judge(const Certificate& subject, const CertificatePtr& issuer, const EvidenceRules& rules)
      : subject_(subject), issuer_(issuer), rules_(rules) {}

  void take(const Evidence& evidence) {
    if (!evidence.fetched && is_about_others(evidence)) return;
    auto& judged = verdict_.evidence.emplace_back();
    judged.evidence = evidence;
    if (evidence.malformed) judged.refused = evidence.malformed;
    if (evidence.crl) take_crl(judged);
    if (evidence.ocsp) take_ocsp(judged);
  }

  RevocationVerdict conclude() {
    combine();
    for (auto& judged : verdict_.evidence) {
      if (judged.says != CertificateStatus::good || judged.too_old || judged.uncertain) continue;
      if (verdict_.status == CertificateStatus::revoked) continue;
      verdict_.status = CertificateStatus::good;
      verdict_.source =
          judged.evidence.kind == EvidenceKind::crl ? StatusSource::crl : StatusSource::ocsp;
    }
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] bool is_about_others(const Evidence& evidence) const {
    if (evidence.crl) return !names_match(evidence.crl->issuer, issuer_->subject);
    if (!evidence.ocsp || evidence.ocsp->responses.empty()) return false;
    return std::ranges::none_of(evidence.ocsp->responses, [&](const SingleResponse& single) {
      return cert_id_names_issuer(single.cert_id, *issuer_) &&
             equal(significant_octets(single.cert_id.serial), significant_octets(subject_.serial));
    });
  }

  // RFC 6960 4.2.2.1: without nextUpdate newer information is always available, so that an answer
  // is of use only when it was asked for.
  [[nodiscard]] bool is_over(const Evidence& evidence, const SingleResponse& single) const {
    const bool just_made = rules_.at - single.this_update <= kClockSkewMax;
    return !single.next_update && !evidence.fetched && !just_made;
  }

  [[nodiscard]] bool is_too_old(WallSeconds this_update) const {
    return rules_.age_max && rules_.at - this_update > *rules_.age_max;
  }

  void take_crl(JudgedEvidence& judged) {
    auto verified = verify_crl(judged.evidence.crl, issuer_, rules_.at, rules_.policy);
    if (!verified) {
      judged.refused = std::move(verified.error());
      return;
    }
    const auto covers = coverage((*verified)->crl().scope, subject_);
    if (covers == Coverage::none) {
      judged.refused = Refused{Refusal::scope_mismatch,
                               "its issuing distribution point is not for this certificate"};
      return;
    }
    judged.uncertain = covers == Coverage::uncertain;
    judged.too_old = is_too_old((*verified)->crl().this_update);
    judged.delta = (*verified)->crl().is_delta();
    auto& list = judged.delta ? deltas_ : completes_;
    list.push_back({std::move(*verified), verdict_.evidence.size() - 1});
  }

  void take_ocsp(JudgedEvidence& judged) {
    auto verified = verify_ocsp_response(judged.evidence.ocsp, *issuer_, rules_.trusted_responders,
                                         rules_.at, rules_.policy);
    if (!verified) {
      judged.refused = std::move(verified.error());
      return;
    }
    judged.verified_ocsp = *verified;
    const auto* single = (*verified)->find(*issuer_, subject_.serial);
    if (single == nullptr) {
      judged.refused = Refused{Refusal::cert_id_mismatch, "it answers for other certificates"};
      return;
    }
    judged.too_old = is_too_old(single->this_update) || is_over(judged.evidence, *single);
    if (single->status == OcspCertStatus::good) judged.says = CertificateStatus::good;
    if (single->status == OcspCertStatus::revoked) {
      judged.says = CertificateStatus::revoked;
      note_revoked(StatusSource::ocsp, single->revoked_at, single->reason);
    }
  }

  // The newest delta that fits each complete CRL; one that fits none is said to do so.
  void combine() {
    std::vector<bool> used(deltas_.size(), false);
    for (const auto& complete : completes_) {
      const VerifiedCrl* best = nullptr;
      for (std::size_t at = 0; at < deltas_.size(); ++at) {
        const VerifiedCrl& delta = *deltas_[at].crl;
        if (may_combine(*complete.crl, delta)) continue;
        used[at] = true;
        const bool newer =
            best == nullptr || compare_numbers(delta.crl().number, best->crl().number) > 0;
        if (newer) best = &delta;
      }
      note_crl(complete, best);
    }
    for (std::size_t at = 0; at < deltas_.size(); ++at) {
      if (!used[at]) leave_out(deltas_[at]);
    }
  }

  void note_crl(const PlacedCrl& complete, const VerifiedCrl* delta) {
    auto& judged = verdict_.evidence[complete.place];
    const auto entry = find_combined(*complete.crl, delta, subject_.serial);
    if (!entry) {
      judged.says = CertificateStatus::good;
      return;
    }
    judged.says = CertificateStatus::revoked;
    if (entry->reason == CrlReason::certificate_hold && is_lifted_by_newer(*complete.crl)) return;
    note_revoked(StatusSource::crl, entry->revoked_at, entry->reason);
  }

  // 5.3.1: only a hold ends before the certificate does. A newer CRL of the same key and scope
  // that does not list it has ended it.
  [[nodiscard]] bool is_lifted_by_newer(const VerifiedCrl& old) const {
    return std::ranges::any_of(completes_, [&](const PlacedCrl& other) {
      return other.crl->issuer_key() == old.issuer_key() &&
             equal(other.crl->crl().scope.extension, old.crl().scope.extension) &&
             compare_numbers(other.crl->crl().number, old.crl().number) > 0 &&
             !other.crl->crl().find(subject_.serial);
    });
  }

  // A delta CRL without its base proves nothing good, but what it revokes its issuer has revoked.
  void leave_out(const PlacedCrl& delta) {
    auto& judged = verdict_.evidence[delta.place];
    const auto entry = delta.crl->crl().find(subject_.serial);
    if (entry && entry->reason != CrlReason::remove_from_crl) {
      judged.says = CertificateStatus::revoked;
      return note_revoked(StatusSource::crl, entry->revoked_at, entry->reason);
    }
    std::optional<Refused> why;
    for (const auto& complete : completes_) {
      if (!why) why = may_combine(*complete.crl, *delta.crl);
    }
    judged.refused = why.value_or(Refused{
        Refusal::base_mismatch, "a delta CRL without the complete one that it is based on"});
  }

  void note_revoked(StatusSource source, WallSeconds revoked_at, CrlReason reason) {
    if (verdict_.status == CertificateStatus::revoked) return;
    verdict_.status = CertificateStatus::revoked;
    verdict_.source = source;
    verdict_.revoked_at = revoked_at;
    verdict_.reason = reason;
  }

  const Certificate& subject_;
  const CertificatePtr& issuer_;
  const EvidenceRules& rules_;
  RevocationVerdict verdict_;
  std::vector<PlacedCrl> completes_;
  std::vector<PlacedCrl> deltas_;
};

}  // namespace

std::string_view to_string(CertificateStatus status) noexcept {
  static constexpr std::array<std::string_view, 4> kNames{"good", "revoked", "unknown",
                                                          "not_checked"};
  return kNames[static_cast<std::size_t>(status)];
}

std::string_view to_string(StatusSource source) noexcept {
  static constexpr std::array<std::string_view, 3> kNames{"none", "crl", "ocsp"};
  return kNames[static_cast<std::size_t>(source)];
}

RevocationVerdict judge_evidence(const Certificate& subject, const CertificatePtr& issuer,
                                 std::span<const Evidence> evidence, const EvidenceRules& rules) {
  Judge judge(subject, issuer, rules);
  for (const Evidence& one : evidence) judge.take(one);
  return judge.conclude();
}

}  // namespace revcache::pki
