// Virtual time and the ordered event queue that everything simulated runs on. One thread; the same
// seed gives the same trace.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <utility>

#include "base/callback.h"
#include "base/clock.h"

namespace revcache::sim {

// Where an event waits: events run by time, those of one moment in the order they were added.
using EventId = std::pair<MonotonicTime, std::uint64_t>;

// Outlives everything that schedules on it. Pending events are destroyed unrun with it. When the
// running test has failed, the destructor prints the seed.
class SimScheduler final : public Clock {
 public:
  explicit SimScheduler(std::uint64_t seed = 1);
  SimScheduler(const SimScheduler&) = delete;
  SimScheduler& operator=(const SimScheduler&) = delete;
  ~SimScheduler() override;

  EventId after(std::chrono::nanoseconds delay, Callback<> run);  // a negative delay counts as 0
  EventId at(MonotonicTime when, Callback<> run);                 // not before now
  void cancel(const EventId& event);  // destroys it unrun; no effect when it has run

  // Runs the next event, moving time to it; false when none is left.
  bool step();
  // Runs all events up to and including `when`, then time stands at `when`.
  void run_until(MonotonicTime when);
  void run_for(std::chrono::nanoseconds duration) { run_until(now_ + duration); }
  // Runs until nothing is left to run. At most `events_max`, so that an endless loop is a failed
  // CHECK and no hanging test.
  void run_until_idle(std::uint64_t events_max = 10'000'000);

  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] MonotonicTime monotonic() const override { return now_; }
  // Since the simulation began.
  [[nodiscard]] std::chrono::nanoseconds elapsed() const;
  // The wall clock jumps, forward or back; monotonic time and pending events do not notice.
  void step_wall(std::chrono::milliseconds by) { wall_offset_ += by; }
  void set_wall(WallTime wall);

  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  // Uniform, both ends included; `low` when the range is empty.
  std::uint64_t uniform(std::uint64_t low, std::uint64_t high);
  std::chrono::nanoseconds uniform(std::chrono::nanoseconds low, std::chrono::nanoseconds high);
  bool chance(double probability);

  [[nodiscard]] std::uint64_t events_run() const noexcept { return events_run_; }
  [[nodiscard]] std::size_t events_pending() const noexcept { return events_.size(); }
  // A digest of when each event ran: equal seeds must give equal traces.
  [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }

 private:
  std::uint64_t seed_;
  std::mt19937_64 random_;
  MonotonicTime now_;
  std::chrono::milliseconds wall_offset_;
  std::map<EventId, Callback<>> events_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t events_run_ = 0;
  std::uint64_t trace_ = 14695981039346656037ULL;
};

}  // namespace revcache::sim
