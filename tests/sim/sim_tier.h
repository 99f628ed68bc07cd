// A storage tier in memory with a disk's manners: it takes its time, fails and loses entries.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "cache/tier.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {

struct TierProfile {
  std::chrono::nanoseconds delay_min{std::chrono::microseconds(50)};
  std::chrono::nanoseconds delay_max{std::chrono::microseconds(500)};
  double slow_probability = 0;  // an operation takes `slow_delay` instead
  std::chrono::nanoseconds slow_delay{std::chrono::seconds(2)};
  double error_probability = 0;          // an operation fails with overloaded, and has no effect
  double corrupt_probability = 0;        // find() loses the entry; read_piece() fails with corrupt
  double knows_absence_probability = 0;  // certainly_absent() tells that an entry is absent
  std::size_t whole_body_bytes_max = 64ULL << 20U;  // larger bodies are read in pieces
};

// Must outlive its operations under way. An operation takes effect when its callback is due, in
// the order drawn: a later find may overtake an earlier put, as with a pool of threads.
class SimTier final : public cache::Tier {
 public:
  explicit SimTier(SimScheduler& scheduler) : scheduler_(scheduler) {}

  void find(const std::string& key, Callback<Result<cache::StoredResponsePtr>> done) override;
  bool certainly_absent(const std::string& key) override;
  void read_piece(const cache::StoredResponsePtr& entry, std::uint64_t index,
                  Callback<Result<SharedBytes>> done) override;
  void put(cache::StoredResponsePtr entry, Callback<Result<void>> done) override;
  void erase(const std::string& key, Callback<Result<void>> done) override;

  [[nodiscard]] TierProfile& profile() noexcept { return profile_; }
  [[nodiscard]] bool contains(const std::string& key) const { return entries_.contains(key); }
  // What is stored, with its whole body; nullptr when absent.
  [[nodiscard]] cache::StoredResponsePtr stored(const std::string& key) const;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  void clear() { entries_.clear(); }

  [[nodiscard]] std::uint64_t finds() const noexcept { return finds_; }
  [[nodiscard]] std::uint64_t puts() const noexcept { return puts_; }
  [[nodiscard]] std::uint64_t erases() const noexcept { return erases_; }
  [[nodiscard]] std::uint64_t piece_reads() const noexcept { return piece_reads_; }

 private:
  struct Entry {
    cache::StoredResponsePtr whole;
    std::uint64_t generation = 0;
  };

  // Runs `act(failed)` when the operation is due.
  void schedule(Callback<bool> act);
  void change_ended(const std::string& key);
  Result<cache::StoredResponsePtr> take(const std::string& key);
  Result<SharedBytes> piece(const cache::StoredResponse& entry, std::uint64_t index);

  SimScheduler& scheduler_;
  TierProfile profile_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, int> under_way_;  // puts and erasures, by key
  std::uint64_t next_generation_ = 1;
  std::uint64_t finds_ = 0;
  std::uint64_t puts_ = 0;
  std::uint64_t erases_ = 0;
  std::uint64_t piece_reads_ = 0;
};

}  // namespace revcache::sim
