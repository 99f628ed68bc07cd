#include "metrics/latency_window.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "metrics/collector.h"

namespace revcache::metrics {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

// Both clocks, each of which can be moved alone.
class TwoClocks final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return WallTime{1'700'000'000s} + wall_; }
  [[nodiscard]] MonotonicTime monotonic() const override { return MonotonicTime{} + monotonic_; }
  void advance(std::chrono::milliseconds by) {
    wall_ += by;
    monotonic_ += by;
  }
  void sleep(std::chrono::milliseconds by) { wall_ += by; }
  void set_back(std::chrono::milliseconds by) { wall_ -= by; }

 private:
  std::chrono::milliseconds wall_{0};
  std::chrono::milliseconds monotonic_{0};
};

class LatencyWindowTest : public testing::Test {
 protected:
  LatencyWindowTest() { windows_.record(totals()); }

  [[nodiscard]] LatencyTotals totals() const {
    LatencyTotals sum;
    sum.add(*loop_);
    return sum;
  }
  void request(nanoseconds took, RequestResult result = RequestResult::hit,
               ObjectKind kind = ObjectKind::crl) {
    loop_->request_duration[index(kind)][index(result)].observe(took);
  }
  void sample_after(std::chrono::milliseconds time) {
    clock_.advance(time);
    windows_.record(totals());
  }
  void run_for(std::chrono::seconds time) {
    for (auto done = 0s; done < time; done += kLatencySampleInterval) {
      sample_after(kLatencySampleInterval);
    }
  }

  TwoClocks clock_;
  std::unique_ptr<LoopMetrics> loop_ = std::make_unique<LoopMetrics>();
  LatencyWindows windows_{clock_};
};

TEST_F(LatencyWindowTest, AnIdleServerHasWindowsWithoutRequestsAndWithoutPercentiles) {
  run_for(90s);
  const auto report = windows_.windows();
  EXPECT_EQ(report.minute.requests, 0U);
  EXPECT_FALSE(report.minute.percentiles.p50);
  EXPECT_FALSE(report.minute.percentiles.p999);
  EXPECT_FALSE(report.minute.hit_ratio);
  EXPECT_DOUBLE_EQ(report.minute.seconds, 60);
  EXPECT_DOUBLE_EQ(report.hour.seconds, 90);
  ASSERT_EQ(report.series.size(), 2U);
  EXPECT_DOUBLE_EQ(report.series.front().seconds, 60);
  EXPECT_DOUBLE_EQ(report.series.back().seconds, 30);
}

TEST_F(LatencyWindowTest, NothingIsKnownBeforeTheFirstSample) {
  const LatencyWindows unfed(clock_);
  EXPECT_TRUE(unfed.windows().series.empty());
  EXPECT_EQ(unfed.windows().hour.requests, 0U);
}

TEST_F(LatencyWindowTest, WhatWasCountedBeforeTheFirstSampleIsInNoWindow) {
  LatencyWindows late(clock_);
  request(1ms);
  late.record(totals());
  clock_.advance(5s);
  late.record(totals());
  EXPECT_EQ(late.windows().hour.requests, 0U);
}

TEST_F(LatencyWindowTest, ARequestLeavesTheMinuteAfterAMinuteAndTheHourAfterAnHour) {
  request(3ms);
  run_for(60s);
  EXPECT_EQ(windows_.windows().minute.requests, 1U);
  sample_after(5s);
  EXPECT_EQ(windows_.windows().minute.requests, 0U);
  EXPECT_EQ(windows_.windows().hour.requests, 1U);
  run_for(3600s - 65s);
  EXPECT_EQ(windows_.windows().series.size(), kLatencySteps);
  EXPECT_EQ(windows_.windows().series.front().requests, 1U);
  EXPECT_EQ(windows_.windows().hour.requests, 1U);
  sample_after(5s);
  EXPECT_EQ(windows_.windows().series.size(), kLatencySteps);
  EXPECT_EQ(windows_.windows().hour.requests, 0U);
}

TEST_F(LatencyWindowTest, WindowsAgeBetweenSamplesAndWithoutThem) {
  request(3ms);
  sample_after(5s);
  clock_.advance(61s);
  EXPECT_EQ(windows_.windows().minute.requests, 0U);
  EXPECT_EQ(windows_.windows().hour.requests, 1U);
  EXPECT_EQ(windows_.windows().series.size(), 2U);
}

TEST_F(LatencyWindowTest, StepsTellTheirBeginningAndWhatHappenedInThem) {
  request(3ms, RequestResult::miss);
  run_for(60s);
  request(3s, RequestResult::error);
  request(40us);
  run_for(20s);
  const auto report = windows_.windows();
  ASSERT_EQ(report.series.size(), 2U);
  EXPECT_EQ(report.series[0].at, WallTime{1'700'000'000s});
  EXPECT_EQ(report.series[1].at, WallTime{1'700'000'060s});
  EXPECT_EQ(report.series[0].by_result[index(RequestResult::miss)], 1U);
  EXPECT_EQ(report.series[0].by_result[index(RequestResult::error)], 0U);
  EXPECT_EQ(report.series[1].by_result[index(RequestResult::error)], 1U);
  EXPECT_EQ(report.series[1].requests, 2U);
}

TEST_F(LatencyWindowTest, CountsThatBeginAnewAreNotNegative) {
  for (int i = 0; i < 100; ++i) request(3ms);
  sample_after(5s);
  loop_ = std::make_unique<LoopMetrics>();
  for (int i = 0; i < 7; ++i) request(3ms);
  sample_after(5s);
  EXPECT_EQ(windows_.windows().minute.requests, 107U);
  EXPECT_DOUBLE_EQ(*windows_.windows().minute.hit_ratio, 1);
}

TEST_F(LatencyWindowTest, AfterASleepWhatWasBeforeItIsOld) {
  request(3ms);
  run_for(120s);
  request(3ms);
  clock_.sleep(20min);
  request(3ms);
  sample_after(5s);
  const auto report = windows_.windows();
  EXPECT_EQ(report.minute.requests, 2U);  // since the last sample: of the minute that is known
  EXPECT_DOUBLE_EQ(report.minute.seconds, 5);
  EXPECT_EQ(report.hour.requests, 3U);
  EXPECT_DOUBLE_EQ(report.hour.seconds, 125);
  ASSERT_EQ(report.series.size(), 23U);
  for (std::size_t at = 2; at < 22; ++at) EXPECT_EQ(report.series[at].seconds, 0) << at;
  EXPECT_EQ(report.series[10].requests, 0U);
  EXPECT_EQ(report.series[22].requests, 2U);
}

TEST_F(LatencyWindowTest, AfterANightsSleepNothingOfTheEveningIsLeft) {
  request(3ms);
  run_for(120s);
  clock_.sleep(8h);
  sample_after(5s);
  const auto report = windows_.windows();
  EXPECT_EQ(report.hour.requests, 0U);
  ASSERT_EQ(report.series.size(), kLatencySteps);
  for (std::size_t at = 1; at < kLatencySteps; ++at) {
    EXPECT_EQ(report.series[at].at - report.series[at - 1].at, 60s) << at;
  }
  EXPECT_LE(report.series.back().at, clock_.wall());
  EXPECT_GT(report.series.back().at, clock_.wall() - 60s);
}

TEST_F(LatencyWindowTest, AClockThatIsSetBackChangesNoWindow) {
  request(3ms);
  run_for(30s);
  clock_.set_back(2h);
  run_for(25s);
  EXPECT_EQ(windows_.windows().minute.requests, 1U);
  EXPECT_DOUBLE_EQ(windows_.windows().minute.seconds, 55);
  sample_after(10s);
  EXPECT_EQ(windows_.windows().minute.requests, 0U);
  EXPECT_EQ(windows_.windows().series.front().at, clock_.wall() - 65s);
}

TEST_F(LatencyWindowTest, SamplesInQuickSuccessionAreBounded) {
  for (int i = 0; i < 1000; ++i) {
    request(3ms);
    sample_after(10ms);
  }
  EXPECT_EQ(windows_.windows().minute.requests, kLatencySlicesMax);
  EXPECT_EQ(windows_.windows().hour.requests, 1000U);
  sample_after(0ms);
  EXPECT_EQ(windows_.windows().hour.requests, 1000U);
}

struct Percentiles {
  std::string name;
  std::vector<std::pair<nanoseconds, int>> requests;
  double p50, p90, p99, p999;
};

class LatencyPercentile : public LatencyWindowTest,
                          public testing::WithParamInterface<Percentiles> {};

TEST_P(LatencyPercentile, IsInterpolatedWithinItsBucket) {
  for (const auto& [took, times] : GetParam().requests) {
    for (int i = 0; i < times; ++i) request(took);
  }
  sample_after(5s);
  const auto found = windows_.windows().minute.percentiles;
  EXPECT_DOUBLE_EQ(*found.p50, GetParam().p50);
  EXPECT_DOUBLE_EQ(*found.p90, GetParam().p90);
  EXPECT_DOUBLE_EQ(*found.p99, GetParam().p99);
  EXPECT_DOUBLE_EQ(*found.p999, GetParam().p999);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LatencyPercentile,
    testing::Values(
        Percentiles{"within_the_first_bucket", {{10us, 1000}}, 25e-6, 45e-6, 49.5e-6, 49.95e-6},
        Percentiles{"one_request", {{1500us, 1}}, 1.5e-3, 1.9e-3, 1.99e-3, 1.999e-3},
        Percentiles{
            "at_the_edge_of_two", {{50us, 500}, {2ms, 500}}, 50e-6, 1.8e-3, 1.98e-3, 1.998e-3},
        Percentiles{"a_slow_tail",
                    {{50us, 998}, {60s, 2}},
                    50e-6 * 500 / 998,
                    50e-6 * 900 / 998,
                    50e-6 * 990 / 998,
                    20},
        Percentiles{"above_all_bounds", {{1min, 3}}, 20, 20, 20, 20}),
    [](const auto& test) { return test.param.name; });

TEST_F(LatencyWindowTest, ATunnelIsARequestWhoseLifeIsNoLatency) {
  request(1h, RequestResult::bypass, ObjectKind::other);
  sample_after(5s);
  EXPECT_EQ(windows_.windows().minute.requests, 1U);
  EXPECT_EQ(windows_.windows().minute.by_result[index(RequestResult::bypass)], 1U);
  EXPECT_FALSE(windows_.windows().minute.percentiles.p99);
  EXPECT_FALSE(windows_.windows().minute.hit_ratio);
}

struct Ratio {
  RequestResult result;
  ObjectKind kind;
  std::optional<double> expected;  // of one such request and one CRL that was a hit
};

class HitRatio : public LatencyWindowTest, public testing::WithParamInterface<Ratio> {};

TEST_P(HitRatio, CountsWhatIsAnsweredFromTheStore) {
  request(1ms);
  request(1ms, GetParam().result, GetParam().kind);
  sample_after(5s);
  EXPECT_EQ(windows_.windows().minute.hit_ratio, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Results, HitRatio,
                         testing::Values(Ratio{RequestResult::hit, ObjectKind::ocsp, 1},
                                         Ratio{RequestResult::stale, ObjectKind::aia, 1},
                                         Ratio{RequestResult::synthesized, ObjectKind::ocsp, 1},
                                         Ratio{RequestResult::miss, ObjectKind::crl, 0.5},
                                         Ratio{RequestResult::collapsed, ObjectKind::crl, 0.5},
                                         Ratio{RequestResult::revalidated, ObjectKind::crl, 0.5},
                                         Ratio{RequestResult::negative, ObjectKind::crl, 0.5},
                                         Ratio{RequestResult::error, ObjectKind::delta_crl, 0.5},
                                         Ratio{RequestResult::miss, ObjectKind::other, 1}));

TEST_F(LatencyWindowTest, ACollectorGivesTheSumOfAllLoops) {
  auto second = std::make_unique<LoopMetrics>();
  MetricsCollector collector({.version = "1", .revision = {}});
  collector.add_loop(loop_.get());
  collector.add_loop(second.get());
  request(1ms);
  second->request_duration[index(ObjectKind::ocsp)][index(RequestResult::miss)].observe(2ms);
  const auto sum = collector.latency_totals();
  EXPECT_EQ(sum.cacheable, 2U);
  EXPECT_EQ(sum.from_store, 1U);
}

TEST_F(LatencyWindowTest, IsReadWhileItIsWritten) {
  std::thread reader([this] {
    for (int i = 0; i < 200; ++i) {
      const auto report = windows_.windows();
      EXPECT_LE(report.minute.requests, report.hour.requests);
    }
  });
  for (int i = 0; i < 200; ++i) {
    request(1ms);
    windows_.record(totals());
  }
  reader.join();
  EXPECT_EQ(windows_.windows().hour.requests, 200U);
}

}  // namespace
}  // namespace revcache::metrics
