// One event loop: a thread's uv_loop_t, seen from outside as a place to post tasks to and as a
// cheap clock. Everything else of net/ that waits hangs on one of these.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.h"
#include "metrics/counter.h"
#include "net/executor.h"
#include "net/foreign_types.h"

namespace revcache::net {

// Created, run and destroyed on one thread; post(), stop(), wall() and monotonic() may be called on
// any. Whatever uses the loop (streams, listeners, timers, …) is destroyed before it: the
// destructor CHECKs that no handle is left open.
class EventLoop final : public Executor, public Clock {
 public:
  static constexpr std::size_t kReadBufferBytes = std::size_t{64} * 1024;
  // What one round reads of all streams together, beyond the first buffer of each: some 0.3 ms of
  // copying into memory that was never used. The rest is read in the next rounds, which look at the
  // other streams first.
  static constexpr std::size_t kReadBytesPerRoundMax = 4 * kReadBufferBytes;

  // What sockets take in one round of long bodies that go on by themselves: some 0.5 ms of copying.
  // Without a bound a reader that keeps up has a whole body in one round.
  static constexpr std::size_t kWriteBytesPerRoundMax = std::size_t{2} * 1024 * 1024;

  // Also makes the process ignore SIGPIPE: a write to a closed connection fails with an error.
  // `lag`, which outlives the loop, is told of each round that had something to do how long its
  // callbacks took, from the end of a wait to the beginning of the next: one clock read a round.
  explicit EventLoop(metrics::LoopLagHistogram* lag = nullptr);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // Destroys the tasks that have not run, waits for background work still running, closes.
  ~EventLoop() override;

  // Returns after stop(). May be called again.
  void run();
  // One round: waits until something happens, handles it, returns. For tests and for draining.
  void run_once();
  // Makes run() return soon, or the next one at once if none is running. Any thread.
  void stop();

  void post(Callback<> task) override;

  // Time as of the current round of the loop: taken once when the loop wakes up, so that reading it
  // costs a load. Off by as long as the callbacks of this round have run; see refresh().
  [[nodiscard]] WallTime wall() const override {
    return WallTime(std::chrono::milliseconds(wall_ms_.load(std::memory_order_relaxed)));
  }
  [[nodiscard]] MonotonicTime monotonic() const override {
    return MonotonicTime(std::chrono::nanoseconds(monotonic_ns_.load(std::memory_order_relaxed)));
  }
  // Takes the time anew. Loop thread only.
  void refresh();

  // For net/ only: each callback from libuv begins with it. Takes the time in the first callback
  // of a round.
  void on_wakeup() {
    if (time_is_old_) begin_callbacks();
  }

  // For net/ only. The one buffer that all streams of this loop read into: its content is good
  // until the callback that it is given to returns.
  [[nodiscard]] std::span<char> read_buffer() const noexcept {
    return {read_buffer_.get(), kReadBufferBytes};
  }
  // For net/ only. A stream that filled the buffer wants it again in this round: may it?
  void count_full_read() noexcept { read_in_round_ += kReadBufferBytes; }
  [[nodiscard]] bool may_read_on() const noexcept { return read_in_round_ < kReadBytesPerRoundMax; }
  // For net/ only. Who has written may hear of it, and go on, in this round?
  void count_written(std::size_t bytes) noexcept { written_in_round_ += bytes; }
  [[nodiscard]] bool may_write_on() const noexcept {
    return written_in_round_ < kWriteBytesPerRoundMax;
  }
  [[nodiscard]] uv_loop_s* uv_loop() const noexcept;

 private:
  struct Core;

  void run_posted();
  void begin_callbacks();
  void end_round();

  std::unique_ptr<Core> core_;
  std::unique_ptr<char[]> read_buffer_;
  std::atomic<std::int64_t> wall_ms_{0};
  std::atomic<std::int64_t> monotonic_ns_{0};
  std::size_t read_in_round_ = 0;     // by reads that filled the buffer
  std::size_t written_in_round_ = 0;  // by writes that hold their pieces
  bool time_is_old_ = true;
  metrics::LoopLagHistogram* lag_;
  std::optional<MonotonicTime> busy_since_;  // of this round; nothing before its first callback
};

}  // namespace revcache::net
