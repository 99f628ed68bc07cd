#include "net/signals.h"

#include <utility>

#include "base/check.h"
#include "net/uv_handle.h"

namespace revcache::net {

struct SignalWatcher::State : std::enable_shared_from_this<State> {
  State(EventLoop& its_loop, Callback<> callback)
      : loop(its_loop), on_signal(std::move(callback)) {}

  EventLoop& loop;
  Callback<> on_signal;
  UvHandle<uv_signal_t> handle;
};

SignalWatcher::SignalWatcher(EventLoop& loop, int signal_number, Callback<> on_signal)
    : state_(std::make_shared<State>(loop, std::move(on_signal))) {
  auto created = std::make_unique<uv_signal_t>();
  CHECK(uv_signal_init(loop.uv_loop(), created.get()) == 0);
  state_->handle.reset(created.release());
  state_->handle->data = state_.get();
  const auto on_uv_signal = [](uv_signal_t* handle, int) noexcept {
    auto* watched = static_cast<State*>(handle->data);
    if (watched == nullptr) return;
    // The callback stays while it runs, also when it destroys the watcher.
    const auto kept = watched->shared_from_this();
    kept->loop.on_wakeup();
    kept->on_signal();
  };
  CHECK(uv_signal_start(state_->handle.get(), on_uv_signal, signal_number) == 0);
}

SignalWatcher::~SignalWatcher() { state_->handle.reset(); }

}  // namespace revcache::net
