// What the process needs to answer OCSP questions itself, put together: signers, budget, journal,
// signatures under way. Made by main after RevocationParts and before the workers, destroyed after
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "cache/coalescer.h"
#include "cache/memory_tier.h"
#include "metrics/log.h"
#include "proxy/revocation_parts.h"
#include "proxy/settings.h"
#include "revocation/decision_journal.h"
#include "revocation/nonce_budget.h"
#include "revocation/ocsp_service.h"
#include "revocation/responder_table.h"

namespace revcache::proxy {

// Thread-safe but for what says start-up. Calls that block say so.
class ResponderParts {
 public:
  // All outlive it.
  ResponderParts(RevocationParts& revocation, cache::MemoryTier& memory,
                 const config::Config& config, std::uint64_t hash_seed, const Clock& clock,
                 metrics::Log& log);
  ResponderParts(const ResponderParts&) = delete;
  ResponderParts& operator=(const ResponderParts&) = delete;

  // Signers, policies and attestations of these settings, at start and at a reload. Blocks. Fails,
  // and all stays as it was, when a file of theirs cannot be read or must not be used.
  Result<void> apply(const Settings& settings);
  // About each ten seconds. Blocks.
  void look_again() { signers_.look_again(clock_.wall()); }

  // Start-up: each table from now on goes to `send` too, on the thread that made it.
  void subscribe(std::function<void(const revocation::ResponderTablePtr&)> send);
  // Tells nobody any more: what is told is about to end.
  void detach();

  [[nodiscard]] revocation::ResponderTablePtr table() const { return signers_.table(); }
  [[nodiscard]] const revocation::SignerWatch& signers() const noexcept { return signers_; }
  [[nodiscard]] revocation::OcspShared& shared() noexcept { return shared_; }

 private:
  const Clock& clock_;
  revocation::SignerWatch signers_;
  revocation::NonceBudget nonce_budget_;
  revocation::DecisionJournal journal_;
  cache::Coalescer signatures_;
  revocation::OcspShared shared_;
  Guarded<std::vector<std::function<void(const revocation::ResponderTablePtr&)>>> subscribers_;
};

}  // namespace revcache::proxy
