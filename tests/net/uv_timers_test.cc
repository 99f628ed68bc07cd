#include "net/uv_timers.h"

#include "loop_fixture.h"

namespace revcache::net {
namespace {

using std::chrono::milliseconds;

class UvTimersTest : public LoopTest {};

TEST_F(UvTimersTest, FireOnceInTheOrderOfTheirDelays) {
  std::string order;
  const auto late = timers_.after(milliseconds(20), [&] { order += 'c'; });
  const auto soon = timers_.after(milliseconds(0), [&] { order += 'a'; });
  const auto middle = timers_.after(milliseconds(10), [&] { order += 'b'; });
  EXPECT_EQ(order, "");
  EXPECT_TRUE(run_until([&] { return order == "abc"; }));
  run_rounds();
  EXPECT_EQ(order, "abc");
}

// Also when the round in which it is armed has lasted for a while already.
TEST_F(UvTimersTest, NeverFireBeforeTheirDelayHasPassedOnTheMonotonicClock) {
  const SystemClock machine;
  for (int delay = 0; delay < 8; ++delay) {
    const auto round_start = machine.monotonic();
    while (machine.monotonic() - round_start < milliseconds(3)) {
    }
    const auto armed = machine.monotonic();
    bool fired = false;
    const auto timer = timers_.after(milliseconds(delay), [&] { fired = true; });
    ASSERT_TRUE(run_until([&] { return fired; }));
    EXPECT_GE(machine.monotonic() - armed, milliseconds(delay));
  }
}

TEST_F(UvTimersTest, DestroyingATimerDestroysItsCallbackUnrun) {
  const auto owned = std::make_shared<int>(0);
  bool fired = false;
  auto timer = timers_.after(milliseconds(0), [&fired, owned] { fired = true; });
  timer.reset();
  EXPECT_EQ(owned.use_count(), 1);
  bool later = false;
  const auto other = timers_.after(milliseconds(5), [&] { later = true; });
  EXPECT_TRUE(run_until([&] { return later; }));
  EXPECT_FALSE(fired);
}

TEST_F(UvTimersTest, ACallbackMayDestroyItsOwnTimer) {
  std::unique_ptr<Timer> timer;
  const auto owned = std::make_shared<int>(5);
  int seen = 0;
  timer = timers_.after(milliseconds(0), [&, owned] {
    timer.reset();
    seen = *owned;
  });
  EXPECT_TRUE(run_until([&] { return seen == 5; }));
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(UvTimersTest, ATimerThatArmsItselfAnewDoesNotHoldUpTheLoop) {
  std::unique_ptr<Timer> timer;
  bool over = false;
  int armed = 0;
  std::function<void()> arm = [&] {
    ++armed;
    if (!over) timer = timers_.after(milliseconds(0), [&] { arm(); });
  };
  arm();
  loop_.post([&] { over = true; });
  EXPECT_TRUE(run_until([&] { return over; }));
  EXPECT_LT(armed, 100);
}

}  // namespace
}  // namespace revcache::net
