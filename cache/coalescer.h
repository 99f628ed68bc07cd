// One fetch per key, however many ask, on whatever loop. The first to join leads and fetches; the
// others wait. A leader that cannot go on hands over to a waiter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/callback.h"
#include "base/error.h"
#include "base/guarded.h"
#include "cache/cache_key.h"
#include "cache/stored_response.h"
#include "net/executor.h"

namespace revcache::cache {

// What a waiter is told, exactly once.
struct FlightOutcome {
  enum class Kind : std::uint8_t {
    answered,  // `response` is what the leader got; it may be used if it matches the request
    lead,      // the leader gave up: the waiter is the leader now and must finish or hand over
    go_alone,  // the leader's answer cannot be shared: fetch without coalescing
    failed,    // `error`
  };
  Kind kind = Kind::failed;
  StoredResponsePtr response{};
  Error error{ErrorCode::unreachable, Blame::upstream, {}};
};

// Thread-safe. Locks are held for a hash probe and the move of a pointer.
class Coalescer {
 public:
  enum class Role : std::uint8_t { leader, waiter, overloaded };

  Coalescer(std::uint32_t waiters_per_key_max, std::uint64_t hash_seed);

  // Leader: the caller must call finish() or hand_over() once, later. Waiter: `done` will run on
  // `executor`, which must outlive the flight. Overloaded: too many wait already; `done` is
  // destroyed unrun.
  Role join(const std::string& key, net::Executor& executor, Callback<FlightOutcome> done);

  // Ends the flight: every waiter gets a copy of `outcome` (answered, go_alone or failed).
  void finish(const std::string& key, const FlightOutcome& outcome);

  // Makes the longest waiter the leader; ends the flight when nobody waits.
  void hand_over(const std::string& key);

  // True if hand_over() has happened in this flight: a failure is then shared, not tried again.
  [[nodiscard]] bool was_handed_over(const std::string& key) const;

  [[nodiscard]] std::size_t flights() const;  // keys under way; for tests and metrics

 private:
  struct Waiter {
    net::Executor* executor;
    Callback<FlightOutcome> done;
  };
  struct Flight {
    std::vector<Waiter> waiters;  // in order of arrival
    bool handed_over = false;
  };
  using Shard = Guarded<std::unordered_map<std::string, Flight>>;
  static constexpr std::size_t kShards = 64;

  Shard& shard(std::string_view key) noexcept { return shards_[hasher_(key) % kShards]; }
  [[nodiscard]] const Shard& shard(std::string_view key) const noexcept {
    return shards_[hasher_(key) % kShards];
  }
  static void tell(Waiter waiter, FlightOutcome outcome);

  std::uint32_t waiters_per_key_max_;
  KeyHasher hasher_;
  std::array<Shard, kShards> shards_;
};

}  // namespace revcache::cache
