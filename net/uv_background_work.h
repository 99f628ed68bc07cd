// BackgroundWork on libuv's thread pool, which the whole process shares.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

#include "net/background_work.h"
#include "net/event_loop.h"

namespace revcache::net {

// Sizes the thread pool of the process, 1 to 1024. Effective only before its first use; call it in
// main before any other thread exists.
void size_thread_pool(unsigned threads);

// How many tasks of each kind may wait or run in the process. Shared by all loops; any thread.
class WorkLimits {
 public:
  struct Options {
    std::size_t disk_max = 256;
    std::size_t parse_max = 64;
    std::size_t sign_max = 256;
    std::size_t serialise_max = 16;
  };

  explicit WorkLimits(const Options& options) noexcept
      : max_{options.disk_max, options.parse_max, options.sign_max, options.serialise_max} {}

  // True: counted, until release().
  [[nodiscard]] bool try_acquire(WorkKind kind) noexcept;
  void release(WorkKind kind) noexcept;
  [[nodiscard]] std::size_t in_use(WorkKind kind) const noexcept;

 private:
  std::array<std::size_t, kWorkKinds> max_;
  std::array<std::atomic<std::size_t>, kWorkKinds> in_use_{};
};

// `loop` and `limits` must outlive it. Loop thread only.
//
// `work` must not throw, and is destroyed on the pool thread right after it ran: what is large is
// freed there. `done` is destroyed on the loop.
class UvBackgroundWork final : public BackgroundWork {
 public:
  UvBackgroundWork(EventLoop& loop, WorkLimits& limits)
      : loop_(loop), limits_(limits), self_(std::make_shared<UvBackgroundWork*>(this)) {}
  UvBackgroundWork(const UvBackgroundWork&) = delete;
  UvBackgroundWork& operator=(const UvBackgroundWork&) = delete;
  ~UvBackgroundWork() override;  // abandon()

  [[nodiscard]] bool submit(WorkKind kind, Callback<> work, Callback<> done) override;

  // Takes back what has not begun, waits (blocking) for what is running, since it may use what will
  // be destroyed next, and destroys the `done`s of both unrun.
  void abandon();

  // Runs `idle` on the loop, later, once nothing of this loop is under way. Replaces what was asked
  // before.
  void when_idle(Callback<> idle);

 private:
  struct Task;

  void look_whether_idle();

  EventLoop& loop_;
  WorkLimits& limits_;
  Task* first_ = nullptr;  // list of those whose `done` has not run
  Callback<> idle_;
  std::shared_ptr<UvBackgroundWork*> self_;  // null target once destroyed
};

}  // namespace revcache::net
