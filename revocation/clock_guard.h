// The clock's durable lower bound: a clock more than five minutes behind what was once true can
// judge nothing (tryLater, and an alarm), for expired evidence would look valid again.
//
// Thread-safe. Reading the standing is one atomic load, fit for a loop; what raises or resets the
// bound may block on the disk: pool threads and start-up only.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

inline constexpr std::chrono::minutes kClockBehindMax{5};
inline constexpr std::chrono::minutes kCleanTimeInterval{10};

enum class ClockStanding : std::uint8_t { plausible, behind };
std::string_view to_string(ClockStanding standing) noexcept;

// Pure. Without a floor every clock is plausible.
ClockStanding judge_clock(std::optional<WallSeconds> floor, WallTime now) noexcept;

// When the wall clock's own time may raise the floor: "the last clean time". Pure; one thread at a
// time. A wall clock that leapt ahead of the monotonic one is not clean until it has come back or
// verified evidence as new as the leap confirms it: else a clock that was a year ahead for an hour
// would, once it is right again, be behind for a year.
class CleanTime {
 public:
  // The time to persist, at most once in kCleanTimeInterval; nullopt: nothing.
  std::optional<WallSeconds> sample(WallTime wall, MonotonicTime monotonic,
                                    std::optional<WallSeconds> newest_this_update);
  [[nodiscard]] bool is_clean() const noexcept { return !leapt_to_; }

 private:
  struct Sample {
    WallTime wall;
    MonotonicTime monotonic;
  };
  std::optional<Sample> last_;        // the last clean one
  std::optional<WallTime> leapt_to_;  // since when the clock is not clean
  std::optional<MonotonicTime> given_at_;
};

class ClockGuard {
 public:
  // Both outlive the guard.
  ClockGuard(StateStore& store, const Clock& clock) : store_(store), clock_(clock) {}
  ClockGuard(const ClockGuard&) = delete;
  ClockGuard& operator=(const ClockGuard&) = delete;

  // Takes over what was persisted. Start-up; blocks.
  Result<void> load();

  // Any thread, loops too: one atomic load (and a look at the clock).
  [[nodiscard]] ClockStanding standing(WallTime now) const noexcept;
  [[nodiscard]] bool is_behind(WallTime now) const noexcept {
    return standing(now) == ClockStanding::behind;
  }
  [[nodiscard]] bool is_behind() const noexcept { return is_behind(clock_.wall()); }
  [[nodiscard]] std::optional<WallSeconds> floor() const noexcept;
  // The wall clock's time, but never before the floor.
  [[nodiscard]] WallTime wall() const noexcept;
  // Never steps: for durations. Any thread.
  [[nodiscard]] MonotonicTime monotonic() const { return clock_.monotonic(); }

  // The thisUpdate of verified evidence, which is no more than the allowed skew ahead. Counts from
  // now on, and durably when this returns; at once when it is no news. Blocks. After a failure it
  // counts in memory, and the next call tries again to make it durable.
  Result<void> saw(WallTime this_update);
  // From time to time, about once a minute. Blocks when something is due.
  Result<void> sample();
  // The way out after the clock was ahead: durable. Blocks.
  Result<void> reset(WallSeconds to);

 private:
  static constexpr std::int64_t kNoFloor = INT64_MIN;

  static std::optional<WallSeconds> time_in(const std::atomic<std::int64_t>& bound) noexcept;
  static void raise(std::atomic<std::int64_t>& bound, WallSeconds to) noexcept;
  Result<void> persist();

  StateStore& store_;
  const Clock& clock_;
  // Seconds since 1970. Only reset() lowers them.
  std::atomic<std::int64_t> floor_{kNoFloor};
  std::atomic<std::int64_t> persisted_{kNoFloor};
  std::atomic<std::int64_t> newest_this_update_{kNoFloor};
  std::mutex persist_mutex_;  // one at a time; guards clean_time_
  CleanTime clean_time_;
};

}  // namespace revcache::revocation
