#include "tests/sim/sim_scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "base/check.h"

namespace revcache::sim {

namespace {

constexpr MonotonicTime kBegin{std::chrono::hours(1)};
constexpr WallTime kWallBegin{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} +
                              std::chrono::hours(9)};

}  // namespace

SimScheduler::SimScheduler(std::uint64_t seed) : seed_(seed), random_(seed), now_(kBegin) {
  set_wall(kWallBegin);
}

SimScheduler::~SimScheduler() {
  if (testing::Test::HasFailure()) std::cerr << "simulation seed: " << seed_ << '\n';
  // Destroying an event may cancel others or add new ones (a closed stream tells its peer).
  while (!events_.empty()) {
    auto doomed = std::exchange(events_, {});
    doomed.clear();
  }
}

EventId SimScheduler::after(std::chrono::nanoseconds delay, Callback<> run) {
  return at(now_ + std::max(delay, std::chrono::nanoseconds(0)), std::move(run));
}

EventId SimScheduler::at(MonotonicTime when, Callback<> run) {
  const EventId id{std::max(when, now_), next_sequence_++};
  events_.emplace(id, std::move(run));
  return id;
}

void SimScheduler::cancel(const EventId& event) {
  // Extracted first: destroying the callback may come back here.
  auto doomed = events_.extract(event);
}

bool SimScheduler::step() {
  if (events_.empty()) return false;
  auto event = events_.extract(events_.begin());
  now_ = event.key().first;
  ++events_run_;
  trace_ =
      (trace_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count())) * 1099511628211ULL;
  event.mapped()();
  return true;
}

void SimScheduler::run_until(MonotonicTime when) {
  while (!events_.empty() && events_.begin()->first.first <= when) step();
  now_ = std::max(now_, when);
}

void SimScheduler::run_until_idle(std::uint64_t events_max) {
  for (std::uint64_t events = 0; step(); ++events) CHECK(events < events_max);
}

WallTime SimScheduler::wall() const {
  return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()) +
                  wall_offset_);
}

std::chrono::nanoseconds SimScheduler::elapsed() const { return now_ - kBegin; }

void SimScheduler::set_wall(WallTime wall) {
  wall_offset_ = wall.time_since_epoch() -
                 std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
}

std::uint64_t SimScheduler::uniform(std::uint64_t low, std::uint64_t high) {
  if (high <= low) return low;
  return std::uniform_int_distribution<std::uint64_t>(low, high)(random_);
}

std::chrono::nanoseconds SimScheduler::uniform(std::chrono::nanoseconds low,
                                               std::chrono::nanoseconds high) {
  if (high <= low) return low;
  return std::chrono::nanoseconds(
      std::uniform_int_distribution<std::int64_t>(low.count(), high.count())(random_));
}

bool SimScheduler::chance(double probability) {
  return probability > 0 && std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

}  // namespace revcache::sim
