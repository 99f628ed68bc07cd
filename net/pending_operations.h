// Operations that live until they finish or their owner goes. Private to net/.
#pragma once

#include <memory>
#include <unordered_set>
#include <utility>

#include "base/callback.h"
#include "net/executor.h"

namespace revcache::net {

// Owner and operations are on one loop. An operation takes itself out (remove) before it calls
// back, as that call may destroy the owner and this with it.
class PendingOperations {
 public:
  PendingOperations() = default;
  PendingOperations(const PendingOperations&) = delete;
  PendingOperations& operator=(const PendingOperations&) = delete;
  ~PendingOperations() {
    // Emptied first: an operation that is destroyed finds nothing half gone here.
    const auto unfinished = std::exchange(operations_, {});
  }

  void add(std::shared_ptr<void> operation) { operations_.insert(std::move(operation)); }
  void remove(const std::shared_ptr<void>& operation) { operations_.erase(operation); }

  // For what is known at once: `done` must still not run inside the call that brought it.
  template <class Answer>
  void answer_later(Executor& executor, Callback<Answer> done, Answer answer) {
    auto waiting = std::make_shared<Callback<Answer>>(std::move(done));
    add(waiting);
    executor.post([this, weak = std::weak_ptr(waiting), answer = std::move(answer)]() mutable {
      const auto callback = weak.lock();
      if (!callback) return;  // and `this` is gone too
      remove(callback);
      (*callback)(std::move(answer));
    });
  }

 private:
  std::unordered_set<std::shared_ptr<void>> operations_;
};

}  // namespace revcache::net
