// When requests are due: the schedule of an open loop, made from a seed before and apart from what
// the server does. One owner, one thread; holds no more than the profile.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bench/generator/random.h"

namespace revcache::bench {

using std::chrono::nanoseconds;

enum class ArrivalKind : std::uint8_t {
  poisson,  // independent clients: exponential gaps
  even,     // equal gaps
  burst,    // `burst` requests at once, every `every`
};

// A rate at a time; between two points it changes linearly, before the first and after the last it
// stays.
struct RatePoint {
  nanoseconds at{0};
  double per_second = 0;
};

struct ArrivalPlan {
  ArrivalKind kind = ArrivalKind::poisson;
  std::vector<RatePoint> profile{};  // sorted by time; not for bursts
  std::uint64_t burst = 0;
  nanoseconds every{0};
  nanoseconds start{0};
  nanoseconds end{0};  // nothing is due from here on
};

class Arrivals {
 public:
  Arrivals(ArrivalPlan plan, std::uint64_t seed);

  // The next due time, never before the one before; nullopt when there are no more.
  std::optional<nanoseconds> next();

 private:
  std::optional<nanoseconds> next_of_burst();
  bool advance(double expected);

  ArrivalPlan plan_;
  Random random_;
  double now_seconds_;
  std::size_t segment_ = 0;
  std::uint64_t in_burst_ = 0;
  nanoseconds burst_at_;
};

// How many requests the plan is expected to have.
double expected_count(const ArrivalPlan& plan);

}  // namespace revcache::bench
