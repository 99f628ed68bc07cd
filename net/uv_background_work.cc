#include "net/uv_background_work.h"

#include <uv.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace revcache::net {

void size_thread_pool(unsigned threads) {
  constexpr unsigned kThreadsMax = 1024;  // libuv's own bound
  const std::string text = std::to_string(std::clamp(threads, 1U, kThreadsMax));
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet, as the header demands.
  CHECK(setenv("UV_THREADPOOL_SIZE", text.c_str(), 1) == 0);
}

bool WorkLimits::try_acquire(WorkKind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  auto& count = in_use_[index];
  if (count.fetch_add(1, std::memory_order_relaxed) < max_[index]) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void WorkLimits::release(WorkKind kind) noexcept {
  in_use_[static_cast<std::size_t>(kind)].fetch_sub(1, std::memory_order_relaxed);
}

std::size_t WorkLimits::in_use(WorkKind kind) const noexcept {
  return in_use_[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
}

// Lives until libuv has called back on the loop, also when its owner is gone.
struct UvBackgroundWork::Task {
  uv_work_t request{};
  WorkKind kind{};
  Callback<> work;
  Callback<> done;
  WorkLimits* limits = nullptr;
  std::atomic<bool> finished = false;  // `work` has run and is destroyed
  UvBackgroundWork* owner = nullptr;   // null: gone
  Task* previous = nullptr;
  Task* next = nullptr;

  void link(UvBackgroundWork& new_owner) {
    owner = &new_owner;
    next = owner->first_;
    if (next != nullptr) next->previous = this;
    owner->first_ = this;
  }

  void unlink() {
    (previous != nullptr ? previous->next : owner->first_) = next;
    if (next != nullptr) next->previous = previous;
    owner = nullptr;
    previous = next = nullptr;
  }

  static void on_pool(uv_work_t* request) noexcept {
    auto* task = static_cast<Task*>(request->data);
    task->work();
    task->work = nullptr;
    task->finished.store(true, std::memory_order_release);
    task->finished.notify_one();
  }

  static void on_loop(uv_work_t* request, int /*status*/) noexcept {
    const std::unique_ptr<Task> task(static_cast<Task*>(request->data));
    static_cast<EventLoop*>(request->loop->data)->on_wakeup();
    if (task->owner == nullptr) return;  // its owner has settled the rest
    task->limits->release(task->kind);
    UvBackgroundWork& owner = *task->owner;
    task->unlink();
    // Looked at after `done` has run, which may have more to do.
    if (owner.idle_ != nullptr) owner.look_whether_idle();
    auto callback = std::move(task->done);
    callback();
  }
};

bool UvBackgroundWork::submit(WorkKind kind, Callback<> work, Callback<> done) {
  if (!limits_.try_acquire(kind)) return false;
  auto task = std::make_unique<Task>();
  task->request.data = task.get();
  task->kind = kind;
  task->work = std::move(work);
  task->done = std::move(done);
  task->limits = &limits_;
  task->link(*this);
  Task* queued = task.release();  // on_loop takes it back
  CHECK(uv_queue_work(loop_.uv_loop(), &queued->request, Task::on_pool, Task::on_loop) == 0);
  return true;
}

void UvBackgroundWork::when_idle(Callback<> idle) {
  idle_ = std::move(idle);
  look_whether_idle();
}

void UvBackgroundWork::look_whether_idle() {
  loop_.post([self = self_] {
    UvBackgroundWork* alive = *self;
    if (alive == nullptr || alive->first_ != nullptr || alive->idle_ == nullptr) return;
    std::exchange(alive->idle_, nullptr)();
  });
}

UvBackgroundWork::~UvBackgroundWork() {
  *self_ = nullptr;
  abandon();
}

void UvBackgroundWork::abandon() {
  std::vector<Callback<>> unrun;
  std::vector<Task*> running;
  while (first_ != nullptr) {
    Task* task = first_;
    task->limits->release(task->kind);
    task->unlink();
    unrun.push_back(std::move(task->done));
    if (uv_cancel(reinterpret_cast<uv_req_t*>(&task->request)) == 0) {
      unrun.push_back(std::move(task->work));
    } else {
      running.push_back(task);
    }
  }
  // All are asked to stay away first, so that only those that run are waited for.
  for (Task* task : running) task->finished.wait(false, std::memory_order_acquire);
}

}  // namespace revcache::net
