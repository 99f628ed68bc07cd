#include "revocation/publisher.h"

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

void Publisher::subscribe(Send send) {
  state_.with([&](State& state) {
    if (state.cleared) return;
    if (state.last != nullptr) send(state.last);
    state.subscribers.push_back(std::move(send));
  });
}

void Publisher::publish(const SnapshotPtr& snapshot) {
  SnapshotPtr before;  // freed after the lock: it may hold millions of entries
  state_.with([&](State& state) {
    if (state.cleared) return;
    before = std::exchange(state.last, snapshot);
    for (const Send& send : state.subscribers) send(snapshot);
  });
}

void Publisher::clear() {
  State gone;
  gone.cleared = true;
  state_.with([&](State& state) { std::swap(state, gone); });
}

}  // namespace revcache::revocation
