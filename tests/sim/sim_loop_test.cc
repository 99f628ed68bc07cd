#include "tests/sim/sim_loop.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/sim_resolver.h"

namespace revcache::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SimScheduler, RunsEventsByTimeAndThenInTheOrderAdded) {
  SimScheduler scheduler;
  std::string order;
  scheduler.after(milliseconds(2), [&] { order += 'c'; });
  scheduler.after(milliseconds(1), [&] { order += 'a'; });
  scheduler.after(milliseconds(1), [&] { order += 'b'; });
  scheduler.run_for(milliseconds(1));
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(scheduler.elapsed(), milliseconds(1));
  scheduler.run_until_idle();
  EXPECT_EQ(order, "abc");
}

TEST(SimScheduler, StepsTheWallClockWithoutTouchingMonotonicTime) {
  SimScheduler scheduler;
  const auto wall = scheduler.wall();
  const auto monotonic = scheduler.monotonic();
  scheduler.step_wall(-seconds(90));
  EXPECT_EQ(scheduler.wall(), wall - seconds(90));
  EXPECT_EQ(scheduler.monotonic(), monotonic);
  scheduler.run_for(seconds(1));
  EXPECT_EQ(scheduler.wall(), wall - seconds(89));
}

TEST(SimTimers, FireOnceUnlessDestroyedBefore) {
  SimScheduler scheduler;
  SimTimers timers(scheduler);
  int fired = 0;
  auto kept = timers.after(milliseconds(5), [&] { ++fired; });
  auto cancelled = timers.after(milliseconds(5), [&] { fired += 100; });
  std::unique_ptr<net::Timer> suicidal = timers.after(milliseconds(5), [&] { suicidal.reset(); });
  EXPECT_EQ(timers.pending(), 3u);
  cancelled.reset();
  scheduler.run_for(milliseconds(4));
  EXPECT_EQ(fired, 0);
  scheduler.run_until_idle();
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(timers.pending(), 0u);
}

TEST(SimBackgroundWork, RefusesPastTheLimitOfItsKindAndTakesTheDelay) {
  SimScheduler scheduler;
  SimBackgroundWork work(scheduler);
  work.profile(net::WorkKind::disk) = {milliseconds(3), milliseconds(3), 1};
  std::string order;
  EXPECT_TRUE(work.submit(net::WorkKind::disk, [&] { order += 'w'; }, [&] { order += 'd'; }));
  EXPECT_FALSE(work.submit(net::WorkKind::disk, [&] { order += '!'; }, [&] { order += '!'; }));
  EXPECT_EQ(work.refused(), 1u);
  scheduler.run_for(milliseconds(2));
  EXPECT_EQ(order, "");
  scheduler.run_until_idle();
  EXPECT_EQ(order, "wd");
  EXPECT_EQ(work.in_flight(net::WorkKind::disk), 0u);
}

TEST(SimExecutor, RunsInOrderAndNothingAfterStop) {
  SimScheduler scheduler;
  SimExecutor executor(scheduler);
  std::string order;
  executor.post([&] { order += 'a'; });
  executor.post([&] { order += 'b'; });
  EXPECT_EQ(order, "");
  scheduler.run_until_idle();
  executor.post([&] { order += 'c'; });
  executor.stop();
  scheduler.run_until_idle();
  EXPECT_EQ(order, "ab");
}

TEST(SimResolver, AnswersFromItsTableInItsTime) {
  SimScheduler scheduler;
  SimResolver resolver(scheduler);
  resolver.set("a.test", {"2001:db8::1", "198.51.100.1"});
  resolver.name("slow.test") = {.delay = seconds(3)};
  resolver.name("silent.test") = {.answer = NameAnswer::silence};
  std::vector<std::string> answers;
  for (const auto* host : {"a.test", "slow.test", "silent.test", "nowhere.test"}) {
    resolver.resolve(host, seconds(1), [&answers, host](auto result) {
      answers.push_back(std::string(host) + ' ' +
                        (result ? result->addresses.front().to_string()
                                : std::string(to_string(result.error().code))));
    });
  }
  scheduler.run_until_idle();
  EXPECT_EQ(answers, (std::vector<std::string>{"a.test 2001:db8::1", "nowhere.test unreachable",
                                               "slow.test timed_out", "silent.test timed_out"}));
}

}  // namespace
}  // namespace revcache::sim
