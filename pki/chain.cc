#include "pki/chain.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "pki/asn1_time.h"
#include "pki/der.h"
#include "pki/distinguished_name.h"

namespace revcache::pki {
namespace {

bool is_same(const Certificate& left, const Certificate& right) {
  return equal(left.der.bytes(), right.der.bytes());
}

bool contains(std::span<const CertificatePtr> list, const Certificate& certificate) {
  return std::ranges::any_of(list, [&](const auto& one) { return is_same(*one, certificate); });
}

// By name, and by key identifier where both have one (4.2.1.1).
bool may_have_issued(const Certificate& issuer, const Certificate& subject) {
  if (!names_match(subject.issuer, issuer.subject)) return false;
  const bool both = !subject.authority_key_id.empty() && !issuer.subject_key_id.empty();
  return !both || equal(subject.authority_key_id, issuer.subject_key_id);
}

LinkFault fault_of(const Refused& refused) {
  const bool by_policy = refused.reason == Refusal::algorithm_refused;
  return {by_policy ? ChainFault::algorithm_refused : ChainFault::signature_wrong, refused.detail};
}

std::optional<LinkFault> signature_fault(const Certificate& subject, const Certificate& issuer,
                                         const SignaturePolicy& policy) {
  // 4.1.1.2: what was signed says how it was signed.
  if (!equal(subject.tbs_algorithm, subject.signature_algorithm)) {
    return LinkFault{ChainFault::signature_wrong,
                     "the algorithm inside what is signed differs from the one outside"};
  }
  const auto& key = issuer.key();
  if (!key) return fault_of(key.error());
  const auto verified =
      verify_signature(*key, subject.signature_algorithm, subject.tbs, subject.signature, policy);
  if (!verified) return fault_of(verified.error());
  return std::nullopt;
}

bool is_self_signed(const Certificate& certificate, const SignaturePolicy& policy) {
  if (!certificate.is_self_issued()) return false;
  const auto fault = signature_fault(certificate, certificate, policy);
  // An anchor's own signature proves nothing (6.1.1 (d)), so its algorithm is nobody's concern.
  return !fault || fault->fault == ChainFault::algorithm_refused;
}

void check_dates(ChainLink& link, WallTime at) {
  const auto& certificate = *link.certificate;
  if (at < certificate.not_before) {
    link.faults.push_back(
        {ChainFault::not_yet_valid, "valid from " + rfc3339(certificate.not_before)});
  } else if (!certificate.is_valid_at(at)) {
    link.faults.push_back({ChainFault::expired, "valid until " + rfc3339(certificate.not_after)});
  }
}

void check_extensions(ChainLink& link) {
  const auto& unknown = link.certificate->unknown_critical_extensions;
  if (unknown.empty()) return;
  std::string all;
  for (const std::string& oid : unknown) all += (all.empty() ? "" : ", ") + oid;
  link.faults.push_back({ChainFault::unknown_critical_extension, all});
}

// 6.1.4 (k) to (n), for a certificate that issued the one below it. `cas_below`: those that are
// not self-issued (6.1.4 (l)).
void check_as_issuer(ChainLink& link, std::size_t cas_below) {
  const auto& certificate = *link.certificate;
  const bool old_anchor = link.role == ChainRole::root && certificate.version < 3;
  if (!certificate.is_ca && !old_anchor) {
    link.faults.push_back({ChainFault::not_a_ca, certificate.has_basic_constraints
                                                     ? "its basic constraints say CA:FALSE"
                                                     : "it has no basic constraints"});
  }
  if (!certificate.may(KeyUsage::key_cert_sign)) {
    link.faults.push_back(
        {ChainFault::key_usage_forbids_issuing, "its key usage has no keyCertSign"});
  }
  if (certificate.path_length_max && cas_below > *certificate.path_length_max) {
    link.faults.push_back(
        {ChainFault::path_too_long, std::to_string(cas_below) + " CA certificates below it, " +
                                        std::to_string(*certificate.path_length_max) + " allowed"});
  }
}

class Search {
 public:
  explicit Search(const ChainQuestion& question) : question_(question) {
    for (const auto& anchor : question.anchors) add(anchor);
    for (const auto& candidate : question.candidates) add(candidate);
  }

  Chain run() {
    path_.push_back(question_.leaf);
    signature_faults_.emplace_back();
    extend();
    return std::move(*best_);
  }

 private:
  struct Rank {
    bool reaches_anchor = false;
    std::size_t faults = 0;
    std::size_t length = 0;

    [[nodiscard]] bool is_better_than(const Rank& other) const noexcept {
      if (reaches_anchor != other.reaches_anchor) return reaches_anchor;
      if (faults != other.faults) return faults < other.faults;
      return length > other.length;
    }
  };

  void add(const CertificatePtr& certificate) {
    if (!contains(pool_, *certificate)) pool_.push_back(certificate);
  }

  [[nodiscard]] bool is_anchor(const Certificate& certificate) const {
    if (!question_.anchors.empty()) return contains(question_.anchors, certificate);
    return is_self_signed(certificate, question_.policy);
  }

  [[nodiscard]] bool is_done() const {
    return best_ && best_rank_.reaches_anchor && best_rank_.faults == 0;
  }

  // Depth first from the end of path_.
  void extend() {
    const CertificatePtr last = path_.back();
    if (is_anchor(*last)) return note(true, {});
    if (last->is_self_issued() && is_self_signed(*last, question_.policy)) {
      return note(false, LinkFault{ChainFault::untrusted_anchor,
                                   "self-signed, and not among the trusted certificates"});
    }
    bool any = false;
    for (const auto& candidate : issuers_of(*last)) {
      if (is_done()) return;
      any = true;
      path_.push_back(candidate.certificate);
      signature_faults_.back() = candidate.fault;
      signature_faults_.emplace_back();
      extend();
      signature_faults_.pop_back();
      signature_faults_.back().reset();
      path_.pop_back();
    }
    if (!any) note(false, missing_issuer(*last));
  }

  struct Candidate {
    CertificatePtr certificate;
    std::optional<LinkFault> fault;  // of the signature below it
  };

  // Those whose key verifies; only where there is none, those that have the right name.
  std::vector<Candidate> issuers_of(const Certificate& subject) {
    std::vector<Candidate> proven;
    std::vector<Candidate> others;
    if (path_.size() >= kChainLengthMax) return proven;
    for (const auto& certificate : pool_) {
      if (!may_have_issued(*certificate, subject) || contains(path_, *certificate)) continue;
      if (signatures_ == kChainSignaturesMax) break;
      ++signatures_;
      auto fault = signature_fault(subject, *certificate, question_.policy);
      auto& list = fault ? others : proven;
      list.push_back({certificate, std::move(fault)});
    }
    return proven.empty() ? others : proven;
  }

  [[nodiscard]] LinkFault missing_issuer(const Certificate& last) const {
    std::string detail = "no certificate of its issuer, " + name_text(last.issuer) + ", is at hand";
    const bool by_name = std::ranges::any_of(
        pool_, [&](const auto& one) { return names_match(last.issuer, one->subject); });
    if (by_name) detail += ": one has the name but another key";
    if (path_.size() >= kChainLengthMax) detail = "the chain is too long";
    return {ChainFault::issuer_missing, std::move(detail)};
  }

  // The path as it stands is a chain: keeps the best.
  void note(bool reaches_anchor, const std::optional<LinkFault>& at_end) {
    Chain chain;
    chain.reaches_anchor = reaches_anchor;
    chain.anchor_is_given = reaches_anchor && question_.anchors.empty();
    std::size_t cas_below = 0;
    std::size_t faults = 0;
    for (std::size_t at = 0; at < path_.size(); ++at) {
      chain.links.push_back(judged(at, reaches_anchor, cas_below));
      auto& link = chain.links.back();
      if (at > 0 && !link.certificate->is_self_issued()) ++cas_below;
      if (at + 1 == path_.size()) add_end_faults(link, reaches_anchor, at_end);
      faults += link.faults.size();
    }
    const Rank rank{reaches_anchor, faults, path_.size()};
    if (best_ && !rank.is_better_than(best_rank_)) return;
    best_ = std::move(chain);
    best_rank_ = rank;
  }

  void add_end_faults(ChainLink& link, bool reaches_anchor,
                      const std::optional<LinkFault>& at_end) const {
    if (at_end) link.faults.push_back(*at_end);
    if (reaches_anchor && path_.size() == 1) {
      link.faults.push_back({ChainFault::nothing_to_check,
                             "it is an anchor itself: the certificate to be checked comes first"});
    }
  }

  [[nodiscard]] ChainLink judged(std::size_t at, bool reaches_anchor, std::size_t cas_below) const {
    ChainLink link;
    link.certificate = path_[at];
    const bool is_last = at + 1 == path_.size();
    const bool is_root = is_last && (reaches_anchor || link.certificate->is_self_issued());
    link.role = is_root ? ChainRole::root : at == 0 ? ChainRole::leaf : ChainRole::intermediate;
    if (signature_faults_[at]) link.faults.push_back(*signature_faults_[at]);
    check_dates(link, question_.at);
    check_extensions(link);
    if (at > 0) check_as_issuer(link, cas_below);
    return link;
  }

  const ChainQuestion& question_;
  std::vector<CertificatePtr> pool_;
  std::vector<CertificatePtr> path_;
  std::vector<std::optional<LinkFault>> signature_faults_;  // beside path_: of its certificate
  std::size_t signatures_ = 0;
  std::optional<Chain> best_;
  Rank best_rank_;
};

}  // namespace

std::string_view to_string(ChainFault fault) noexcept {
  static constexpr std::array<std::string_view, kChainFaults> kNames{"issuer_missing",
                                                                     "signature_wrong",
                                                                     "algorithm_refused",
                                                                     "expired",
                                                                     "not_yet_valid",
                                                                     "not_a_ca",
                                                                     "path_too_long",
                                                                     "key_usage_forbids_issuing",
                                                                     "unknown_critical_extension",
                                                                     "untrusted_anchor",
                                                                     "nothing_to_check"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::string_view to_string(ChainRole role) noexcept {
  static constexpr std::array<std::string_view, 3> kNames{"leaf", "intermediate", "root"};
  return kNames[static_cast<std::size_t>(role)];
}

bool Chain::is_valid() const noexcept {
  return reaches_anchor &&
         std::ranges::all_of(links, [](const ChainLink& link) { return link.faults.empty(); });
}

Chain build_chain(const ChainQuestion& question) { return Search(question).run(); }

}  // namespace revcache::pki
