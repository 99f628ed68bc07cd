// What the process knows about revocation, put together: state, clock guard, evidence, publisher.
// Made by main before the workers, destroyed after them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "cache/disk_tier.h"
#include "config/config.h"
#include "metrics/log.h"
#include "proxy/refresh_figures.h"
#include "proxy/settings.h"
#include "revocation/clock_guard.h"
#include "revocation/evidence.h"
#include "revocation/evidence_counters.h"
#include "revocation/publisher.h"
#include "revocation/state_store.h"

namespace revcache::proxy {

// Thread-safe but for what says start-up. Calls that block say so.
class RevocationParts {
 public:
  // Start-up; blocks. A state database that cannot be read is no error here, but logged, and
  // not_ready() names it. `clock` and `log` outlive it.
  RevocationParts(const config::Config& config, std::uint64_t hash_seed, const Clock& clock,
                  metrics::Log& log);
  RevocationParts(const RevocationParts&) = delete;
  RevocationParts& operator=(const RevocationParts&) = delete;

  // The authorities of these settings, at start and at a reload. Blocks.
  Result<void> apply(const Settings& settings);

  // Start-up; blocks. Evidence that an earlier life left in the cache on disk counts again, once it
  // has been verified anew. `disk` may be null.
  void restore(const Settings& settings, cache::DiskStore* disk);

  // The clock's lower bound follows the clock. About once a minute; blocks.
  void sample_clock();

  // Who is told of URLs that gave verified evidence, on the judging thread.
  void on_learned(
      std::function<void(const std::string&, const revocation::EvidenceDates&)> learned);
  // Neither publishes nor tells any more: what is told is about to end.
  void detach();

  // Required authorities without a usable CRL, and a state that cannot be read: in words.
  [[nodiscard]] std::vector<std::string> not_ready(const config::Config& config) const;
  // How many loops may not have taken yet what is known now, after at most `wait_max`. Blocks: not
  // on a worker's loop.
  [[nodiscard]] std::size_t loops_behind(std::chrono::milliseconds wait_max);

  [[nodiscard]] revocation::Evidence& evidence() noexcept { return evidence_; }
  [[nodiscard]] revocation::StateStore& state() noexcept { return *state_; }
  [[nodiscard]] const revocation::ClockGuard& clock_guard() const noexcept { return clock_guard_; }
  [[nodiscard]] bool state_unreadable() const noexcept { return !state_error_.empty(); }
  [[nodiscard]] const std::string& state_problem() const noexcept { return state_error_; }
  [[nodiscard]] revocation::Publisher& publisher() noexcept { return publisher_; }
  [[nodiscard]] const revocation::EvidenceCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] RefreshFigures& refresh_figures() noexcept { return refresh_figures_; }
  [[nodiscard]] const RefreshFigures& refresh_figures() const noexcept { return refresh_figures_; }
  [[nodiscard]] revocation::SnapshotPtr snapshot() const { return evidence_.snapshot(); }
  // What the refresher kept, (url, record); read by restore().
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& refresh_records()
      const noexcept {
    return refresh_records_;
  }

 private:
  [[nodiscard]] std::unique_ptr<revocation::StateStore> open_state(const std::string& directory);
  void restore_url(const std::string& url, cache::DiskStore& disk);

  const Clock& clock_;
  metrics::Log& log_;
  std::string state_error_;  // empty: it can be read
  std::unique_ptr<revocation::StateStore> state_;
  revocation::ClockGuard clock_guard_;
  revocation::EvidenceCounters counters_;
  RefreshFigures refresh_figures_;
  revocation::Publisher publisher_;
  Guarded<std::function<void(const std::string&, const revocation::EvidenceDates&)>> learned_;
  revocation::Evidence evidence_;
  std::vector<std::pair<std::string, std::string>> refresh_records_;
};

// Significant octets of a serial as config::parse_serial gives it: lower-case hex.
std::string serial_octets(std::string_view hex);

// The [[authority]] entries as evidence needs them.
std::vector<revocation::TrustedAuthority> trusted_authorities(const Settings& settings);

}  // namespace revcache::proxy
