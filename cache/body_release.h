// Frees long bodies on a thread of its own. To give some tens of MiB back to the kernel takes
// milliseconds, and the last to let go of a body is often a loop: with the reply that was sent, or
// the copy that a newer one replaced.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"

namespace revcache::cache {

// Bodies that nobody holds any more. Thread-safe. Needs no bound: they were held until now, and to
// free one takes a fraction of the time in which it came.
class ReleaseQueue {
 public:
  using Body = std::unique_ptr<const std::string>;

  // After close() it is freed at once.
  void push(Body body) noexcept;
  void close() noexcept;
  // Waits for bodies, and frees what is there. False: nothing is, and nothing comes any more.
  bool free_waiting();
  [[nodiscard]] std::size_t waiting() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Body> bodies_;
  bool closed_ = false;
};

// `body`, shared; whoever lets go of it last hands it to `queue`.
[[nodiscard]] SharedBytes share_through(std::shared_ptr<ReleaseQueue> queue, std::string body);

// Thread-safe. Bodies may outlive it: they are freed where they are let go of.
class BodyRelease {
 public:
  BodyRelease();
  BodyRelease(const BodyRelease&) = delete;
  BodyRelease& operator=(const BodyRelease&) = delete;
  ~BodyRelease();

  // A body of up to kPieceBytes is shared as any other bytes are.
  [[nodiscard]] SharedBytes share(std::string body);
  // Of a body that came to nothing.
  void release(std::string body);

 private:
  std::shared_ptr<ReleaseQueue> queue_;
  std::once_flag started_;
  std::thread thread_;  // from the first long body on
};

}  // namespace revcache::cache
