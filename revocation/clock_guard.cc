#include "revocation/clock_guard.h"

#include <algorithm>

namespace revcache::revocation {

std::string_view to_string(ClockStanding standing) noexcept {
  return standing == ClockStanding::behind ? "behind" : "plausible";
}

ClockStanding judge_clock(std::optional<WallSeconds> floor, WallTime now) noexcept {
  const bool behind = floor && now < *floor - kClockBehindMax;
  return behind ? ClockStanding::behind : ClockStanding::plausible;
}

std::optional<WallSeconds> CleanTime::sample(WallTime wall, MonotonicTime monotonic,
                                             std::optional<WallSeconds> newest_this_update) {
  if (leapt_to_) {
    const bool confirmed = newest_this_update && *newest_this_update >= *leapt_to_;
    if (confirmed) last_.reset();
  }
  if (last_) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(monotonic - last_->monotonic);
    if (wall > last_->wall + passed + kClockBehindMax) {
      // At its lowest, if the clock is set several times.
      leapt_to_ = leapt_to_ ? std::min(*leapt_to_, wall) : wall;
      return std::nullopt;
    }
  }
  leapt_to_.reset();
  last_ = Sample{.wall = wall, .monotonic = monotonic};
  if (given_at_ && monotonic < *given_at_ + kCleanTimeInterval) return std::nullopt;
  given_at_ = monotonic;
  return std::chrono::floor<std::chrono::seconds>(wall);
}

std::optional<WallSeconds> ClockGuard::time_in(const std::atomic<std::int64_t>& bound) noexcept {
  const std::int64_t seconds = bound.load(std::memory_order_relaxed);
  if (seconds == kNoFloor) return std::nullopt;
  return WallSeconds(std::chrono::seconds(seconds));
}

Result<void> ClockGuard::load() {
  const std::lock_guard lock(persist_mutex_);
  const Result<std::optional<WallSeconds>> stored = store_.clock_floor();
  if (!stored) return fail(stored.error().code, Blame::local, stored.error().detail);
  if (!*stored) return {};
  raise(floor_, **stored);
  raise(persisted_, **stored);
  return {};
}

ClockStanding ClockGuard::standing(WallTime now) const noexcept {
  return judge_clock(floor(), now);
}

std::optional<WallSeconds> ClockGuard::floor() const noexcept { return time_in(floor_); }

WallTime ClockGuard::wall() const noexcept {
  const WallTime wall = clock_.wall();
  const std::optional<WallSeconds> lowest = floor();
  return lowest ? std::max(wall, WallTime(*lowest)) : wall;
}

Result<void> ClockGuard::saw(WallTime this_update) {
  const WallSeconds seen = std::chrono::floor<std::chrono::seconds>(this_update);
  raise(newest_this_update_, seen);
  raise(floor_, seen);
  if (seen.time_since_epoch().count() <= persisted_.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock(persist_mutex_);
  return persist();
}

Result<void> ClockGuard::sample() {
  const WallTime wall = clock_.wall();
  const MonotonicTime monotonic = clock_.monotonic();
  const std::lock_guard lock(persist_mutex_);
  if (is_behind(wall)) return persist();
  if (const auto clean = clean_time_.sample(wall, monotonic, time_in(newest_this_update_))) {
    raise(floor_, *clean);
  }
  return persist();
}

Result<void> ClockGuard::reset(WallSeconds to) {
  const std::lock_guard lock(persist_mutex_);
  if (auto stored = store_.reset_clock_floor(to); !stored) return stored;
  const std::int64_t seconds = to.time_since_epoch().count();
  persisted_.store(seconds, std::memory_order_relaxed);
  newest_this_update_.store(kNoFloor, std::memory_order_relaxed);
  floor_.store(seconds, std::memory_order_relaxed);
  clean_time_ = CleanTime();
  return {};
}

void ClockGuard::raise(std::atomic<std::int64_t>& bound, WallSeconds to) noexcept {
  const std::int64_t seconds = to.time_since_epoch().count();
  std::int64_t current = bound.load(std::memory_order_relaxed);
  while (current < seconds &&
         !bound.compare_exchange_weak(current, seconds, std::memory_order_relaxed)) {
  }
}

Result<void> ClockGuard::persist() {
  const std::optional<WallSeconds> wanted = floor();
  if (!wanted || wanted == time_in(persisted_)) return {};
  if (auto stored = store_.raise_clock_floor(*wanted); !stored) return stored;
  persisted_.store(wanted->time_since_epoch().count(), std::memory_order_relaxed);
  return {};
}

}  // namespace revcache::revocation
