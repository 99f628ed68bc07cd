// Data reachable only under its lock.
#pragma once

#include <mutex>
#include <utility>

namespace revcache {

// `guarded.with([](State& state) { … })`: the lock is held for the length of the call and the
// reference must not leave it. Any thread.
template <class T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  template <class Function>
  auto with(Function&& function) {
    std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(value_);
  }

  template <class Function>
  auto with(Function&& function) const {
    std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace revcache
