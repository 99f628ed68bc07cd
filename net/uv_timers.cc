#include "net/uv_timers.h"

#include <uv.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "net/uv_handle.h"

namespace revcache::net {

namespace {

// libuv counts from the start of the loop's round, in whole milliseconds, both cut down. What has
// passed since then, and one for what was cut, keep a timer from firing early. That the sum is
// never 0 also keeps a timer that arms itself anew from holding up the round.
std::uint64_t timeout_from_round_start(const uv_loop_t* loop, std::chrono::milliseconds delay) {
  constexpr std::uint64_t kNanosecondsPerMillisecond = 1'000'000;
  const std::uint64_t now = uv_hrtime() / kNanosecondsPerMillisecond;
  const std::uint64_t round_start = uv_now(loop);
  const auto wanted = static_cast<std::uint64_t>(std::max<std::int64_t>(delay.count(), 0));
  return wanted + (now > round_start ? now - round_start : 0) + 1;
}

class UvTimer final : public Timer {
 public:
  UvTimer(EventLoop& loop, std::chrono::milliseconds delay, Callback<> fire)
      : loop_(loop), fire_(std::move(fire)) {
    auto timer = std::make_unique<uv_timer_t>();
    CHECK(uv_timer_init(loop.uv_loop(), timer.get()) == 0);
    handle_.reset(timer.release());
    handle_->data = this;
    const auto timeout = timeout_from_round_start(loop.uv_loop(), delay);
    CHECK(uv_timer_start(handle_.get(), on_uv_timer, timeout, 0) == 0);
  }

 private:
  static void on_uv_timer(uv_timer_t* handle) noexcept {
    auto* self = static_cast<UvTimer*>(handle->data);
    if (self == nullptr) return;
    self->loop_.on_wakeup();
    // Out of the timer first: it may be destroyed by what it calls.
    auto fire = std::exchange(self->fire_, nullptr);
    fire();
  }

  EventLoop& loop_;
  Callback<> fire_;
  UvHandle<uv_timer_t> handle_;
};

}  // namespace

std::unique_ptr<Timer> UvTimers::after(std::chrono::milliseconds delay, Callback<> fire) {
  return std::make_unique<UvTimer>(loop_, delay, std::move(fire));
}

}  // namespace revcache::net
