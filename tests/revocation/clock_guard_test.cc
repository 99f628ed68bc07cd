#include "revocation/clock_guard.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using namespace std::chrono_literals;
using testing::at;
using testing::expect_ok;
using testing::StateStoreTest;

constexpr std::int64_t kNoon = 1'800'000'000;

TEST(JudgeClock, MoreThanFiveMinutesBehindIsBehind) {
  struct Case {
    std::optional<WallSeconds> floor;
    WallTime now;
    ClockStanding standing;
  };
  const WallTime floor = at(kNoon);
  const std::vector<Case> cases{{std::nullopt, WallTime(0ms), ClockStanding::plausible},
                                {at(kNoon), floor, ClockStanding::plausible},
                                {at(kNoon), floor + 24h * 3650, ClockStanding::plausible},
                                {at(kNoon), floor - 5min, ClockStanding::plausible},
                                {at(kNoon), floor - 5min - 1ms, ClockStanding::behind},
                                {at(kNoon), WallTime(0ms), ClockStanding::behind}};
  for (const Case& one : cases) EXPECT_EQ(judge_clock(one.floor, one.now), one.standing);
}

// A step of a table: how far both clocks have come since the beginning, and what is to be persisted
// (how far the wall clock had come then).
struct Step {
  std::chrono::seconds wall;
  std::chrono::seconds monotonic;
  std::optional<std::chrono::seconds> this_update;
  std::optional<std::chrono::seconds> persisted;
  bool clean = true;
};

void expect_steps(const std::vector<Step>& steps) {
  CleanTime clean_time;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    const Step& step = steps[i];
    const auto absolute = [](const std::optional<std::chrono::seconds>& since) {
      return since ? std::optional(at(kNoon) + *since) : std::nullopt;
    };
    EXPECT_EQ(clean_time.sample(at(kNoon) + step.wall, MonotonicTime(step.monotonic),
                                absolute(step.this_update)),
              absolute(step.persisted));
    EXPECT_EQ(clean_time.is_clean(), step.clean);
  }
}

TEST(CleanTime, IsPersistedAtMostEachTenMinutes) {
  expect_steps({{0s, 0s, {}, 0s},
                {60s, 60s, {}, {}},
                {599s, 599s, {}, {}},
                {600s, 600s, {}, 600s},
                {1199s, 1199s, {}, {}},
                {5000s, 5000s, {}, 5000s}});
}

TEST(CleanTime, AClockThatLeaptAheadIsNotCleanUntilItComesBack) {
  expect_steps({{0s, 0s, {}, 0s},
                {660s + 300s, 660s, {}, 960s},  // as far as it may
                {3600s + 1320s, 1320s, {}, {}, false},
                {3600s + 9000s, 9000s, {}, {}, false},
                {9700s, 9700s, {}, 9700s}});
}

TEST(CleanTime, EvidenceAsNewAsTheLeapConfirmsIt) {
  expect_steps({{0s, 0s, {}, 0s},
                {86400s, 60s, -100s, {}, false},
                {86400s + 600s, 660s, 86399s, {}, false},
                {86400s + 700s, 760s, 86400s, 87100s},
                {86400s + 1300s, 1360s, 86400s, 87700s}});
}

TEST(CleanTime, AClockThatGoesBackIsTakenAsItIs) {
  expect_steps({{0s, 0s, {}, 0s}, {-100s, 600s, {}, -100s}, {500s, 1200s, {}, 500s}});
}

// Both clocks are set by hand.
class SetClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return wall_; }
  [[nodiscard]] MonotonicTime monotonic() const override { return monotonic_; }
  void pass(std::chrono::seconds time) {
    wall_ += time;
    monotonic_ += time;
  }
  void set(WallTime wall) { wall_ = wall; }

 private:
  WallTime wall_ = at(kNoon);
  MonotonicTime monotonic_;
};

class ClockGuardTest : public StateStoreTest {
 protected:
  ClockGuardTest() { open(); }
  SetClock clock_;
};

TEST_F(ClockGuardTest, ANewInstallationTakesAnyClock) {
  ClockGuard guard(*store_, clock_);
  expect_ok(guard.load());
  EXPECT_EQ(guard.floor(), std::nullopt);
  EXPECT_FALSE(guard.is_behind());
  EXPECT_EQ(guard.wall(), clock_.wall());
}

TEST_F(ClockGuardTest, TheNewestThisUpdateCountsAtOnceAndAfterARestart) {
  ClockGuard guard(*store_, clock_);
  expect_ok(guard.load());
  expect_ok(guard.saw(at(kNoon + 1000)));
  expect_ok(guard.saw(at(kNoon + 10)));
  EXPECT_TRUE(guard.is_behind()) << "the clock says noon";
  EXPECT_EQ(guard.wall(), at(kNoon + 1000));
  EXPECT_EQ(guard.standing(at(kNoon + 1000)), ClockStanding::plausible);
  open();
  ClockGuard again(*store_, clock_);
  expect_ok(again.load());
  EXPECT_EQ(again.floor(), at(kNoon + 1000));
  EXPECT_TRUE(again.is_behind());
}

TEST_F(ClockGuardTest, TheCleanTimeIsPersistedNowAndThen) {
  ClockGuard guard(*store_, clock_);
  expect_ok(guard.sample());
  EXPECT_EQ(store_->clock_floor(), at(kNoon));
  clock_.pass(300s);
  expect_ok(guard.sample());
  EXPECT_EQ(store_->clock_floor(), at(kNoon));
  clock_.pass(300s);
  expect_ok(guard.sample());
  EXPECT_EQ(store_->clock_floor(), at(kNoon + 600));
  EXPECT_EQ(guard.floor(), at(kNoon + 600));
}

TEST_F(ClockGuardTest, AClockThatIsBehindIsNotSampled) {
  ClockGuard guard(*store_, clock_);
  expect_ok(guard.sample());
  clock_.set(at(kNoon - 3600));
  expect_ok(guard.sample());
  EXPECT_TRUE(guard.is_behind());
  EXPECT_EQ(store_->clock_floor(), at(kNoon));
}

TEST_F(ClockGuardTest, AnHourAYearAheadDoesNotCostAYear) {
  ClockGuard guard(*store_, clock_);
  expect_ok(guard.sample());
  clock_.set(at(kNoon) + 24h * 365);
  for (int i = 0; i < 60; ++i) {
    clock_.pass(60s);
    expect_ok(guard.sample());
  }
  clock_.set(at(kNoon + 3600));
  EXPECT_FALSE(guard.is_behind());
  expect_ok(guard.sample());
  EXPECT_EQ(guard.floor(), at(kNoon + 3600));
}

TEST_F(ClockGuardTest, AResetLowersTheBoundDurably) {
  ClockGuard guard(*store_, clock_);
  expect_ok(guard.saw(at(kNoon + 86400)));
  EXPECT_TRUE(guard.is_behind());
  expect_ok(guard.reset(at(kNoon)));
  EXPECT_FALSE(guard.is_behind());
  EXPECT_EQ(store_->clock_floor(), at(kNoon));
  expect_ok(guard.saw(at(kNoon + 20)));
  EXPECT_EQ(store_->clock_floor(), at(kNoon + 20));
}

TEST_F(ClockGuardTest, WhatManyThreadsSawIsPersisted) {
  ClockGuard guard(*store_, clock_);
  std::vector<std::jthread> threads;
  for (std::int64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&guard, thread] {
      for (std::int64_t i = 0; i < 50; ++i) {
        expect_ok(guard.saw(at(kNoon + i * 4 + thread)));
        EXPECT_GE(guard.floor(), at(kNoon + i * 4 + thread));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(store_->clock_floor(), at(kNoon + 199));
}

}  // namespace
}  // namespace revcache::revocation
