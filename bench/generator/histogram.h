// A histogram of durations in the manner of HdrHistogram (log-linear): from 1 ns to about 73 min,
// with a bounded relative error and a fixed size. One owner, one thread.
//
// With `precision_bits` p each octave is cut into 2^(p-1) buckets of the same width, so a value
// that is read back lies above the recorded one by at most 2^(1-p) of it: 0.8 % with 8 bits, 12.5 %
// with 4. Below 2^p ns it is exact. Longer durations than kMax count as kMax.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace revcache::bench {

using std::chrono::nanoseconds;

class Histogram {
 public:
  static constexpr unsigned kPreciseBits = 8;  // 36 KiB
  static constexpr unsigned kCoarseBits = 4;   // 2.5 KiB: one for each step of a time series
  static constexpr nanoseconds kMax{(std::int64_t{1} << 42) - 1};

  explicit Histogram(unsigned precision_bits = kPreciseBits);

  void record(nanoseconds value) noexcept;
  // `other` must have the same precision.
  void add(const Histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] nanoseconds min() const noexcept;
  [[nodiscard]] nanoseconds max() const noexcept { return nanoseconds(max_); }
  [[nodiscard]] nanoseconds mean() const noexcept;
  // The least value that at least `fraction` (0 to 1) of all are not above: the upper end of its
  // bucket, never above max(). Zero when nothing was recorded.
  [[nodiscard]] nanoseconds quantile(double fraction) const noexcept;

  [[nodiscard]] std::size_t buckets() const noexcept { return counts_.size(); }

 private:
  [[nodiscard]] std::size_t bucket_of(std::uint64_t value) const noexcept;
  [[nodiscard]] std::uint64_t end_of(std::size_t bucket) const noexcept;

  unsigned bits_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace revcache::bench
