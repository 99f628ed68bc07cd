// What metrics add to a memory hit: the counting calls of one hit, and the two looks at the clock
// that its duration needs. Beside the whole cost of a hit (bench/compare.py, crl-1k) this is their
// share in time; bench/metrics_cost.py tells it in instructions.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "metrics/latency_window.h"
#include "metrics/metrics.h"

namespace revcache::metrics {
namespace {

// As HttpCache::find_now and ClientConnection count it.
void count_hit(LoopMetrics& metrics, std::size_t kind, std::chrono::nanoseconds duration) {
  constexpr std::size_t kResult = index(RequestResult::hit);
  constexpr std::size_t kStatus = 200;
  metrics.requests_in_flight.add(1);
  metrics.cache_lookups[kind][index(TierLabel::memory)][index(LookupOutcome::hit)].add();
  metrics.requests_in_flight.add(-1);
  metrics.requests[kind][index(MethodLabel::get)][kResult].add();
  metrics.request_duration[kind][kResult].observe(duration);
  metrics.responses_by_status[kStatus].add();
  metrics.response_bytes[kind].add(1024);
}

// Argument 1: counted; 0: the loop of the benchmark alone.
void counting_of_a_hit(benchmark::State& state) {
  const auto metrics = std::make_unique<LoopMetrics>();
  const bool counts = state.range(0) != 0;
  std::size_t kind = index(ObjectKind::crl);
  std::chrono::nanoseconds duration = std::chrono::microseconds(60);
  for (auto _ : state) {
    benchmark::DoNotOptimize(kind);
    benchmark::DoNotOptimize(duration);
    if (counts) count_hit(*metrics, kind, duration);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(counting_of_a_hit)->ArgName("on")->Arg(0)->Arg(1);

void clock_of_a_hit(benchmark::State& state) {
  const SystemClock clock;
  const Clock& read = clock;
  for (auto _ : state) {
    const MonotonicTime began = read.monotonic();
    benchmark::DoNotOptimize(read.monotonic() - began);
  }
}
BENCHMARK(clock_of_a_hit);

// What the main loop does each five seconds for the windows, for each serving loop.
void sum_of_latencies(benchmark::State& state) {
  const auto metrics = std::make_unique<LoopMetrics>();
  for (auto _ : state) {
    LatencyTotals totals;
    totals.add(*metrics);
    benchmark::DoNotOptimize(totals);
  }
}
BENCHMARK(sum_of_latencies);

}  // namespace
}  // namespace revcache::metrics
