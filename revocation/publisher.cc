#include "revocation/publisher.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace revcache::revocation {

void LoopSnapshot::receive(SnapshotPtr next) {
  old_.push_back(std::exchange(current_, std::move(next)));
  ++generation_;
  free_old();
}

void LoopSnapshot::free_old() {
  auto old = std::make_shared<std::vector<SnapshotPtr>>(std::exchange(old_, {}));
  const bool submitted = background_.submit(net::WorkKind::parse, [old] { old->clear(); }, [] {});
  // With the queue full they wait for the next snapshot; better that than stalling the loop.
  if (!submitted) old_ = std::exchange(*old, {});
}

void Publisher::subscribe(Send send, Fence fence) {
  state_.with([&](State& state) {
    if (state.cleared) return;
    if (state.last != nullptr) send(state.last);
    state.subscribers.push_back({std::move(send), std::move(fence)});
  });
}

void Publisher::publish(const SnapshotPtr& snapshot) {
  SnapshotPtr before;  // freed after the lock: it may hold millions of entries
  state_.with([&](State& state) {
    if (state.cleared) return;
    before = std::exchange(state.last, snapshot);
    for (const Subscriber& one : state.subscribers) one.send(snapshot);
  });
}

std::size_t Publisher::wait_until_received(std::chrono::milliseconds wait_max) {
  // Shared with the loops: they may come to their fences after nobody waits any more, or never.
  struct Passage {
    std::mutex mutex;
    std::condition_variable all_reached;
    std::size_t behind = 0;
  };
  const auto passage = std::make_shared<Passage>();
  state_.with([&](const State& state) {
    for (const Subscriber& one : state.subscribers) {
      if (one.fence == nullptr) continue;
      {
        const std::lock_guard lock(passage->mutex);
        ++passage->behind;
      }
      one.fence([passage] {
        const std::lock_guard lock(passage->mutex);
        if (--passage->behind == 0) passage->all_reached.notify_all();
      });
    }
  });
  std::unique_lock lock(passage->mutex);
  passage->all_reached.wait_for(lock, wait_max, [&] { return passage->behind == 0; });
  return passage->behind;
}

void Publisher::clear() {
  State gone;
  gone.cleared = true;
  state_.with([&](State& state) { std::swap(state, gone); });
}

}  // namespace revcache::revocation
