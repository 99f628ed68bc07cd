// When lines are written, and with which others.
#include "metrics/line_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "test_sink.h"

namespace revcache::metrics {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(LineWriter, LinesThatFollowSoonAreWrittenTogether) {
  const auto sink = std::make_shared<TestSink>();
  LineWriter writer(sink, 24h);
  ASSERT_TRUE(writer.push("first\n"));
  writer.flush();
  const int before = sink->writes();
  for (int at = 0; at < 100; ++at) EXPECT_TRUE(writer.push("x\n"));
  writer.flush();  // and whoever waits does not wait for more lines
  EXPECT_EQ(sink->writes(), before + 1);
  EXPECT_EQ(sink->lines().size(), 101U);
}

// The thread is asleep, or about to be, or lets lines gather: each is written without another.
TEST(LineWriter, NoLineHasToWaitForTheNext) {
  const auto sink = std::make_shared<TestSink>();
  LineWriter writer(sink, 0ms);
  for (int at = 1; at <= 1000; ++at) {
    ASSERT_TRUE(writer.push("x\n"));
    sink->wait_for_lines(at);
  }
}

TEST(LineWriter, TheEndDoesNotWaitForMoreLines) {
  const auto sink = std::make_shared<TestSink>();
  {
    LineWriter writer(sink, 24h);
    ASSERT_TRUE(writer.push("first\n"));
    writer.flush();
    ASSERT_TRUE(writer.push("last\n"));
  }
  EXPECT_THAT(sink->lines(), ElementsAre("first", "last"));
}

}  // namespace
}  // namespace revcache::metrics
