// Sends each new Snapshot to every loop, where it becomes a plain member (docs/architecture.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/callback.h"
#include "base/guarded.h"
#include "net/background_work.h"
#include "revocation/snapshot.h"

namespace revcache::revocation {

// The snapshot as one loop sees it. Loop thread only. Made before, and outliving, the requests that
// read it.
class LoopSnapshot {
 public:
  explicit LoopSnapshot(net::BackgroundWork& background) : background_(background) {}

  [[nodiscard]] const Snapshot& now() const noexcept { return *current_; }
  // For what must not change while something waits.
  [[nodiscard]] const SnapshotPtr& shared() const noexcept { return current_; }
  // Counts what was received: another number, another snapshot.
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }

  // The one before is freed off-loop: it may hold millions of entries.
  void receive(SnapshotPtr next);

 private:
  void free_old();

  net::BackgroundWork& background_;
  SnapshotPtr current_ = std::make_shared<const Snapshot>();
  std::uint64_t generation_ = 0;
  std::vector<SnapshotPtr> old_;  // waits for room in the queue of background work
};

// Any thread. A subscriber takes a snapshot to its loop: it posts, and returns at once. A fence is
// posted behind all that was sent, and says when the loop has come to it.
class Publisher {
 public:
  using Send = std::function<void(const SnapshotPtr&)>;
  using Fence = std::function<void(Callback<> reached)>;

  // `send` is called with what was published last, if anything, and with each later one, in order;
  // it must be callable until clear() or the last publish().
  void subscribe(Send send, Fence fence = nullptr);
  void publish(const SnapshotPtr& snapshot);
  // Until all that was published is with every subscriber that has a fence, at most `wait_max`.
  // Gives how many it may not have reached yet. Blocks: not on a subscriber's loop.
  [[nodiscard]] std::size_t wait_until_received(std::chrono::milliseconds wait_max);
  // For good: nobody is told any more, nothing is kept; a publish() under way on another thread has
  // ended.
  void clear();

 private:
  struct Subscriber {
    Send send;
    Fence fence;
  };
  struct State {
    std::vector<Subscriber> subscribers;
    SnapshotPtr last;
    bool cleared = false;
  };
  Guarded<State> state_;
};

}  // namespace revcache::revocation
