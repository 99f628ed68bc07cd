#include "pki/chain_check.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace revcache::pki {

ChainCheck::ChainCheck(CheckInput input, EvidenceRules rules, Profile profile)
    : input_(std::move(input)) {
  question_.rules = std::move(rules);
  question_.profile = profile;
  question_.offline = true;
  for (const auto& anchor : input_.anchors) {
    // RFC 6960 2.2: a trusted responder, if the user trusts it and it says what it is for.
    const bool by_name = anchor->extended_key_usage.has_value();
    if (by_name && anchor->has_extended_key_usage(kOcspSigningOid)) {
      question_.rules.trusted_responders.push_back(anchor);
    }
  }
}

void ChainCheck::fetch_from(HttpSource& http, std::uint64_t hash_seed) {
  fetch_.emplace(http, hash_seed);
  question_.offline = false;
}

Diagnosis ChainCheck::run() {
  build();
  if (question_.chain.is_valid()) gather();
  auto diagnosis = diagnose(question_);
  if (question_.chain.is_valid()) remark_unused(diagnosis);
  return diagnosis;
}

// Fetches issuers as long as that makes the chain longer.
void ChainCheck::build() {
  std::vector<CertificatePtr> candidates = input_.chain;
  add_untrusted(input_.extra, candidates);
  for (std::size_t round = 0; round <= kChainLengthMax; ++round) {
    question_.chain = build_chain({.leaf = input_.chain.front(),
                                   .candidates = candidates,
                                   .anchors = input_.anchors,
                                   .at = question_.rules.at,
                                   .policy = question_.rules.policy});
    if (!fetch_ || !lacks_issuer()) return;
    const auto fetched = fetch_->issuers_of(*question_.chain.links.back().certificate);
    if (fetched.empty()) return;
    add_untrusted(fetched, candidates);
  }
}

// Neither what is extra nor the network trusts anybody: without anchors a root must be in the
// chain.
void ChainCheck::add_untrusted(const std::vector<CertificatePtr>& more,
                               std::vector<CertificatePtr>& candidates) const {
  std::ranges::copy_if(more, std::back_inserter(candidates), [&](const auto& certificate) {
    return !input_.anchors.empty() || !certificate->is_self_issued();
  });
}

bool ChainCheck::lacks_issuer() const {
  return std::ranges::any_of(question_.chain.links.back().faults, [](const LinkFault& fault) {
    return fault.fault == ChainFault::issuer_missing;
  });
}

void ChainCheck::gather() {
  const auto& links = question_.chain.links;
  for (std::size_t at = 0; at + 1 < links.size(); ++at) {
    auto evidence = input_.evidence;
    const auto& issuer = links[at + 1].certificate;
    if (input_.known) std::ranges::move(input_.known(*issuer), std::back_inserter(evidence));
    if (fetch_) {
      auto fetched = fetch_->about(*links[at].certificate, issuer, question_.rules);
      std::ranges::move(fetched, std::back_inserter(evidence));
    }
    question_.evidence.push_back(std::move(evidence));
  }
}

// What was given and is about nobody in the chain is said, lest it be thought to have counted.
void ChainCheck::remark_unused(Diagnosis& diagnosis) const {
  for (const auto& given : input_.evidence) {
    const bool used = std::ranges::any_of(diagnosis.chain, [&](const auto& one) {
      return std::ranges::any_of(one.evidence, [&](const auto& judged) {
        return !judged.evidence.fetched && judged.evidence.source == given.source;
      });
    });
    if (used) continue;
    diagnosis.chain.front().findings.push_back({"evidence-not-used", Severity::info,
                                                "RFC 5280 6.3.3",
                                                given.source + " is about no certificate of this "
                                                               "chain.",
                                                ""});
  }
}

}  // namespace revcache::pki
