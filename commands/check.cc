#include "commands/check.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "commands/check_report_json.h"
#include "commands/check_report_text.h"
#include "commands/evidence_fetch.h"
#include "commands/evidence_file.h"
#include "commands/terminal_text.h"
#include "config/command_line.h"
#include "pki/chain.h"
#include "pki/diagnosis.h"

namespace revcache::commands {
namespace {

// All that was given, read.
struct CheckInput {
  std::vector<pki::CertificatePtr> chain;
  std::vector<pki::CertificatePtr> anchors;
  std::vector<pki::CertificatePtr> extra;
  std::vector<pki::Evidence> evidence;
};

Result<CheckInput> read_all(const config::EvidenceArguments& arguments, std::uint64_t hash_seed) {
  CheckInput input;
  auto chain = load_certificates(arguments.input);
  if (!chain) return fail(std::move(chain));
  auto anchors = load_certificates(arguments.trust);
  if (!anchors) return fail(std::move(anchors));
  auto extra = load_certificates(arguments.extra);
  if (!extra) return fail(std::move(extra));
  for (const std::string& path : arguments.crls) {
    auto crl = load_crl(path, hash_seed);
    if (!crl) return fail(std::move(crl));
    input.evidence.push_back(std::move(*crl));
  }
  for (const std::string& path : arguments.ocsp) {
    auto response = load_ocsp(path);
    if (!response) return fail(std::move(response));
    input.evidence.push_back(std::move(*response));
  }
  input.chain = std::move(*chain);
  input.anchors = std::move(*anchors);
  input.extra = std::move(*extra);
  return input;
}

class Check {
 public:
  Check(const config::EvidenceArguments& arguments, CheckInput input,
        const Surroundings& surroundings)
      : input_(std::move(input)) {
    if (surroundings.http != nullptr && !arguments.offline) {
      fetch_.emplace(*surroundings.http, surroundings.hash_seed);
    }
    auto& rules = question_.rules;
    rules.at =
        arguments.at ? WallTime(std::chrono::seconds(*arguments.at)) : surroundings.clock.wall();
    rules.policy.allow_sha1 = arguments.allow_sha1;
    if (arguments.age_max_s) rules.age_max = std::chrono::seconds(*arguments.age_max_s);
    for (const auto& anchor : input_.anchors) {
      // RFC 6960 2.2: a trusted responder, if the user trusts it and it says what it is for.
      const bool by_name = anchor->extended_key_usage.has_value();
      if (by_name && anchor->has_extended_key_usage(pki::kOcspSigningOid)) {
        rules.trusted_responders.push_back(anchor);
      }
    }
    question_.profile =
        arguments.profile == config::CheckProfile::nps ? pki::Profile::nps : pki::Profile::pkix;
    question_.offline = !fetch_.has_value();
  }

  pki::Diagnosis run() {
    build();
    if (question_.chain.is_valid()) gather();
    auto diagnosis = pki::diagnose(question_);
    if (question_.chain.is_valid()) remark_unused(diagnosis);
    return diagnosis;
  }

 private:
  // Fetches issuers as long as that makes the chain longer.
  void build() {
    std::vector<pki::CertificatePtr> candidates = input_.chain;
    add_untrusted(input_.extra, candidates);
    for (std::size_t round = 0; round <= pki::kChainLengthMax; ++round) {
      question_.chain = pki::build_chain({.leaf = input_.chain.front(),
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

  // Neither --extra nor the network trusts anybody: without --trust a root must be in the chain.
  void add_untrusted(const std::vector<pki::CertificatePtr>& more,
                     std::vector<pki::CertificatePtr>& candidates) const {
    std::ranges::copy_if(more, std::back_inserter(candidates), [&](const auto& certificate) {
      return !input_.anchors.empty() || !certificate->is_self_issued();
    });
  }

  [[nodiscard]] bool lacks_issuer() const {
    return std::ranges::any_of(
        question_.chain.links.back().faults,
        [](const pki::LinkFault& fault) { return fault.fault == pki::ChainFault::issuer_missing; });
  }

  void gather() {
    const auto& links = question_.chain.links;
    for (std::size_t at = 0; at + 1 < links.size(); ++at) {
      auto evidence = input_.evidence;
      if (fetch_) {
        auto fetched =
            fetch_->about(*links[at].certificate, links[at + 1].certificate, question_.rules);
        std::ranges::move(fetched, std::back_inserter(evidence));
      }
      question_.evidence.push_back(std::move(evidence));
    }
  }

  // What was given and is about nobody in the chain is said, lest it be thought to have counted.
  void remark_unused(pki::Diagnosis& diagnosis) const {
    for (const auto& given : input_.evidence) {
      const bool used = std::ranges::any_of(diagnosis.chain, [&](const auto& one) {
        return std::ranges::any_of(one.evidence, [&](const auto& judged) {
          return !judged.evidence.fetched && judged.evidence.source == given.source;
        });
      });
      if (used) continue;
      diagnosis.chain.front().findings.push_back(
          {"evidence-not-used", pki::Severity::info, "RFC 5280 6.3.3",
           given.source + " is about no certificate of this chain.", ""});
    }
  }

  CheckInput input_;
  std::optional<EvidenceFetch> fetch_;
  pki::DiagnosisQuestion question_;
};

int exit_code(pki::Outcome outcome) {
  switch (outcome) {
    case pki::Outcome::good:
      return config::kExitOk;
    case pki::Outcome::revoked:
      return config::kExitRefused;
    case pki::Outcome::unknown:
      return config::kExitUnreachable;
    case pki::Outcome::invalid:
      break;
  }
  return config::kExitInvalidChain;
}

}  // namespace

int run_check(const config::EvidenceArguments& arguments, const Surroundings& surroundings) {
  auto input = read_all(arguments, surroundings.hash_seed);
  if (!input) {
    surroundings.err << "revcache: " << printable(input.error().detail) << '\n';
    return config::kExitUsage;
  }
  const auto diagnosis = Check(arguments, std::move(*input), surroundings).run();
  surroundings.out << (arguments.json ? check_json(diagnosis)
                                      : check_text(diagnosis, surroundings.colour));
  return exit_code(diagnosis.result);
}

}  // namespace revcache::commands
