#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "manual_clock.h"
#include "metrics/access_log.h"
#include "metrics/spdlog_log.h"
#include "test_sink.h"

namespace revcache::metrics {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

LogOptions logfmt() {
  LogOptions options;
  options.format = LogFormat::logfmt;
  return options;
}

class LogTest : public testing::Test {
 protected:
  std::vector<std::string> lines() {
    log_.flush();
    return sink_->lines();
  }

  ManualClock clock_;
  std::shared_ptr<TestSink> sink_ = std::make_shared<TestSink>();
  SpdlogLog log_{std::make_unique<LineWriter>(sink_), logfmt(), clock_};
  LoopMetrics metrics_;
};

TEST_F(LogTest, WritesEventsFromItsLevelUp) {
  log_.debug("quiet");
  log_.info("started", {{"workers", std::int64_t{2}}, {"version", "1.0"}});
  EXPECT_THAT(lines(), ElementsAre("ts=2023-11-14T22:13:20.123Z level=info event=started workers=2 "
                                   "version=1.0"));
}

TEST_F(LogTest, CountsEqualEventsOfAFloodInsteadOfWritingThem) {
  for (std::uint32_t at = 0; at < kEqualEventsPerSecondMax + 30; ++at)
    log_.error("upstream failed");
  log_.info("something else");
  EXPECT_EQ(lines().size(), kEqualEventsPerSecondMax + 1);
  clock_.advance(1s);
  log_.info("something else");
  const auto all = lines();
  ASSERT_EQ(all.size(), kEqualEventsPerSecondMax + 3);
  EXPECT_THAT(
      all[all.size() - 2],
      HasSubstr("level=warning event=\"events suppressed\" of=\"upstream failed\" lines=30"));
  log_.error("upstream failed");
  EXPECT_EQ(lines().size(), kEqualEventsPerSecondMax + 4);
}

TEST(LogRecord, IsWrittenWhateverTheLevelAndTheFlood) {
  const ManualClock clock;
  const auto sink = std::make_shared<TestSink>();
  LogOptions options = logfmt();
  options.level = LogLevel::error;
  {
    SpdlogLog log(std::make_unique<LineWriter>(sink), options, clock);
    for (std::uint32_t at = 0; at < kEqualEventsPerSecondMax + 30; ++at) log.record("signed", {});
    log.info("not so", {});
  }
  EXPECT_EQ(sink->lines().size(), kEqualEventsPerSecondMax + 30);
}

TEST(LogEnd, ReportsWhatAFloodSuppressedUntilTheEnd) {
  const ManualClock clock;
  const auto sink = std::make_shared<TestSink>();
  {
    SpdlogLog log(std::make_unique<LineWriter>(sink), logfmt(), clock);
    for (std::uint32_t at = 0; at < kEqualEventsPerSecondMax + 5; ++at) log.error("e");
  }
  EXPECT_THAT(sink->lines().back(), HasSubstr("event=\"events suppressed\" of=e lines=5"));
}

TEST_F(LogTest, NeverWaitsForASlowDiskAndSaysWhatItDropped) {
  sink_->hold();
  ASSERT_TRUE(log_.writer().push("first\n"));
  sink_->wait_until_held();
  std::size_t taken = 0;
  while (log_.writer().push("x\n")) ++taken;
  EXPECT_EQ(taken, kWaitingLinesMax);
  log_.info("lost");
  EXPECT_EQ(log_.lines_dropped(), 1U);
  sink_->release();
  log_.flush();
  log_.info("after");
  const auto all = lines();
  EXPECT_EQ(all.size(), 1 + kWaitingLinesMax + 2);
  EXPECT_THAT(all[all.size() - 2], HasSubstr("event=\"log lines dropped\" lines=1"));
  EXPECT_THAT(all.back(), HasSubstr("event=after"));
}

TEST_F(LogTest, BoundsTheBytesThatWait) {
  sink_->hold();
  ASSERT_TRUE(log_.writer().push("first\n"));
  sink_->wait_until_held();
  const std::string big(kWaitingBytesMax / 4, 'x');
  for (int at = 0; at < 4; ++at) EXPECT_TRUE(log_.writer().push(big));
  EXPECT_FALSE(log_.writer().push("x\n"));
  sink_->release();
}

TEST_F(LogTest, SurvivesADiskThatIsFull) {
  sink_->refuse(true);
  log_.info("lost");
  log_.flush();
  EXPECT_EQ(log_.lines_dropped(), 1U);
  sink_->refuse(false);
  log_.info("kept");
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("event=kept")));
}

TEST_F(LogTest, KeepsTheLinesOfEachThreadWholeAndInOrder) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([this, id] {
      for (int at = 0; at < 500; ++at) {
        EXPECT_TRUE(log_.writer().push(std::to_string(id) + ' ' + std::to_string(at) + '\n'));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<int> next(4, 0);
  for (const std::string& line : lines()) {
    int id = -1;
    int at = -1;
    std::istringstream(line) >> id >> at;
    ASSERT_TRUE(id >= 0 && id < 4) << line;
    EXPECT_EQ(at, next[static_cast<std::size_t>(id)]++);
  }
  EXPECT_THAT(next, ElementsAre(500, 500, 500, 500));
}

AccessRecord record() {
  AccessRecord one;
  one.time = WallTime{1700000000123ms};
  one.client = *SocketAddress::parse("192.0.2.7:50000");
  one.method = "GET";
  one.url = "http://crl.example.com/a.crl";
  one.status = 200;
  one.bytes = 1234;
  one.duration = 1234567ns;
  one.kind = ObjectKind::crl;
  one.result = RequestResult::miss;
  one.cache_status = "revcache; fwd=uri-miss; stored";
  return one;
}

TEST_F(LogTest, WritesOneLineForARequest) {
  AccessLog access(log_, AccessLogMode::misses, metrics_);
  access.write(record());
  EXPECT_THAT(lines(),
              ElementsAre("ts=2023-11-14T22:13:20.123Z level=info event=request "
                          "client=192.0.2.7:50000 method=GET url=http://crl.example.com/a.crl "
                          "status=200 bytes=1234 duration_ms=1.234 kind=crl result=miss "
                          "cache_status=\"revcache; fwd=uri-miss; stored\""));
}

TEST_F(LogTest, TakesWhatItsModeAsksFor) {
  AccessLog access(log_, AccessLogMode::off, metrics_);
  EXPECT_FALSE(access.wants(true));
  EXPECT_FALSE(access.wants(false));
  access.set_mode(AccessLogMode::misses);
  EXPECT_FALSE(access.wants(true));
  EXPECT_TRUE(access.wants(false));
  access.set_mode(AccessLogMode::all);
  EXPECT_TRUE(access.wants(true));
  EXPECT_TRUE(access.wants(false));
}

TEST_F(LogTest, AFloodOfRefusalsIsSampledAndCounted) {
  {
    AccessLog access(log_, AccessLogMode::all, metrics_);
    AccessRecord denied = record();
    denied.result = RequestResult::denied;
    for (std::uint32_t i = 0; i < kFailedRequestsPerSecondMax + 7; ++i) access.write(denied);
    for (std::uint32_t i = 0; i < kFailedRequestsPerSecondMax + 7; ++i) access.write(record());
    EXPECT_EQ(lines().size(), 2 * kFailedRequestsPerSecondMax + 7) << "of misses none is left out";
    AccessRecord later = record();
    later.now += 2s;
    access.write(later);
    EXPECT_THAT(lines(), Contains(HasSubstr("level=warning event=\"requests suppressed\" "
                                            "result=denied lines=7")));
    denied.now = later.now;
    for (std::uint32_t i = 0; i < kFailedRequestsPerSecondMax + 3; ++i) access.write(denied);
  }
  EXPECT_THAT(lines(), Contains(HasSubstr("result=denied lines=3"))) << "at the end at the latest";
}

// What a client and what upstream may send, wherever it ends up.
TEST_F(LogTest, HostileOctetsInARequestLeaveOneCleanLine) {
  const std::string octets =
      "a\x1b[2J\x9b\r\nlevel=error \"\\=\x7f\xc2\x9b\xe2\x80\xae\xff" + std::string(1, '\0');
  AccessRecord hostile = record();
  hostile.method = octets;
  hostile.url = octets;
  hostile.cache_status = octets;
  hostile.error = octets;
  for (const LogFormat format : {LogFormat::json, LogFormat::logfmt}) {
    LogOptions options;
    options.format = format;
    const auto sink = std::make_shared<TestSink>();
    SpdlogLog log(std::make_unique<LineWriter>(sink), options, clock_);
    AccessLog(log, AccessLogMode::all, metrics_).write(hostile);
    log.warning("body refused", {{"url", std::string_view(octets)}});
    log.flush();
    EXPECT_EQ(sink->lines().size(), 2U);
    for (const std::string& line : sink->lines()) {
      for (const char c : line) {
        const auto octet = static_cast<unsigned char>(c);
        EXPECT_TRUE(octet >= 0x20 && octet != 0x7f) << line;
      }
      EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos) << "C1";
      EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos) << "right-to-left override";
    }
  }
}

TEST_F(LogTest, CountsRequestLinesThatFoundNoRoom) {
  AccessLog access(log_, AccessLogMode::all, metrics_);
  sink_->hold();
  ASSERT_TRUE(log_.writer().push("first\n"));
  sink_->wait_until_held();
  while (log_.writer().push("x\n")) {
  }
  access.write(record());
  EXPECT_EQ(metrics_.access_log_lines_dropped.value(), 1U);
  sink_->release();
}

class LogFile : public testing::Test {
 protected:
  LogFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~LogFile() override { std::filesystem::remove_all(directory_); }

  static std::string contents(const std::string& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  ManualClock clock_;
  std::string directory_;
};

TEST_F(LogFile, GoesOnInANewFileAfterRotation) {
  LogOptions options = logfmt();
  options.file = directory_ + "/revcache.log";
  auto log = make_log(options, clock_);
  ASSERT_TRUE(log);
  (*log)->info("before");
  (*log)->flush();
  std::filesystem::rename(options.file, options.file + ".1");
  (*log)->info("between");
  ASSERT_TRUE((*log)->reopen());
  (*log)->info("after");
  (*log)->flush();
  EXPECT_THAT(contents(options.file + ".1"), HasSubstr("event=between"));
  EXPECT_THAT(contents(options.file), HasSubstr("event=after"));
  EXPECT_THAT(contents(options.file), Not(HasSubstr("event=between")));
}

TEST_F(LogFile, AppendsToWhatIsThere) {
  LogOptions options = logfmt();
  options.file = directory_ + "/revcache.log";
  std::ofstream(options.file) << "old\n";
  auto log = make_log(options, clock_);
  ASSERT_TRUE(log);
  (*log)->info("new");
  (*log)->flush();
  EXPECT_THAT(contents(options.file), HasSubstr("old\nts="));
}

TEST_F(LogFile, AppliesNewOptionsAndKeepsTheOldFileWhenTheNewOneCannotBeOpened) {
  LogOptions options = logfmt();
  options.file = directory_ + "/revcache.log";
  auto log = make_log(options, clock_);
  ASSERT_TRUE(log);
  LogOptions changed = options;
  changed.format = LogFormat::json;
  changed.level = LogLevel::error;
  changed.file = directory_;  // a directory
  EXPECT_FALSE((*log)->apply(changed));
  (*log)->info("quiet");
  (*log)->error("loud");
  (*log)->flush();
  EXPECT_THAT(contents(options.file), HasSubstr("\"event\":\"loud\""));
  EXPECT_THAT(contents(options.file), Not(HasSubstr("quiet")));
}

TEST_F(LogFile, FailsToOpenWithTheReason) {
  LogOptions options;
  options.file = directory_;
  const auto log = make_log(options, clock_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().blame, Blame::local);
  EXPECT_THAT(log.error().detail, HasSubstr(directory_));
}

}  // namespace
}  // namespace revcache::metrics
