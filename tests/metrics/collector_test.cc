#include "metrics/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "metrics/families.h"
#include "metrics/process_figures.h"

namespace revcache::metrics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class Collector : public testing::Test {
 protected:
  Collector() {
    collector_.add_loop(first_.get());
    collector_.add_loop(second_.get());
  }

  std::string text() const { return to_text(collector_.Collect()); }

  std::unique_ptr<LoopMetrics> first_ = std::make_unique<LoopMetrics>();
  std::unique_ptr<LoopMetrics> second_ = std::make_unique<LoopMetrics>();
  MetricsCollector collector_{BuildInfo{"1.2.3", "abc"}};
};

TEST_F(Collector, AddsUpWhatTheLoopsCounted) {
  const auto crl = index(ObjectKind::crl);
  first_->requests[crl][index(MethodLabel::get)][index(RequestResult::hit)].add(2);
  second_->requests[crl][index(MethodLabel::get)][index(RequestResult::hit)].add(3);
  first_->client_connections.add(5);
  second_->client_connections.add(-1);
  EXPECT_THAT(text(),
              HasSubstr("revcache_requests_total{kind=\"crl\",method=\"get\",result=\"hit\"} 5\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_client_connections 4\n"));
}

TEST_F(Collector, ShowsCoreSeriesFromZeroAndLeavesOutOtherUntouchedOnes) {
  EXPECT_THAT(
      text(),
      HasSubstr("revcache_requests_total{kind=\"aia\",method=\"get\",result=\"miss\"} 0\n"));
  EXPECT_THAT(
      text(),
      HasSubstr("revcache_requests_total{kind=\"ocsp\",method=\"post\",result=\"hit\"} 0\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_http_responses_total{code=\"504\"} 0\n"));
  EXPECT_THAT(text(), Not(HasSubstr("method=\"head\"")));
  EXPECT_THAT(text(), Not(HasSubstr("code=\"418\"")));
  first_->responses_by_status[418].add();
  EXPECT_THAT(text(), HasSubstr("revcache_http_responses_total{code=\"418\"} 1\n"));
}

TEST_F(Collector, HistogramsAreCumulativeInSeconds) {
  LatencyHistogram& histogram =
      first_->request_duration[index(ObjectKind::crl)][index(RequestResult::hit)];
  histogram.observe(50us);
  histogram.observe(60us);
  histogram.observe(30s);
  const std::string labels = "{kind=\"crl\",result=\"hit\"";
  const std::string name = "revcache_request_duration_seconds";
  EXPECT_THAT(text(), HasSubstr(name + "_bucket" + labels + ",le=\"5e-05\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_bucket" + labels + ",le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_bucket" + labels + ",le=\"20\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_bucket" + labels + ",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_count" + labels + "} 3\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_sum" + labels + "} 30.00011"));
}

TEST_F(Collector, TellsTheLagOfEachLoopByName) {
  LoopLagHistogram main_loop;
  collector_.add_loop_lag("main", &main_loop);
  collector_.add_loop_lag("worker0", &first_->loop_lag);
  first_->loop_lag.observe(40us);
  first_->loop_lag.observe(3ms);
  const std::string name = "revcache_event_loop_lag_seconds";
  EXPECT_THAT(text(), HasSubstr(name + "_count{loop=\"main\"} 0\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_bucket{loop=\"worker0\",le=\"5e-05\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_bucket{loop=\"worker0\",le=\"0.002\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_bucket{loop=\"worker0\",le=\"0.005\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr(name + "_bucket{loop=\"worker0\",le=\"1\"} 2\n"));
}

TEST_F(Collector, UpstreamsAreNamedAndSharedNamesAreOneSeries) {
  collector_.set_upstream_labels({"*.pki.azure.net", "other"});
  first_->upstream_requests[0][index(UpstreamOutcome::ok)].add(1);
  first_->upstream_requests[1][index(UpstreamOutcome::ok)].add(2);
  first_->upstream_requests[kUpstreamLabelsMax - 1][index(UpstreamOutcome::ok)].add(4);
  first_->upstream_duration[0][index(UpstreamPhase::connect)].observe(3ms);
  EXPECT_THAT(text(), HasSubstr("revcache_upstream_requests_total{upstream=\"*.pki.azure.net\","
                                "outcome=\"ok\"} 1\n"));
  EXPECT_THAT(text(),
              HasSubstr("revcache_upstream_requests_total{upstream=\"other\",outcome=\"ok\"} 6\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_upstream_request_duration_seconds_count{upstream=\"*.pki."
                                "azure.net\",phase=\"connect\"} 1\n"));
}

TEST_F(Collector, AnUpstreamIsUpWhileItsLastAnswerIsNotOlderThanItsLastFailure) {
  const std::string up = "revcache_upstream_up{upstream=\"a\"} ";
  const std::string answered = "revcache_upstream_last_success_timestamp_seconds{upstream=\"a\"} ";
  collector_.set_upstream_labels({"a", "b", "a"});
  EXPECT_THAT(text(), Not(HasSubstr("revcache_upstream_up")));  // nobody was asked
  first_->upstream_failed_at[0].set(1000);
  EXPECT_THAT(text(), HasSubstr(up + "0\n"));
  EXPECT_THAT(text(), Not(HasSubstr(answered)));
  second_->upstream_answered_at[2].set(2000);
  EXPECT_THAT(text(), HasSubstr(up + "1\n"));
  EXPECT_THAT(text(), HasSubstr(answered + "2\n"));
  first_->upstream_failed_at[0].set(2001);
  EXPECT_THAT(text(), HasSubstr(up + "0\n"));
  EXPECT_THAT(text(), HasSubstr(answered + "2\n"));
}

TEST_F(Collector, MissesAreThereFromZeroForEachKindAndCause) {
  second_->misses[index(ObjectKind::crl)][index(MissCause::evicted)].add(2);
  EXPECT_THAT(text(), HasSubstr("revcache_misses_total{kind=\"crl\",cause=\"evicted\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_misses_total{kind=\"ocsp\",cause=\"nonce\"} 0\n"));
}

TEST_F(Collector, LabelValuesAreEscaped) {
  collector_.set_upstream_labels({"a\"b\\c\nd"});
  EXPECT_THAT(text(), HasSubstr(R"(upstream="a\"b\\c\nd")"));
}

TEST_F(Collector, AsksTheCacheAtEachScrape) {
  std::uint64_t entries = 1;
  collector_.set_cache_source([&entries] {
    CacheFigures figures;
    figures.memory[index(ObjectKind::crl)] = {entries++, 100};
    figures.memory_evicted_in_use = 7;
    figures.memory_evicted_unused = 8;
    figures.memory_dropped_too_large = 9;
    figures.disk = CacheFigures::Disk{};
    figures.disk->allocated_bytes = 5000;
    figures.disk->by_kind[index(ObjectKind::ocsp)] = {11, 4000};
    figures.disk->evicted_in_use = 12;
    figures.disk->evicted_unused = 13;
    figures.disk->write_stalled = true;
    return figures;
  });
  EXPECT_THAT(text(), HasSubstr("revcache_cache_entries{kind=\"crl\",tier=\"memory\"} 1\n"));
  const std::string second = text();
  EXPECT_THAT(second, HasSubstr("revcache_cache_entries{kind=\"crl\",tier=\"memory\"} 2\n"));
  EXPECT_THAT(second, HasSubstr("revcache_disk_allocated_bytes 5000\n"));
  EXPECT_THAT(second, HasSubstr("revcache_cache_entries{kind=\"ocsp\",tier=\"disk\"} 11\n"));
  EXPECT_THAT(second, HasSubstr("revcache_cache_bytes{kind=\"ocsp\",tier=\"disk\"} 4000\n"));
  EXPECT_THAT(second, HasSubstr("revcache_cache_bytes{kind=\"crl\",tier=\"disk\"} 0\n"));
  const std::string evictions = "revcache_cache_evictions_total{tier=";
  EXPECT_THAT(second, HasSubstr(evictions + "\"memory\",reason=\"capacity\"} 7\n"));
  EXPECT_THAT(second, HasSubstr(evictions + "\"memory\",reason=\"unused\"} 8\n"));
  EXPECT_THAT(second, HasSubstr(evictions + "\"memory\",reason=\"too_large\"} 9\n"));
  EXPECT_THAT(second, HasSubstr(evictions + "\"disk\",reason=\"capacity\"} 12\n"));
  EXPECT_THAT(second, HasSubstr(evictions + "\"disk\",reason=\"unused\"} 13\n"));
  EXPECT_THAT(second, HasSubstr("revcache_rocksdb_write_stalled 1\n"));
}

TEST_F(Collector, TellsBuildReloadAndProcess) {
  collector_.set_last_reload(true, WallTime{1700000000500ms});
  EXPECT_THAT(text(), HasSubstr("revcache_config_last_reload_successful 1\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_config_last_reload_timestamp_seconds 1700000000.5\n"));
  collector_.set_last_reload(false, WallTime{1700000009000ms});
  EXPECT_THAT(text(), HasSubstr("revcache_config_last_reload_successful 0\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_config_last_reload_timestamp_seconds 1700000000.5\n"));
  EXPECT_THAT(text(),
              HasSubstr("revcache_build_info{version=\"1.2.3\",revision=\"abc\",compiler="));
  EXPECT_THAT(text(), HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(text(), HasSubstr("process_open_fds "));
}

TEST_F(Collector, FollowsTheNamingRulesOfPrometheus) {
  first_->collapse_wait[0].observe(1ms);
  first_->request_duration[0][0].observe(1ms);
  first_->upstream_duration[0][0].observe(1ms);
  collector_.set_cache_source([] {
    CacheFigures figures;
    figures.disk = CacheFigures::Disk{};
    return figures;
  });
  std::set<std::string> names;
  for (const auto& family : collector_.Collect()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_TRUE(family.name.starts_with("revcache_") || family.name.starts_with("process_"));
    EXPECT_EQ(family.name.ends_with("_total"), family.type == prometheus::MetricType::Counter)
        << family.name;
    if (family.type == prometheus::MetricType::Histogram) {
      EXPECT_TRUE(family.name.ends_with("_seconds")) << family.name;
    }
  }
  // A gauge x beside a counter x_total would be the same name to OpenMetrics.
  for (const std::string& name : names) EXPECT_FALSE(names.contains(name + "_total")) << name;
}

TEST_F(Collector, EverySeriesStandsOnce) {
  first_->responses_by_status[200].add();
  collector_.set_upstream_labels({"a", "b", "a", "other"});
  std::set<std::string> seen;
  const std::string all = text();
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    if (line.starts_with('#')) continue;
    EXPECT_TRUE(seen.insert(std::string(line.substr(0, line.rfind(' ')))).second) << line;
  }
  EXPECT_GT(seen.size(), 100U);
}

TEST_F(Collector, MayBeAskedWhileLoopsCount) {
  std::thread loop([this] {
    for (int at = 0; at < 20000; ++at) {
      first_->requests[0][0][0].add();
      first_->request_duration[0][0].observe(1ms);
    }
  });
  for (int at = 0; at < 5; ++at) EXPECT_THAT(text(), HasSubstr("revcache_requests_total"));
  loop.join();
  EXPECT_THAT(
      text(),
      HasSubstr("revcache_requests_total{kind=\"crl\",method=\"get\",result=\"hit\"} 20000\n"));
}

TEST(ProcessFigures, AreReadBehindACommandNameWithParentheses) {
  const KernelUnits units{.ticks_per_second = 100, .page_bytes = 4096, .boot_time_seconds = 1000};
  const auto figures = parse_process_stat(
      "4711 (a) b) S 1 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 12300 104857600 2560 "
      "18446744073709551615 1 1 0\n",
      units);
  ASSERT_TRUE(figures);
  EXPECT_DOUBLE_EQ(figures->cpu_seconds, 3);
  EXPECT_DOUBLE_EQ(figures->start_time_seconds, 1123);
  EXPECT_EQ(figures->virtual_bytes, 104857600U);
  EXPECT_EQ(figures->resident_bytes, 2560U * 4096U);
}

TEST(ProcessFigures, AreAbsentWhenTheFormIsAnother) {
  for (const std::string_view text :
       {"", "4711", "4711 (a) S 1 2", "4711 (a) S x x x x x x x x x x x x x x x x x x x x x x x"}) {
    EXPECT_FALSE(parse_process_stat(text, KernelUnits{})) << text;
  }
  EXPECT_FALSE(parse_boot_time("cpu 1 2 3\n"));
  EXPECT_EQ(parse_boot_time("cpu 1\nbtime 1700000000\nprocesses 5\n"), 1700000000.0);
}

TEST(ProcessFigures, OfThisProcessAreThere) {
  const auto figures = read_process_figures();
  ASSERT_TRUE(figures);
  EXPECT_GT(figures->resident_bytes, 100000U);
  EXPECT_GE(figures->open_fds, 3U);
  EXPECT_GT(figures->max_fds, figures->open_fds);
  EXPECT_GT(figures->start_time_seconds, 1.5e9);
}

}  // namespace
}  // namespace revcache::metrics
