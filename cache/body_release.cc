#include "cache/body_release.h"

#include <utility>

#include "cache/tier.h"

namespace revcache::cache {

void ReleaseQueue::push(Body body) noexcept {
  const std::lock_guard lock(mutex_);
  if (closed_) return;  // the parameter outlives the lock
  bodies_.push_back(std::move(body));
  changed_.notify_one();
}

void ReleaseQueue::close() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_one();
}

bool ReleaseQueue::free_waiting() {
  std::vector<Body> gone;  // destroyed after the lock is released
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !bodies_.empty(); });
  gone.swap(bodies_);
  return !gone.empty();
}

std::size_t ReleaseQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return bodies_.size();
}

SharedBytes share_through(std::shared_ptr<ReleaseQueue> queue, std::string body) {
  auto owned = std::make_unique<const std::string>(std::move(body));
  const std::string_view view = *owned;
  return SharedBytes::inside(
      std::shared_ptr<const std::string>(owned.release(),
                                         [queue = std::move(queue)](const std::string* gone) {
                                           queue->push(ReleaseQueue::Body(gone));
                                         }),
      view);
}

BodyRelease::BodyRelease() : queue_(std::make_shared<ReleaseQueue>()) {}

BodyRelease::~BodyRelease() {
  queue_->close();
  if (thread_.joinable()) thread_.join();
}

SharedBytes BodyRelease::share(std::string body) {
  if (body.size() <= kPieceBytes) return SharedBytes::take(std::move(body));
  std::call_once(started_, [this] {
    thread_ = std::thread([queue = queue_] {
      while (queue->free_waiting()) {
      }
    });
  });
  return share_through(queue_, std::move(body));
}

void BodyRelease::release(std::string body) {
  if (body.size() > kPieceBytes) static_cast<void>(share(std::move(body)));
}

}  // namespace revcache::cache
