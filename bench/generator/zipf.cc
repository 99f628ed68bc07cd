#include "bench/generator/zipf.h"

#include <algorithm>
#include <cmath>

namespace revcache::bench {
namespace {

constexpr double kNearZero = 1e-8;

// (exp(x) - 1) / x and log(1 + x) / x, which are 1 at zero.
double expm1_over(double x) { return std::abs(x) > kNearZero ? std::expm1(x) / x : 1 + x / 2; }
double log1p_over(double x) { return std::abs(x) > kNearZero ? std::log1p(x) / x : 1 - x / 2; }

}  // namespace

Zipf::Zipf(std::uint64_t count, double exponent)
    : count_(count),
      exponent_(exponent),
      area_first_(integral(1.5) - 1),
      area_last_(integral(static_cast<double>(count) + 0.5)),
      squeeze_(2 - inverse(integral(2.5) - weight(2))) {}

// The antiderivative of weight(): (x^(1-e) - 1) / (1-e), or log x.
double Zipf::integral(double at) const {
  const double log_at = std::log(at);
  return expm1_over((1 - exponent_) * log_at) * log_at;
}

double Zipf::inverse(double area) const {
  const double scaled = std::max(-1.0, area * (1 - exponent_));
  return std::exp(log1p_over(scaled) * area);
}

double Zipf::weight(double at) const { return std::exp(-exponent_ * std::log(at)); }

std::uint64_t Zipf::draw(Random& random) const {
  const auto last = static_cast<double>(count_);
  while (true) {
    const double area = area_last_ + random.uniform() * (area_first_ - area_last_);
    const double at = inverse(area);
    const double rank = std::clamp(std::floor(at + 0.5), 1.0, last);
    if (rank - at <= squeeze_ || area >= integral(rank + 0.5) - weight(rank)) {
      return static_cast<std::uint64_t>(rank) - 1;
    }
  }
}

}  // namespace revcache::bench
