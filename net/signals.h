// Signals as callbacks on a loop.
#pragma once

#include <memory>

#include "base/callback.h"
#include "net/event_loop.h"

namespace revcache::net {

// Runs `on_signal` on the loop each time the process receives `signal_number` (signals that come
// fast may be seen as one). While a watcher exists the signal does nothing else. Loop thread only;
// the callback may destroy the watcher. `loop` must outlive it.
class SignalWatcher {
 public:
  SignalWatcher(EventLoop& loop, int signal_number, Callback<> on_signal);
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace revcache::net
