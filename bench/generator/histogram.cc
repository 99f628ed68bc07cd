#include "bench/generator/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace revcache::bench {
namespace {

constexpr unsigned kValueBits = 42;

}  // namespace

// 2^p buckets of one nanosecond, then 2^(p-1) for each further octave.
Histogram::Histogram(unsigned precision_bits)
    : bits_(precision_bits),
      counts_((std::size_t{1} << precision_bits) +
              (std::size_t{1} << (precision_bits - 1)) * (kValueBits - precision_bits)) {}

std::size_t Histogram::bucket_of(std::uint64_t value) const noexcept {
  const auto width = static_cast<unsigned>(std::bit_width(value));
  if (width <= bits_) return static_cast<std::size_t>(value);
  const unsigned shift = width - bits_;
  const std::size_t half = std::size_t{1} << (bits_ - 1);
  return half * shift + static_cast<std::size_t>(value >> shift);
}

std::uint64_t Histogram::end_of(std::size_t bucket) const noexcept {
  const std::size_t half = std::size_t{1} << (bits_ - 1);
  if (bucket < 2 * half) return bucket;
  const std::size_t shift = bucket / half - 1;
  const std::uint64_t leading = bucket - half * shift;
  return ((leading + 1) << shift) - 1;
}

void Histogram::record(nanoseconds value) noexcept {
  const auto bounded = static_cast<std::uint64_t>(std::clamp(value, nanoseconds(0), kMax).count());
  ++counts_[bucket_of(bounded)];
  min_ = count_ == 0 ? bounded : std::min(min_, bounded);
  max_ = std::max(max_, bounded);
  sum_ += static_cast<double>(bounded);
  ++count_;
}

void Histogram::add(const Histogram& other) noexcept {
  if (other.count_ == 0) return;
  const std::size_t both = std::min(counts_.size(), other.counts_.size());
  for (std::size_t at = 0; at < both; ++at) counts_[at] += other.counts_[at];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

nanoseconds Histogram::min() const noexcept { return nanoseconds(min_); }

nanoseconds Histogram::mean() const noexcept {
  if (count_ == 0) return nanoseconds(0);
  return nanoseconds(std::llround(sum_ / static_cast<double>(count_)));
}

nanoseconds Histogram::quantile(double fraction) const noexcept {
  if (count_ == 0) return nanoseconds(0);
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    seen += counts_[at];
    if (seen >= rank) return nanoseconds(std::min(end_of(at), max_));
  }
  return max();
}

}  // namespace revcache::bench
