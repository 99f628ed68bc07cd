// Counts operations in flight and tells shutdown when none is left.
#pragma once

#include <cstddef>
#include <utility>

#include "base/callback.h"
#include "net/executor.h"

namespace revcache::net {

// Loop thread only. Outlives its passes; `executor` outlives the gate.
class Gate {
 public:
  // One operation in flight, for as long as it exists.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    friend class Gate;
    explicit Pass(Gate& gate) noexcept : gate_(&gate) {}
    Gate* gate_ = nullptr;
  };

  explicit Gate(Executor& executor) noexcept : executor_(executor) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();  // CHECKs that nothing is in flight

  // Never refuses: an operation that drains may need others to end.
  [[nodiscard]] Pass enter() noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }

  // Runs `on_idle` once, on the loop and not inside a call, after the last operation has left; soon
  // if there is none. Replaces the callback given before.
  void when_idle(Callback<> on_idle);

 private:
  void leave();
  void tell_if_idle();

  Executor& executor_;
  std::size_t in_flight_ = 0;
  Callback<> on_idle_;
};

}  // namespace revcache::net
