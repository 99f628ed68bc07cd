#include "metrics/latency_window.h"

#include <algorithm>
#include <utility>

namespace revcache::metrics {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr bool is_from_store(RequestResult result) noexcept {
  return result == RequestResult::hit || result == RequestResult::stale ||
         result == RequestResult::synthesized;
}

std::uint64_t difference(std::uint64_t now, std::uint64_t before) noexcept {
  return now >= before ? now - before : now;
}

using Buckets = std::array<std::uint64_t, kLatencyBuckets>;

// `share` of `count` requests took at most this, in seconds.
double percentile(const Buckets& buckets, std::uint64_t count, double share) noexcept {
  const double rank = share * static_cast<double>(count);
  double below = 0;
  for (std::size_t at = 0; at < kLatencyBoundsMicros.size(); ++at) {
    const auto here = static_cast<double>(buckets[at]);
    if (here > 0 && below + here >= rank) {
      const auto low = static_cast<double>(at == 0 ? 0 : kLatencyBoundsMicros[at - 1]);
      const auto high = static_cast<double>(kLatencyBoundsMicros[at]);
      return (low + (high - low) * ((rank - below) / here)) / 1e6;
    }
    below += here;
  }
  return static_cast<double>(kLatencyBoundsMicros.back()) / 1e6;
}

template <class Window>
void describe(const LatencyTotals& counts, std::chrono::nanoseconds observed, Window& window) {
  window.seconds = Seconds(observed).count();
  for (std::size_t result = 0; result < kRequestResults; ++result) {
    for (const std::uint64_t here : counts.buckets[result]) window.by_result[result] += here;
    window.requests += window.by_result[result];
  }
  window.percentiles = percentiles_of(counts);
  if (counts.cacheable > 0) {
    window.hit_ratio =
        static_cast<double>(counts.from_store) / static_cast<double>(counts.cacheable);
  }
}

}  // namespace

void LatencyTotals::add(const LoopMetrics& loop) noexcept {
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    const bool is_cacheable = kind != index(ObjectKind::other);
    for (std::size_t result = 0; result < kRequestResults; ++result) {
      const LatencyHistogram& histogram = loop.request_duration[kind][result];
      std::uint64_t count = 0;
      for (std::size_t at = 0; at < kLatencyBuckets; ++at) {
        const std::uint64_t here = histogram.bucket(at);
        buckets[result][at] += here;
        count += here;
      }
      if (!is_cacheable) continue;
      cacheable += count;
      if (is_from_store(static_cast<RequestResult>(result))) from_store += count;
    }
  }
}

void LatencyTotals::add(const LatencyTotals& other) noexcept {
  for (std::size_t result = 0; result < kRequestResults; ++result) {
    for (std::size_t at = 0; at < kLatencyBuckets; ++at) {
      buckets[result][at] += other.buckets[result][at];
    }
  }
  cacheable += other.cacheable;
  from_store += other.from_store;
}

LatencyTotals LatencyTotals::since(const LatencyTotals& before) const noexcept {
  LatencyTotals difference_since;
  for (std::size_t result = 0; result < kRequestResults; ++result) {
    for (std::size_t at = 0; at < kLatencyBuckets; ++at) {
      difference_since.buckets[result][at] =
          difference(buckets[result][at], before.buckets[result][at]);
    }
  }
  difference_since.cacheable = difference(cacheable, before.cacheable);
  difference_since.from_store =
      std::min(difference(from_store, before.from_store), difference_since.cacheable);
  return difference_since;
}

LatencyPercentiles percentiles_of(const LatencyTotals& totals) noexcept {
  Buckets buckets{};
  std::uint64_t count = 0;
  for (std::size_t result = 0; result < kRequestResults; ++result) {
    if (result == index(RequestResult::bypass)) continue;
    for (std::size_t at = 0; at < kLatencyBuckets; ++at) {
      buckets[at] += totals.buckets[result][at];
      count += totals.buckets[result][at];
    }
  }
  if (count == 0) return {};
  return {.p50 = percentile(buckets, count, 0.5),
          .p90 = percentile(buckets, count, 0.9),
          .p99 = percentile(buckets, count, 0.99),
          .p999 = percentile(buckets, count, 0.999)};
}

LatencyWindows::Elapsed LatencyWindows::elapsed_at(const Sample& last, WallTime wall,
                                                   MonotonicTime monotonic) noexcept {
  const Elapsed by_wall = wall - last.wall;
  const Elapsed by_monotonic = monotonic - last.monotonic;
  return last.elapsed + std::max({by_wall, by_monotonic, Elapsed{0}});
}

// Steps follow each other without a hole. After a long sleep only those of the last hour are made.
void LatencyWindows::open_steps_until(State& state, Elapsed now) {
  const Elapsed behind = now - state.steps.back().start;
  const auto missed = behind / kLatencyStep;
  constexpr auto kKept = static_cast<std::int64_t>(kLatencySteps);
  const auto skipped = std::max<std::int64_t>(missed - kKept, 0);
  if (skipped > 0) {
    const Elapsed start = state.steps.back().start + skipped * kLatencyStep;
    state.steps.back() = {.start = start, .observed = {}, .counts = {}};
  }
  for (auto step = skipped; step < missed; ++step) {
    state.steps.push_back(
        {.start = state.steps.back().start + kLatencyStep, .observed = {}, .counts = {}});
    if (state.steps.size() > kLatencySteps) state.steps.pop_front();
  }
}

void LatencyWindows::record(const LatencyTotals& totals) {
  const WallTime wall = clock_.wall();
  const MonotonicTime monotonic = clock_.monotonic();
  state_.with([&](State& state) {
    if (!state.last) {
      state.last = Sample{.wall = wall, .monotonic = monotonic, .elapsed = {}, .totals = totals};
      state.steps.push_back({});
      return;
    }
    const Elapsed now = elapsed_at(*state.last, wall, monotonic);
    const Elapsed apart = now - state.last->elapsed;
    const Elapsed observed = apart > kLatencyGap ? Elapsed{kLatencySampleInterval} : apart;
    // A difference belongs to the step that its later sample ends in, also one that it just fills.
    if (apart > Elapsed{0}) open_steps_until(state, now - Elapsed{1});
    Slice slice{.end = now, .observed = observed, .counts = totals.since(state.last->totals)};
    state.steps.back().observed += observed;
    state.steps.back().counts.add(slice.counts);
    state.slices.push_back(std::move(slice));
    while (state.slices.size() > kLatencySlicesMax ||
           state.slices.front().end + kLatencyStep <= now) {
      state.slices.pop_front();
    }
    state.last = Sample{.wall = wall, .monotonic = monotonic, .elapsed = now, .totals = totals};
  });
}

LatencyReport LatencyWindows::windows() const {
  const WallTime wall = clock_.wall();
  const MonotonicTime monotonic = clock_.monotonic();
  // A copy is cheaper than to keep the recorder waiting for the sums.
  State state = state_.with([](const State& current) { return current; });
  LatencyReport report;
  if (!state.last) return report;
  const Elapsed now = elapsed_at(*state.last, wall, monotonic);
  if (now > state.last->elapsed) open_steps_until(state, now - Elapsed{1});

  LatencyTotals minute;
  Elapsed minute_observed{0};
  for (const Slice& slice : state.slices) {
    if (slice.end + kLatencyStep <= now) continue;
    minute.add(slice.counts);
    minute_observed += slice.observed;
  }
  describe(minute, minute_observed, report.minute);

  LatencyTotals hour;
  Elapsed hour_observed{0};
  report.series.reserve(state.steps.size());
  for (const Step& step : state.steps) {
    hour.add(step.counts);
    hour_observed += step.observed;
    LatencyStep& described = report.series.emplace_back();
    describe(step.counts, step.observed, described);
    described.at = wall - std::chrono::duration_cast<std::chrono::milliseconds>(now - step.start);
  }
  describe(hour, hour_observed, report.hour);
  return report;
}

}  // namespace revcache::metrics
