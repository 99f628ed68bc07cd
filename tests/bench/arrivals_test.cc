#include "bench/generator/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/generator/zipf.h"

namespace revcache::bench {
namespace {

using namespace std::chrono_literals;

std::vector<nanoseconds> all_of(const ArrivalPlan& plan, std::uint64_t seed) {
  Arrivals arrivals(plan, seed);
  std::vector<nanoseconds> due;
  while (const auto next = arrivals.next()) due.push_back(*next);
  return due;
}

ArrivalPlan plan_of(ArrivalKind kind, std::vector<RatePoint> profile, nanoseconds end) {
  return {.kind = kind, .profile = std::move(profile), .end = end};
}

TEST(Arrivals, OfAPoissonProcessHaveItsMeanAndItsSpread) {
  const auto due = all_of(plan_of(ArrivalKind::poisson, {{0s, 1000}}, 100s), 11);
  // 100,000 are expected, with a standard deviation of 316.
  EXPECT_NEAR(static_cast<double>(due.size()), 100'000, 5 * 316);
  double sum = 0;
  double squares = 0;
  for (std::size_t at = 1; at < due.size(); ++at) {
    const double gap = std::chrono::duration<double>(due[at] - due[at - 1]).count();
    sum += gap;
    squares += gap * gap;
  }
  const double mean = sum / static_cast<double>(due.size() - 1);
  const double deviation = std::sqrt(squares / static_cast<double>(due.size() - 1) - mean * mean);
  EXPECT_NEAR(mean, 1e-3, 2e-5);
  EXPECT_NEAR(deviation, mean, 2e-5);  // as an exponential distribution has it
}

TEST(Arrivals, AreTheSameForTheSameSeedAndOthersForAnother) {
  const ArrivalPlan plan = plan_of(ArrivalKind::poisson, {{0s, 50}}, 10s);
  EXPECT_EQ(all_of(plan, 1), all_of(plan, 1));
  EXPECT_NE(all_of(plan, 1), all_of(plan, 2));
}

TEST(Arrivals, ThatAreEvenHaveEqualGaps) {
  const auto due = all_of(plan_of(ArrivalKind::even, {{0s, 100}}, 1s), 1);
  ASSERT_GE(due.size(), 99U);
  for (std::size_t at = 0; at < due.size(); ++at) {
    EXPECT_NEAR(static_cast<double>(due[at].count()), 1e7 * static_cast<double>(at + 1), 10);
  }
}

TEST(Arrivals, FollowAProfileThatRisesAndFalls) {
  // 0 to 200 a second in ten seconds, held for ten, then down to nothing: 1000 + 2000 + 1000.
  const ArrivalPlan plan =
      plan_of(ArrivalKind::even, {{0s, 0}, {10s, 200}, {20s, 200}, {30s, 0}}, 40s);
  const auto due = all_of(plan, 1);
  const auto until = [&due](nanoseconds end) {
    return std::ranges::count_if(due, [end](auto at) { return at < end; });
  };
  EXPECT_NEAR(static_cast<double>(until(10s)), 1000, 1);
  EXPECT_NEAR(static_cast<double>(until(5s)), 250, 1);
  EXPECT_NEAR(static_cast<double>(until(20s)), 3000, 1);
  EXPECT_NEAR(static_cast<double>(due.size()), 4000, 1);
  EXPECT_NEAR(expected_count(plan), 4000, 0.01);
  EXPECT_TRUE(std::ranges::is_sorted(due));
}

TEST(Arrivals, StayWithinStartAndEnd) {
  ArrivalPlan plan = plan_of(ArrivalKind::poisson, {{0s, 1000}}, 3s);
  plan.start = 2s;
  const auto due = all_of(plan, 5);
  ASSERT_FALSE(due.empty());
  EXPECT_GE(due.front(), 2s);
  EXPECT_LT(due.back(), 3s);
  EXPECT_NEAR(expected_count(plan), 1000, 0.01);
}

TEST(Arrivals, OfABurstAreDueAtOnce) {
  const ArrivalPlan plan{
      .kind = ArrivalKind::burst, .burst = 3, .every = 400ms, .start = 100ms, .end = 1s};
  const std::vector<nanoseconds> expected = {100ms, 100ms, 100ms, 500ms, 500ms,
                                             500ms, 900ms, 900ms, 900ms};
  EXPECT_EQ(all_of(plan, 1), expected);
  EXPECT_EQ(expected_count(plan), 9);
}

TEST(Arrivals, ThereAreNoneAtARateOfZero) {
  EXPECT_TRUE(all_of(plan_of(ArrivalKind::even, {{0s, 0}}, 1h), 1).empty());
}

class ZipfShares : public testing::TestWithParam<double> {};

TEST_P(ZipfShares, AreThoseOfTheLaw) {
  constexpr std::uint64_t kRanks = 1000;
  constexpr int kDraws = 200'000;
  const Zipf zipf(kRanks, GetParam());
  Random random(17);
  std::vector<int> seen(kRanks);
  for (int at = 0; at < kDraws; ++at) ++seen.at(zipf.draw(random));
  double whole = 0;
  for (std::uint64_t rank = 1; rank <= kRanks; ++rank) {
    whole += std::pow(static_cast<double>(rank), -GetParam());
  }
  for (const std::size_t rank : {0U, 1U, 2U, 9U, 99U, 999U}) {
    const double expected = kDraws * std::pow(static_cast<double>(rank + 1), -GetParam()) / whole;
    EXPECT_NEAR(seen[rank], expected, 5 * std::sqrt(expected) + 1) << "rank " << rank;
  }
}

INSTANTIATE_TEST_SUITE_P(Exponents, ZipfShares, testing::Values(0.0, 0.7, 1.0, 1.5));

TEST(Zipf, OfOneIsAlwaysTheFirst) {
  Random random(1);
  const Zipf zipf(1, 1.0);
  for (int at = 0; at < 100; ++at) EXPECT_EQ(zipf.draw(random), 0U);
}

}  // namespace
}  // namespace revcache::bench
