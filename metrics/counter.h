// Counters and histograms with one writer (a loop) and any number of readers (the scrape): no lock
// and no locked instruction on the hot path.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace revcache::metrics {

// Goes up only. add() from the owning thread only; value() from any.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. set(), add() from the owning thread only; value() from any.
class Gauge {
 public:
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) noexcept { set(value() + n); }
  [[nodiscard]] std::int64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> value_{0};
};

// A counter that several threads increase: for rare events only.
class SharedCounter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Latency from 50 us to 20 s (SPEC section 9), upper bounds inclusive.
inline constexpr std::array<std::int64_t, 17> kLatencyBoundsMicros{
    50,     100,     200,     500,     1'000,     2'000,     5'000,      10'000,    20'000,
    50'000, 100'000, 200'000, 500'000, 1'000'000, 5'000'000, 10'000'000, 20'000'000};

// How long an event loop was kept from polling: from 50 us to 1 s, finer around the 2 ms that
// nothing on a loop should take.
inline constexpr std::array<std::int64_t, 11> kLoopLagBoundsMicros{
    50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 50'000, 100'000, 1'000'000};

// One writer, any readers; with SharedCounter any writers. `kBoundsMicros`: one of the tables
// above.
template <const auto& kBoundsMicros, class Cell = Counter>
class Histogram {
 public:
  void observe(std::chrono::nanoseconds duration) noexcept {
    const std::int64_t micros = duration.count() / 1000;
    std::size_t bucket = 0;
    while (bucket < kBoundsMicros.size() && micros > kBoundsMicros[bucket]) ++bucket;
    buckets_[bucket].add();
    sum_nanoseconds_.add(static_cast<std::uint64_t>(duration.count() < 0 ? 0 : duration.count()));
  }
  // Not cumulative; the last one is above all bounds.
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const noexcept {
    return buckets_[index].value();
  }
  [[nodiscard]] double sum_seconds() const noexcept {
    return static_cast<double>(sum_nanoseconds_.value()) / 1e9;
  }

 private:
  std::array<Cell, kBoundsMicros.size() + 1> buckets_;
  Cell sum_nanoseconds_;
};

using LatencyHistogram = Histogram<kLatencyBoundsMicros>;
using SharedLatencyHistogram = Histogram<kLatencyBoundsMicros, SharedCounter>;
using LoopLagHistogram = Histogram<kLoopLagBoundsMicros>;

}  // namespace revcache::metrics
