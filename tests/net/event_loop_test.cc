#include "net/event_loop.h"

#include <csignal>
#include <optional>
#include <thread>

#include "loop_fixture.h"
#include "net/gate.h"
#include "net/signals.h"

namespace revcache::net {
namespace {

class EventLoopTest : public LoopTest {};

TEST_F(EventLoopTest, RunsPostedTasksInTheirOrderAndNeverInsidePost) {
  std::string order;
  loop_.post([&] { order += 'a'; });
  loop_.post([&] {
    order += 'b';
    loop_.post([&] {
      order += 'd';
      loop_.stop();
    });
  });
  loop_.post([&] { order += 'c'; });
  EXPECT_EQ(order, "");
  loop_.run();
  EXPECT_EQ(order, "abcd");
}

TEST_F(EventLoopTest, RunsTasksOfOtherThreadsOnItsOwnThreadEachExactlyOnce) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 1000;
  const auto here = std::this_thread::get_id();
  int ran = 0;
  bool elsewhere = false;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int task = 0; task < kTasks; ++task) {
        loop_.post([&] {
          ++ran;
          elsewhere = elsewhere || std::this_thread::get_id() != here;
        });
      }
    });
  }
  EXPECT_TRUE(run_until([&] { return ran == kThreads * kTasks; }));
  for (auto& thread : threads) thread.join();
  run_rounds();
  EXPECT_EQ(ran, kThreads * kTasks);
  EXPECT_FALSE(elsewhere);
}

TEST_F(EventLoopTest, StopsWhenAnotherThreadAsks) {
  std::thread other([this] { loop_.stop(); });
  loop_.run();
  other.join();
}

TEST_F(EventLoopTest, StopBeforeRunMakesThatRunReturn) {
  loop_.stop();
  loop_.run();
  bool ran = false;
  loop_.post([&] {
    ran = true;
    loop_.stop();
  });
  loop_.run();
  EXPECT_TRUE(ran);
}

TEST(EventLoopEnd, DestroysTasksThatHaveNotRunWithoutRunningThem) {
  auto owned = std::make_shared<int>(1);
  bool ran = false;
  {
    EventLoop loop;
    loop.post([&ran, owned] { ran = true; });
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(EventLoopEnd, AbortsWhenAHandleIsLeftOpen) {
  EXPECT_DEATH(
      {
        auto loop = std::make_unique<EventLoop>();
        UvTimers timers(*loop);
        auto timer = timers.after(std::chrono::hours(1), [] {});
        loop.reset();
      },
      "handle left open");
}

TEST_F(EventLoopTest, TakesTheTimeOncePerRound) {
  std::optional<MonotonicTime> first;
  std::optional<MonotonicTime> later_in_the_same_round;
  std::optional<MonotonicTime> next_round;
  const auto burn = [] {
    const SystemClock machine;
    const auto start = machine.monotonic();
    while (machine.monotonic() - start < std::chrono::microseconds(10)) {
    }
  };
  loop_.post([&] {
    first = loop_.monotonic();
    burn();
    loop_.post([&] { next_round = loop_.monotonic(); });
  });
  loop_.post([&] { later_in_the_same_round = loop_.monotonic(); });
  ASSERT_TRUE(run_until([&] { return next_round.has_value(); }));
  EXPECT_EQ(*first, *later_in_the_same_round);
  EXPECT_GT(*next_round, *first);
  loop_.refresh();
  EXPECT_GT(loop_.monotonic(), *first);
}

void stay_busy_for(std::chrono::nanoseconds duration) {
  const SystemClock machine;
  const auto start = machine.monotonic();
  while (machine.monotonic() - start < duration) {
  }
}

// Rounds that took longer than the bound in front of bucket `first`.
std::uint64_t rounds_from(const metrics::LoopLagHistogram& lag, std::size_t first) {
  std::uint64_t rounds = 0;
  for (std::size_t at = first; at <= metrics::kLoopLagBoundsMicros.size(); ++at) {
    rounds += lag.bucket(at);
  }
  return rounds;
}

constexpr std::size_t kAbove2Ms = 6;
static_assert(metrics::kLoopLagBoundsMicros[kAbove2Ms - 1] == 2000);

TEST(EventLoopLag, ARoundIsOneObservationOfAllItsCallbacksTogether) {
  metrics::LoopLagHistogram lag;
  EventLoop loop(&lag);
  loop.post([] { stay_busy_for(std::chrono::milliseconds(2)); });
  loop.post([] { stay_busy_for(std::chrono::milliseconds(2)); });
  loop.run_once();
  EXPECT_EQ(rounds_from(lag, 0), 0U) << "a round ends with the next wait";
  loop.stop();
  loop.run_once();
  EXPECT_EQ(rounds_from(lag, 0), 1U);
  EXPECT_EQ(rounds_from(lag, kAbove2Ms), 1U);
  EXPECT_GE(lag.sum_seconds(), 0.004);
}

TEST(EventLoopLag, TimersCountTowardsTheRoundTheyRunIn) {
  metrics::LoopLagHistogram lag;
  EventLoop loop(&lag);
  UvTimers timers(loop);
  const auto timer = timers.after(std::chrono::milliseconds(1), [&loop] {
    stay_busy_for(std::chrono::milliseconds(3));
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(rounds_from(lag, 0), 1U);
  EXPECT_EQ(rounds_from(lag, kAbove2Ms), 1U);
}

TEST(EventLoopLag, WaitingIsNotBeingBusy) {
  constexpr std::chrono::milliseconds kWait{400};
  metrics::LoopLagHistogram lag;
  EventLoop loop(&lag);
  UvTimers timers(loop);
  const auto timer = timers.after(kWait, [&loop] { loop.stop(); });
  loop.run();
  EXPECT_EQ(rounds_from(lag, 0), 1U);
  EXPECT_LT(lag.sum_seconds(), std::chrono::duration<double>(kWait).count() / 2);
}

TEST_F(EventLoopTest, WallTimeIsThatOfTheMachine) {
  loop_.refresh();
  const auto difference = SystemClock().wall() - loop_.wall();
  EXPECT_LT(std::chrono::abs(difference), std::chrono::minutes(1));
}

class SignalTest : public LoopTest {};

TEST_F(SignalTest, RunsTheCallbackForEachSignal) {
  int seen = 0;
  const SignalWatcher watcher(loop_, SIGUSR1, [&] { ++seen; });
  for (int wanted = 1; wanted <= 3; ++wanted) {
    ASSERT_EQ(std::raise(SIGUSR1), 0);
    ASSERT_TRUE(run_until([&] { return seen == wanted; }));
  }
}

TEST_F(SignalTest, TheCallbackMayDestroyTheWatcher) {
  std::optional<SignalWatcher> watcher;
  const auto kept = std::make_shared<int>(7);
  int seen = 0;
  watcher.emplace(loop_, SIGUSR1, [&, kept] {
    watcher.reset();
    seen = *kept;
  });
  ASSERT_EQ(std::raise(SIGUSR1), 0);
  ASSERT_TRUE(run_until([&] { return seen == 7; }));
  EXPECT_EQ(kept.use_count(), 1);
}

class GateTest : public LoopTest {};

TEST_F(GateTest, TellsAtOnceButNotInsideTheCallWhenNothingIsInFlight) {
  Gate gate(loop_);
  bool idle = false;
  gate.when_idle([&] { idle = true; });
  EXPECT_FALSE(idle);
  EXPECT_TRUE(run_until([&] { return idle; }));
}

TEST_F(GateTest, TellsOnceAfterTheLastOperationHasLeft) {
  Gate gate(loop_);
  int told = 0;
  {
    auto first = gate.enter();
    auto second = gate.enter();
    EXPECT_EQ(gate.in_flight(), 2U);
    gate.when_idle([&] { ++told; });
    {
      const auto gone = std::move(first);
    }
    EXPECT_EQ(gate.in_flight(), 1U);
    run_rounds();
    EXPECT_EQ(told, 0);
  }
  EXPECT_TRUE(run_until([&] { return told == 1; }));
  {
    const auto after = gate.enter();
  }
  run_rounds();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace revcache::net
