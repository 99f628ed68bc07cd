#include "net/uv_background_work.h"

#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "loop_fixture.h"

namespace revcache::net {
namespace {

class UvBackgroundWorkTest : public LoopTest {
 protected:
  WorkLimits limits_{{.disk_max = 3, .parse_max = 1, .sign_max = 64, .serialise_max = 1}};
};

TEST_F(UvBackgroundWorkTest, WorksOnAnotherThreadAndFinishesOnTheLoop) {
  UvBackgroundWork background(loop_, limits_);
  std::thread::id worked;
  std::thread::id finished;
  ASSERT_TRUE(background.submit(
      WorkKind::disk, [&] { worked = std::this_thread::get_id(); },
      [&] { finished = std::this_thread::get_id(); }));
  ASSERT_TRUE(run_until([&] { return finished != std::thread::id(); }));
  EXPECT_EQ(finished, std::this_thread::get_id());
  EXPECT_NE(worked, std::thread::id());
  EXPECT_NE(worked, finished);
}

TEST_F(UvBackgroundWorkTest, RefusesPastTheLimitOfAKindForAllLoopsTogetherWithoutRunningAnything) {
  EventLoop other_loop;
  UvBackgroundWork background(loop_, limits_);
  UvBackgroundWork elsewhere(other_loop, limits_);
  std::latch go(1);
  int done = 0;
  bool ran_refused = false;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(background.submit(WorkKind::disk, [&] { go.wait(); }, [&] { ++done; }));
  }
  for (UvBackgroundWork* each : {&background, &elsewhere}) {
    EXPECT_FALSE(
        each->submit(WorkKind::disk, [&] { ran_refused = true; }, [&] { ran_refused = true; }));
  }
  EXPECT_TRUE(background.submit(WorkKind::parse, [] {}, [&] { ++done; }));
  EXPECT_EQ(limits_.in_use(WorkKind::disk), 3U);
  go.count_down();
  ASSERT_TRUE(run_until([&] { return done == 4; }));
  EXPECT_FALSE(ran_refused);
  EXPECT_EQ(limits_.in_use(WorkKind::disk), 0U);
  ASSERT_TRUE(background.submit(WorkKind::disk, [] {}, [&] { ++done; }));
  ASSERT_TRUE(run_until([&] { return done == 5; }));
}

TEST_F(UvBackgroundWorkTest, IsIdleAfterTheLastDoneAndWhatThatStarted) {
  UvBackgroundWork background(loop_, limits_);
  std::latch go(1);
  std::vector<std::string> order;
  ASSERT_TRUE(background.submit(
      WorkKind::disk, [&] { go.wait(); },
      [&] {
        order.emplace_back("first");
        EXPECT_TRUE(
            background.submit(WorkKind::disk, [] {}, [&] { order.emplace_back("second"); }));
      }));
  background.when_idle([&] { order.emplace_back("idle"); });
  EXPECT_TRUE(order.empty()) << "never before the call returns";
  go.count_down();
  ASSERT_TRUE(run_until([&] { return order.size() == 3; }));
  EXPECT_EQ(order, (std::vector<std::string>{"first", "second", "idle"}));
  background.when_idle([&] { order.emplace_back("idle again"); });
  ASSERT_TRUE(run_until([&] { return order.size() == 4; }));
}

TEST_F(UvBackgroundWorkTest, ThatEndsInItsLastDoneIsNeverIdle) {
  auto background = std::make_unique<UvBackgroundWork>(loop_, limits_);
  bool ended = false;
  bool idle = false;
  ASSERT_TRUE(background->submit(
      WorkKind::disk, [] {},
      [&] {
        background.reset();
        ended = true;
      }));
  background->when_idle([&] { idle = true; });
  ASSERT_TRUE(run_until([&] { return ended; }));
  loop_.post([] {});
  loop_.run_once();
  EXPECT_FALSE(idle);
}

TEST_F(UvBackgroundWorkTest, EndingTakesBackWhatWaitsFinishesWhatRunsAndRunsNoDone) {
  std::optional<UvBackgroundWork> background(std::in_place, loop_, limits_);
  const auto owned = std::make_shared<int>(0);
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::latch one_runs(1);
  bool done_ran = false;
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(background->submit(
        WorkKind::sign,
        [&, owned] {
          if (begun.fetch_add(1) == 0) one_runs.count_down();
          ended.fetch_add(1);
        },
        [&done_ran, owned] { done_ran = true; }));
  }
  one_runs.wait();
  background.reset();
  EXPECT_EQ(begun.load(), ended.load());
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_EQ(limits_.in_use(WorkKind::sign), 0U);
  run_rounds();
  EXPECT_FALSE(done_ran);
}

TEST_F(UvBackgroundWorkTest, WhatIsAbandonedHasEndedAndOtherWorkMayFollow) {
  UvBackgroundWork background(loop_, limits_);
  std::latch runs(1);
  std::atomic<bool> may_end = false;
  bool ended = false;
  bool done_ran = false;
  ASSERT_TRUE(background.submit(
      WorkKind::serialise,
      [&] {
        runs.count_down();
        may_end.wait(false);
        ended = true;
      },
      [&] { done_ran = true; }));
  runs.wait();
  std::jthread later([&] {
    may_end = true;
    may_end.notify_one();
  });
  background.abandon();
  EXPECT_TRUE(ended);
  bool followed = false;
  ASSERT_TRUE(background.submit(WorkKind::serialise, [] {}, [&] { followed = true; }));
  ASSERT_TRUE(run_until([&] { return followed; }));
  EXPECT_FALSE(done_ran);
}

TEST_F(UvBackgroundWorkTest, DoneMayEndTheBackgroundWorkItself) {
  std::optional<UvBackgroundWork> background(std::in_place, loop_, limits_);
  ASSERT_TRUE(background->submit(WorkKind::disk, [] {}, [&] { background.reset(); }));
  ASSERT_TRUE(run_until([&] { return !background; }));
}

TEST_F(UvBackgroundWorkTest, FreesWhatTheWorkHeldOnThePoolThread) {
  UvBackgroundWork background(loop_, limits_);
  std::thread::id freed_on;
  const auto here = std::this_thread::get_id();
  bool done = false;
  auto held = std::shared_ptr<int>(new int(1), [&](int* value) {
    freed_on = std::this_thread::get_id();
    delete value;
  });
  ASSERT_TRUE(background.submit(WorkKind::disk, [held = std::move(held)] {}, [&] { done = true; }));
  ASSERT_TRUE(run_until([&] { return done; }));
  EXPECT_NE(freed_on, std::thread::id());
  EXPECT_NE(freed_on, here);
}

}  // namespace
}  // namespace revcache::net
