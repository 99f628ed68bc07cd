#include "revocation/refresher_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace revcache::revocation {
namespace {

constexpr auto kRegular = RefreshPriority::regular;
constexpr auto kUrgent = RefreshPriority::urgent;
constexpr auto kAsked = RefreshPriority::asked;

class RefresherQueueTest : public testing::Test {
 protected:
  // Urls "<host>1", "<host>2", …
  void push(const std::string& host, int count, RefreshPriority priority = kRegular) {
    for (int i = 0; i < count; ++i) {
      queue_.enter(host);
      queue_.push(host, host + std::to_string(++pushed_[host]), priority);
    }
  }
  // All that may begin now, "a1 b1".
  std::string take_all() {
    std::string taken;
    while (const auto turn = queue_.take()) taken += (taken.empty() ? "" : " ") + turn->url;
    return taken;
  }
  // Takes one after the other, each ending before the next.
  std::string take_in_turn() {
    std::string taken;
    while (const auto turn = queue_.take()) {
      taken += (taken.empty() ? "" : " ") + turn->url;
      queue_.finished(turn->host, true);
    }
    return taken;
  }

  RefresherQueue queue_{{.per_host_max = 2, .total_max = 4}};
  std::map<std::string, int> pushed_;
};

TEST_F(RefresherQueueTest, GivesEachHostItsTurnInTheOrderOfArrival) {
  push("a", 3);
  push("b", 2);
  push("c", 1);
  EXPECT_EQ(take_in_turn(), "a1 b1 c1 a2 b2 a3");
  EXPECT_EQ(queue_.waiting(), 0U);
  EXPECT_EQ(queue_.under_way(), 0U);
}

TEST_F(RefresherQueueTest, KeepsTheLimitsForEachHostAndInAll) {
  push("a", 9);
  EXPECT_EQ(take_all(), "a1 a2");
  push("b", 1);
  push("c", 9);
  EXPECT_EQ(take_all(), "b1 c1");
  queue_.finished("c", true);
  EXPECT_EQ(take_all(), "c2");
  queue_.finished("b", true);
  queue_.finished("a", true);
  EXPECT_EQ(queue_.under_way(), 2U);
}

TEST_F(RefresherQueueTest, TreatsALimitOfZeroAsOne) {
  queue_.set_limits({.per_host_max = 0, .total_max = 0});
  push("a", 2);
  EXPECT_EQ(take_all(), "a1");
}

TEST_F(RefresherQueueTest, PutsTheUrgentFirstWithoutStarvingTheRegular) {
  push("a", 4);
  push("b", 8, kUrgent);
  EXPECT_EQ(take_in_turn(), "b1 b2 b3 a1 b4 b5 b6 a2 b7 b8 a3 a4");
}

TEST_F(RefresherQueueTest, PutsTheAskedForBeforeAll) {
  push("a", 1);
  push("b", 1, kUrgent);
  push("c", 2, kAsked);
  EXPECT_EQ(take_in_turn(), "c1 c2 b1 a1");
}

// Each fetch there may take its whole time: they must not fill all places.
TEST_F(RefresherQueueTest, LeavesRoomBesideSilentHosts) {
  for (const auto* host : {"a", "b", "c"}) {
    push(host, 1);
    ASSERT_TRUE(queue_.take());
    queue_.finished(host, false);
  }
  for (const auto* host : {"a", "b", "c"}) push(host, 4);
  EXPECT_EQ(take_all(), "a2 b2");  // one each, half of all places
  push("d", 5);
  EXPECT_EQ(take_all(), "d1 d2");
  queue_.finished("a", false);
  EXPECT_EQ(take_all(), "c2");
  queue_.finished("c", true);  // it answers again: place for another silent one
  EXPECT_EQ(take_all(), "a3");
  queue_.finished("d", true);
  queue_.finished("d", true);
  EXPECT_EQ(take_all(), "d3 c3");
}

TEST_F(RefresherQueueTest, AsksASilentHostWhenAnAdministratorSaysSo) {
  push("a", 3);
  ASSERT_TRUE(queue_.take());
  queue_.finished("a", false);
  EXPECT_EQ(take_all(), "a2");
  push("a", 1, kAsked);
  EXPECT_EQ(take_all(), "a4");
}

TEST_F(RefresherQueueTest, ForgetsWhatWasErased) {
  push("a", 3);
  push("b", 1);
  queue_.erase("a", "a2");
  queue_.erase("b", "b1");
  queue_.erase("b", "never there");
  queue_.erase("nowhere", "a1");
  EXPECT_EQ(queue_.waiting(), 2U);
  EXPECT_EQ(take_in_turn(), "a1 a3");
}

TEST_F(RefresherQueueTest, ForgetsAHostWithItsLastUrlAlsoWhileOneIsUnderWay) {
  push("a", 1);
  EXPECT_EQ(take_all(), "a1");
  queue_.leave("a");
  queue_.finished("a", false);
  push("a", 2);  // no longer known as silent
  EXPECT_EQ(take_all(), "a2 a3");
}

TEST_F(RefresherQueueTest, IsEmptyAfterClear) {
  push("a", 3);
  push("b", 3, kUrgent);
  queue_.clear();
  EXPECT_EQ(queue_.waiting(), 0U);
  EXPECT_FALSE(queue_.take());
  push("a", 1);
  EXPECT_EQ(take_all(), "a4");
}

}  // namespace
}  // namespace revcache::revocation
