#include "net/event_loop.h"

#include <uv.h>

#include <csignal>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/guarded.h"

namespace revcache::net {

namespace {

struct PostQueue {
  std::vector<Callback<>> tasks;
  bool stop_asked = false;
};

}  // namespace

// The handles are members, not on their own on the heap: the destructor waits until they are
// closed.
struct EventLoop::Core {
  uv_loop_t loop{};
  uv_async_t posted{};
  uv_prepare_t before_poll{};
  uv_check_t after_poll{};
  Guarded<PostQueue> queue;
};

EventLoop::EventLoop(metrics::LoopLagHistogram* lag)
    : core_(std::make_unique<Core>()), read_buffer_(new char[kReadBufferBytes]), lag_(lag) {
  CHECK(std::signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  uv_loop_t* loop = &core_->loop;
  CHECK(uv_loop_init(loop) == 0);
  loop->data = this;
  CHECK(uv_async_init(loop, &core_->posted, [](uv_async_t* handle) noexcept {
          static_cast<EventLoop*>(handle->loop->data)->run_posted();
        }) == 0);

  // Time passes while the loop waits, and while it runs the callbacks of a round.
  CHECK(uv_prepare_init(loop, &core_->before_poll) == 0);
  CHECK(uv_prepare_start(&core_->before_poll, [](uv_prepare_t* handle) noexcept {
          static_cast<EventLoop*>(handle->loop->data)->end_round();
        }) == 0);
  CHECK(uv_check_init(loop, &core_->after_poll) == 0);
  CHECK(uv_check_start(&core_->after_poll, [](uv_check_t* handle) noexcept {
          static_cast<EventLoop*>(handle->loop->data)->time_is_old_ = true;
        }) == 0);
  refresh();
}

EventLoop::~EventLoop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&core_->before_poll), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&core_->after_poll), nullptr);

  // A task may own streams or post again when it is destroyed.
  for (;;) {
    auto unrun = core_->queue.with([](PostQueue& queue) { return std::exchange(queue.tasks, {}); });
    if (unrun.empty()) break;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&core_->posted), nullptr);

  // An open handle now would have the last round below wait for ever: say so instead.
  uv_walk(
      &core_->loop,
      [](uv_handle_t* handle, void*) { CHECK(uv_is_closing(handle) != 0 && "handle left open"); },
      nullptr);
  uv_run(&core_->loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&core_->loop) == 0);
}

void EventLoop::run() { uv_run(&core_->loop, UV_RUN_DEFAULT); }

void EventLoop::run_once() { uv_run(&core_->loop, UV_RUN_ONCE); }

void EventLoop::stop() {
  core_->queue.with([this](PostQueue& queue) {
    queue.stop_asked = true;
    uv_async_send(&core_->posted);
  });
}

void EventLoop::post(Callback<> task) {
  core_->queue.with([&](PostQueue& queue) {
    queue.tasks.push_back(std::move(task));
    // One wake-up takes all that is queued by then.
    if (queue.tasks.size() == 1) uv_async_send(&core_->posted);
  });
}

void EventLoop::run_posted() {
  on_wakeup();
  bool stop_asked = false;
  auto tasks = core_->queue.with([&](PostQueue& queue) {
    stop_asked = std::exchange(queue.stop_asked, false);
    return std::exchange(queue.tasks, {});
  });
  // What these tasks post runs in the next round, so that posting in a circle starves nobody.
  for (auto& task : tasks) {
    auto running = std::move(task);
    running();
  }
  if (stop_asked) uv_stop(&core_->loop);
}

void EventLoop::begin_callbacks() {
  refresh();
  if (!busy_since_) busy_since_ = monotonic();
}

// Sockets are served before the check handle, timers after it: only the next wait ends a round.
void EventLoop::end_round() {
  time_is_old_ = true;
  read_in_round_ = 0;
  written_in_round_ = 0;
  const auto since = std::exchange(busy_since_, std::nullopt);
  if (lag_ != nullptr && since) lag_->observe(SystemClock().monotonic() - *since);
}

void EventLoop::refresh() {
  const SystemClock machine;
  wall_ms_.store(machine.wall().time_since_epoch().count(), std::memory_order_relaxed);
  monotonic_ns_.store(machine.monotonic().time_since_epoch().count(), std::memory_order_relaxed);
  time_is_old_ = false;
}

uv_loop_s* EventLoop::uv_loop() const noexcept { return &core_->loop; }

}  // namespace revcache::net
