// Timers of one loop, kept by libuv in a heap.
#pragma once

#include "net/event_loop.h"
#include "net/timers.h"

namespace revcache::net {

// `loop` must outlive the timers made here. Loop thread only.
class UvTimers final : public Timers {
 public:
  explicit UvTimers(EventLoop& loop) : loop_(loop) {}

  [[nodiscard]] std::unique_ptr<Timer> after(std::chrono::milliseconds delay,
                                             Callback<> fire) override;

 private:
  EventLoop& loop_;
};

}  // namespace revcache::net
