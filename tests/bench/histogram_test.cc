#include "bench/generator/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/generator/random.h"

namespace revcache::bench {
namespace {

class HistogramError : public testing::TestWithParam<unsigned> {};

TEST_P(HistogramError, IsAtMostTheBoundThatTheHeaderStates) {
  const unsigned bits = GetParam();
  const double bound = std::pow(2.0, 1.0 - bits);
  for (std::int64_t value = 0; value <= Histogram::kMax.count(); value = value * 9 / 8 + 1) {
    Histogram histogram(bits);
    histogram.record(nanoseconds(value));
    histogram.record(Histogram::kMax);  // or max() would make every value exact
    const std::int64_t read = histogram.quantile(0.5).count();
    EXPECT_GE(read, value);
    EXPECT_LE(static_cast<double>(read - value), bound * static_cast<double>(value)) << value;
  }
}

TEST_P(HistogramError, IsNothingForSmallValues) {
  for (std::int64_t value = 0; value < std::int64_t{1} << GetParam(); ++value) {
    Histogram histogram(GetParam());
    histogram.record(nanoseconds(value));
    histogram.record(Histogram::kMax);
    EXPECT_EQ(histogram.quantile(0.5).count(), value);
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, HistogramError,
                         testing::Values(Histogram::kCoarseBits, 6, Histogram::kPreciseBits));

TEST(Histogram, ReadsTheQuantilesOfASortedListWithinItsError) {
  Random random(7);
  Histogram histogram;
  std::vector<std::int64_t> all;
  for (int at = 0; at < 20'000; ++at) {
    all.push_back(static_cast<std::int64_t>(random.exponential() * 1e6));
    histogram.record(nanoseconds(all.back()));
  }
  std::ranges::sort(all);
  for (const double fraction : {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * 20'000)) - 1;
    const auto exact = static_cast<double>(all[rank]);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(fraction).count()), exact, exact / 128 + 1);
  }
}

TEST(Histogram, KnowsLeastMostAndMeanExactly) {
  Histogram histogram;
  for (const int value : {1'000'003, 17, 999}) histogram.record(nanoseconds(value));
  EXPECT_EQ(histogram.min().count(), 17);
  EXPECT_EQ(histogram.max().count(), 1'000'003);
  EXPECT_EQ(histogram.mean().count(), 333'673);
  EXPECT_EQ(histogram.quantile(1).count(), 1'000'003);
}

TEST(Histogram, OfNothingSaysZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.99).count(), 0);
  EXPECT_EQ(histogram.mean().count(), 0);
  EXPECT_EQ(histogram.max().count(), 0);
}

TEST(Histogram, ThatIsAddedToAnotherIsAsIfAllWereRecordedThere) {
  Histogram one;
  Histogram other;
  Histogram both;
  Random random(3);
  for (int at = 0; at < 1000; ++at) {
    const nanoseconds value(static_cast<std::int64_t>(random.below(1'000'000'000)));
    (at % 3 == 0 ? one : other).record(value);
    both.record(value);
  }
  one.add(other);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.min(), both.min());
  EXPECT_EQ(one.max(), both.max());
  for (const double fraction : {0.1, 0.5, 0.99}) {
    EXPECT_EQ(one.quantile(fraction), both.quantile(fraction));
  }
}

TEST(Histogram, CutsWhatIsOutOfRangeAndKeepsItsSize) {
  Histogram histogram(Histogram::kCoarseBits);
  const std::size_t buckets = histogram.buckets();
  histogram.record(nanoseconds(-5));
  histogram.record(nanoseconds::max());
  EXPECT_EQ(histogram.min().count(), 0);
  EXPECT_EQ(histogram.max(), Histogram::kMax);
  EXPECT_EQ(histogram.buckets(), buckets);
  EXPECT_LE(buckets * sizeof(std::uint64_t), 2560U);
}

}  // namespace
}  // namespace revcache::bench
