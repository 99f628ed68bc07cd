// Ranks under Zipf's law: rank k of N (from 0) comes with a weight of 1 / (k + 1)^exponent. How
// certificates are asked about: few often, most once a day. By rejection-inversion (W. Hörmann,
// G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
// 1996): constant memory and time, whatever N is. One owner, one thread.
#pragma once

#include <cstdint>

#include "bench/generator/random.h"

namespace revcache::bench {

class Zipf {
 public:
  // `count` >= 1; `exponent` >= 0, where 0 makes all equal.
  Zipf(std::uint64_t count, double exponent);

  // In [0, count).
  std::uint64_t draw(Random& random) const;

 private:
  [[nodiscard]] double integral(double at) const;
  [[nodiscard]] double inverse(double area) const;
  [[nodiscard]] double weight(double at) const;

  std::uint64_t count_;
  double exponent_;
  double area_first_;
  double area_last_;
  double squeeze_;
};

}  // namespace revcache::bench
