// A clock that stands still until it is told to move.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace revcache::metrics {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override {
    return WallTime{std::chrono::milliseconds{1700000000123}} + elapsed_;
  }
  [[nodiscard]] MonotonicTime monotonic() const override { return MonotonicTime{} + elapsed_; }
  void advance(std::chrono::milliseconds by) { elapsed_ += by; }

 private:
  std::chrono::milliseconds elapsed_{0};
};

}  // namespace revcache::metrics
