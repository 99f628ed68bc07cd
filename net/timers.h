// Timers of one loop. Loop thread only.
#pragma once

#include <chrono>
#include <memory>

#include "base/callback.h"

namespace revcache::net {

// Owns one pending timer: destroying it cancels, and its callback is destroyed unrun.
class Timer {
 public:
  virtual ~Timer() = default;
};

class Timers {
 public:
  virtual ~Timers() = default;
  // Runs `fire` once, not before `delay` has passed on the monotonic clock (resolution 1 ms).
  // Never inside the call. The callback may destroy its own Timer.
  [[nodiscard]] virtual std::unique_ptr<Timer> after(std::chrono::milliseconds delay,
                                                     Callback<> fire) = 0;
};

}  // namespace revcache::net
