// A place to run something later: one event loop, seen from outside.
#pragma once

#include "base/callback.h"

namespace revcache::net {

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` on the loop, after the tasks posted before it, never inside the call. Any thread.
  // A task posted after the loop has stopped is destroyed without running.
  virtual void post(Callback<> task) = 0;
};

}  // namespace revcache::net
