// Time, always injected. Wall time (what certificates and HTTP dates speak of, can step) and
// monotonic time (what deadlines count in, never steps) are different types that do not mix.
#pragma once

#include <chrono>
#include <cstdint>

namespace revcache {

// Wall clock, UTC, millisecond resolution.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using WallSeconds = std::chrono::sys_seconds;

// Tag for monotonic time; its epoch is arbitrary and differs from process to process.
struct MonotonicEpoch {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<MonotonicEpoch>;
  static constexpr bool is_steady = true;
};
using MonotonicTime = std::chrono::time_point<MonotonicEpoch>;

// Source of both. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual MonotonicTime monotonic() const = 0;
};

// The machine's clocks. Stateless; any thread.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] MonotonicTime monotonic() const override;
};

}  // namespace revcache
