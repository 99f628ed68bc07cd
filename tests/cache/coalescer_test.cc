#include "cache/coalescer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace revcache::cache {
namespace {

using Kind = FlightOutcome::Kind;
using Role = Coalescer::Role;

// Runs what was posted when the test says so, as a loop would.
class ManualExecutor final : public net::Executor {
 public:
  void post(Callback<> task) override { tasks_.push_back(std::move(task)); }
  void run() {
    for (auto& task : std::exchange(tasks_, {})) task();
  }

 private:
  std::vector<Callback<>> tasks_;
};

class CoalescerTest : public testing::Test {
 protected:
  Role join(const std::string& key) {
    return coalescer_.join(key, executor_,
                           [this](FlightOutcome outcome) { told_.push_back(outcome.kind); });
  }

  ManualExecutor executor_;
  Coalescer coalescer_{3, 42};
  std::vector<Kind> told_;
};

TEST_F(CoalescerTest, TheFirstLeadsAndTheOthersWait) {
  EXPECT_EQ(join("a"), Role::leader);
  EXPECT_EQ(join("a"), Role::waiter);
  EXPECT_EQ(join("b"), Role::leader) << "another key is another flight";
  EXPECT_EQ(coalescer_.flights(), 2U);
}

TEST_F(CoalescerTest, WaitersAreToldOnceAndNotInsideTheCall) {
  join("a");
  join("a");
  join("a");
  coalescer_.finish("a", {.kind = Kind::go_alone});
  EXPECT_TRUE(told_.empty());
  executor_.run();
  EXPECT_EQ(told_, (std::vector{Kind::go_alone, Kind::go_alone}));
  coalescer_.finish("a", {.kind = Kind::failed});
  executor_.run();
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(CoalescerTest, AFinishedKeyBeginsANewFlight) {
  join("a");
  coalescer_.finish("a", {.kind = Kind::go_alone});
  EXPECT_EQ(join("a"), Role::leader);
}

TEST_F(CoalescerTest, TheLongestWaiterInheritsTheLead) {
  std::vector<int> heirs;
  join("a");
  for (int i = 0; i < 2; ++i) {
    coalescer_.join("a", executor_, [&heirs, i](FlightOutcome outcome) {
      if (outcome.kind == Kind::lead) heirs.push_back(i);
    });
  }
  EXPECT_FALSE(coalescer_.was_handed_over("a"));
  coalescer_.hand_over("a");
  EXPECT_TRUE(coalescer_.was_handed_over("a"));
  executor_.run();
  EXPECT_EQ(heirs, std::vector{0});
  EXPECT_EQ(coalescer_.flights(), 1U) << "the other still waits";
}

TEST_F(CoalescerTest, HandingOverToNobodyEndsTheFlight) {
  join("a");
  coalescer_.hand_over("a");
  EXPECT_EQ(coalescer_.flights(), 0U);
  EXPECT_FALSE(coalescer_.was_handed_over("a"));
}

TEST_F(CoalescerTest, WaitersBeyondTheLimitAreTurnedAway) {
  join("a");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(join("a"), Role::waiter);
  EXPECT_EQ(join("a"), Role::overloaded);
}

}  // namespace
}  // namespace revcache::cache
