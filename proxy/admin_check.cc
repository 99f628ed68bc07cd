#include "proxy/admin_check.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "pki/chain_check.h"
#include "pki/diagnosis_json.h"

namespace revcache::proxy {
namespace {

using admin::Done;
using admin::Problem;
using admin::ProblemKind;

std::vector<pki::Evidence> held_of(const revocation::Snapshot& known,
                                   const pki::Certificate& issuer) {
  std::vector<pki::Evidence> all;
  const auto* const found = known.find(pki::key_hash(issuer));
  if (found == nullptr) return all;
  const auto add = [&](const revocation::HeldCrl& held, const pki::VerifiedCrlPtr& crl) {
    if (crl == nullptr) return;
    pki::Evidence evidence;
    evidence.kind = pki::EvidenceKind::crl;
    evidence.source = held.url;
    evidence.cache_status = "revcache; hit; detail=held";
    evidence.crl = crl->parsed();
    all.push_back(std::move(evidence));
  };
  for (const auto& held : found->crls) {
    add(held, held.complete);
    add(held, held.delta);
    add(held, held.waiting_delta);
  }
  return all;
}

// The authorities are trusted. A chain with a root of its own that is none of them is looked at as
// `revcache check` without --trust does: the finding says that nobody vouched for it.
pki::CheckInput input_of(const admin::CheckQuestion& question, revocation::SnapshotPtr known,
                         const pki::EvidenceRules& rules) {
  pki::CheckInput input;
  input.chain = question.chain;
  for (const auto& issuer : known->issuers()) {
    (issuer.is_authority ? input.anchors : input.extra).push_back(issuer.certificate);
  }
  std::vector<pki::CertificatePtr> candidates = input.chain;
  candidates.insert(candidates.end(), input.extra.begin(), input.extra.end());
  const auto trusted = pki::build_chain({.leaf = input.chain.front(),
                                         .candidates = candidates,
                                         .anchors = input.anchors,
                                         .at = rules.at,
                                         .policy = rules.policy});
  const bool has_root = std::ranges::any_of(
      input.chain, [](const auto& certificate) { return certificate->is_self_issued(); });
  if (!trusted.reaches_anchor && has_root) input.anchors.clear();
  input.known = [known = std::move(known)](const pki::Certificate& issuer) {
    return held_of(*known, issuer);
  };
  return input;
}

}  // namespace

// Asks the worker's loop, and waits.
class AdminCheck::Source final : public pki::HttpSource {
 public:
  Source(WorkerThread& worker, const Clock& clock, std::shared_ptr<Ending> ending)
      : worker_(worker),
        clock_(clock),
        ending_(std::move(ending)),
        deadline_(clock.monotonic() + kCheckFetchingMax) {}

  Result<pki::HttpAnswer> ask(const pki::HttpQuestion& question) override {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock_.monotonic());
    if (left.count() <= 0) return took_too_long();
    auto limited = question;
    limited.timeout = std::min(question.timeout, left);
    auto outcome = std::make_shared<std::optional<Result<pki::HttpAnswer>>>();
    std::unique_lock lock(ending_->mutex);
    if (ending_->stopping) return ends();
    worker_.fetch(limited, [outcome, ending = ending_](Result<pki::HttpAnswer> got) {
      const std::lock_guard told(ending->mutex);
      outcome->emplace(std::move(got));
      ending->told.notify_all();
    });
    // The loop's own timeout ends the fetch; this one, a loop that does not answer.
    ending_->told.wait_for(lock, left + std::chrono::seconds(1),
                           [&] { return outcome->has_value() || ending_->stopping; });
    if (ending_->stopping) return ends();
    return outcome->has_value() ? std::move(**outcome) : took_too_long();
  }

 private:
  static std::unexpected<Error> ends() {
    return fail(ErrorCode::disconnected, Blame::local, "the server ends");
  }
  static Result<pki::HttpAnswer> took_too_long() {
    return fail(ErrorCode::timed_out, Blame::upstream, "fetching took too long in all");
  }

  WorkerThread& worker_;
  const Clock& clock_;
  std::shared_ptr<Ending> ending_;
  MonotonicTime deadline_;
};

void AdminCheck::start(admin::CheckQuestion question, std::uint32_t checks_max,
                       Callback<Done<std::string>> done) {
  forget_finished();
  if (running_.size() >= checks_max) {
    parts_.worker.count_limit(metrics::Limit::checks);
    return parts_.loop.post([done = std::move(done)]() mutable {
      done(std::unexpected(
          Problem{ProblemKind::unavailable, "limits.checks are under way: try again"}));
    });
  }
  Running& running = running_.emplace_back();
  running.thread = std::thread([this, question = std::move(question), done = std::move(done),
                                over = running.over, ending = ending_]() mutable {
    auto json = run(question);
    over->store(true);
    const std::lock_guard lock(ending->mutex);
    // Nobody waits at the end, and the loop may not run any more.
    if (ending->stopping) return;
    parts_.loop.post(
        [done = std::move(done), json = std::move(json)]() mutable { done(std::move(json)); });
  });
}

std::string AdminCheck::run(const admin::CheckQuestion& question) {
  pki::EvidenceRules rules;
  rules.at = parts_.clock.wall();
  auto input = input_of(question, parts_.revocation.evidence().snapshot(), rules);
  pki::ChainCheck check(std::move(input), std::move(rules), question.profile);
  Source source(parts_.worker, parts_.clock, ending_);
  check.fetch_from(source, parts_.hash_seed);
  return pki::diagnosis_json(check.run());
}

void AdminCheck::forget_finished() {
  for (auto at = running_.begin(); at != running_.end();) {
    if (!at->over->load()) {
      ++at;
      continue;
    }
    at->thread.join();
    at = running_.erase(at);
  }
}

void AdminCheck::stop() {
  {
    const std::lock_guard lock(ending_->mutex);
    ending_->stopping = true;
    ending_->told.notify_all();
  }
  for (Running& running : running_) running.thread.join();
  running_.clear();
}

}  // namespace revcache::proxy
