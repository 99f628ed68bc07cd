#include "bench/generator/arrivals.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace revcache::bench {
namespace {

double seconds_of(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// A piece of the profile with its rate at both ends.
struct Segment {
  double begin;
  double end;
  double rate;
  double slope;  // change of the rate per second

  [[nodiscard]] double rate_at(double time) const { return rate + slope * (time - begin); }
  [[nodiscard]] double expected(double from, double until) const {
    return (rate_at(from) + rate_at(until)) / 2 * (until - from);
  }
  // When `expected` more events have come since `from`; the segment must have as many.
  [[nodiscard]] double time_of(double from, double expected) const {
    const double at_from = rate_at(from);
    if (std::abs(slope) * expected < 1e-9 * at_from * at_from) return from + expected / at_from;
    // slope/2 t^2 + at_from t = expected, solved so that nothing cancels.
    const double root = std::sqrt(std::max(0.0, at_from * at_from + 2 * slope * expected));
    return from + 2 * expected / (at_from + root);
  }
};

// Segment `index`: 0 lies before the first point, profile.size() behind the last.
Segment segment_of(const std::vector<RatePoint>& profile, std::size_t index) {
  constexpr double kForEver = std::numeric_limits<double>::max() / 4;
  if (profile.empty()) return {0, kForEver, 0, 0};
  if (index == 0) return {0, seconds_of(profile.front().at), profile.front().per_second, 0};
  const RatePoint& left = profile[index - 1];
  const double begin = seconds_of(left.at);
  if (index >= profile.size()) return {begin, kForEver, left.per_second, 0};
  const RatePoint& right = profile[index];
  const double end = seconds_of(right.at);
  const double length = end - begin;
  const double slope = length > 0 ? (right.per_second - left.per_second) / length : 0;
  return {begin, end, left.per_second, slope};
}

}  // namespace

Arrivals::Arrivals(ArrivalPlan plan, std::uint64_t seed)
    : plan_(std::move(plan)),
      random_(seed),
      now_seconds_(seconds_of(plan_.start)),
      burst_at_(plan_.start) {}

std::optional<nanoseconds> Arrivals::next() {
  if (plan_.kind == ArrivalKind::burst) return next_of_burst();
  const double step = plan_.kind == ArrivalKind::poisson ? random_.exponential() : 1.0;
  if (!advance(step)) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(now_seconds_ * 1e9));
}

std::optional<nanoseconds> Arrivals::next_of_burst() {
  if (in_burst_ == plan_.burst) {
    in_burst_ = 0;
    burst_at_ += plan_.every;
  }
  if (plan_.burst == 0 || burst_at_ >= plan_.end) return std::nullopt;
  ++in_burst_;
  return burst_at_;
}

// Moves on until `expected` more requests are due; false when the end comes first.
bool Arrivals::advance(double expected) {
  const double end = seconds_of(plan_.end);
  while (now_seconds_ < end) {
    const Segment segment = segment_of(plan_.profile, segment_);
    const double until = std::min(segment.end, end);
    const double left = until > now_seconds_ ? segment.expected(now_seconds_, until) : 0;
    if (left > expected) {
      now_seconds_ = segment.time_of(now_seconds_, expected);
      return now_seconds_ < end;
    }
    expected -= left;
    now_seconds_ = std::max(now_seconds_, until);
    ++segment_;
  }
  return false;
}

double expected_count(const ArrivalPlan& plan) {
  if (plan.kind == ArrivalKind::burst) {
    if (plan.every.count() <= 0 || plan.end <= plan.start) return 0;
    const auto length = (plan.end - plan.start).count();
    const auto bursts = (length + plan.every.count() - 1) / plan.every.count();
    return static_cast<double>(bursts) * static_cast<double>(plan.burst);
  }
  double sum = 0;
  const double start = seconds_of(plan.start);
  const double end = seconds_of(plan.end);
  for (std::size_t index = 0; index <= plan.profile.size(); ++index) {
    const Segment segment = segment_of(plan.profile, index);
    const double from = std::max(segment.begin, start);
    const double until = std::min(segment.end, end);
    if (until > from) sum += segment.expected(from, until);
  }
  return sum;
}

}  // namespace revcache::bench
