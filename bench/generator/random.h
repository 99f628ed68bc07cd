// Chance from a seed (splitmix64): the same seed gives the same run on every machine, which the
// distributions of the standard library do not promise. One owner, one thread; not for secrets.
#pragma once

#include <cmath>
#include <cstdint>

namespace revcache::bench {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }

  // In [0, 1).
  double uniform() noexcept { return static_cast<double>(next() >> 11U) * 0x1p-53; }

  // In [0, bound); `bound` > 0. Its bias is below bound / 2^53.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>(uniform() * static_cast<double>(bound));
  }

  // The gap between two events of a Poisson process of rate 1.
  double exponential() noexcept { return -std::log1p(-uniform()); }

 private:
  std::uint64_t state_;
};

}  // namespace revcache::bench
