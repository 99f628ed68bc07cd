// POST /api/v1/check: the walk of `revcache check`, run by the server. It fetches only what a
// client could have fetched through the proxy, and uses the evidence that is held.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "admin/operations.h"
#include "base/callback.h"
#include "base/clock.h"
#include "metrics/log.h"
#include "net/executor.h"
#include "proxy/revocation_parts.h"
#include "proxy/worker_thread.h"

namespace revcache::proxy {

// All fetches of one check; less than the admin port gives an answer.
inline constexpr std::chrono::seconds kCheckFetchingMax{20};

// Public calls on the admin port's loop.
class AdminCheck {
 public:
  // All outlive its checks: see stop().
  struct Parts {
    net::Executor& loop;  // the admin port's
    const Clock& clock;
    metrics::Log& log;
    RevocationParts& revocation;
    WorkerThread& worker;  // through whose cache is fetched
    std::uint64_t hash_seed;
  };
  explicit AdminCheck(const Parts& parts) : parts_(parts) {}
  AdminCheck(const AdminCheck&) = delete;
  AdminCheck& operator=(const AdminCheck&) = delete;
  ~AdminCheck() { stop(); }

  // Each check waits for the network on a thread of its own: pool threads are what it waits for. At
  // most `checks_max` at once; past it unavailable, counted.
  void start(admin::CheckQuestion question, std::uint32_t checks_max,
             Callback<admin::Done<std::string>> done);
  // Ends those under way without an answer. Before the worker ends.
  void stop();

 private:
  class Source;

  // Shared with the threads.
  struct Ending {
    std::mutex mutex;
    std::condition_variable told;
    bool stopping = false;  // under mutex
  };
  struct Running {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> over = std::make_shared<std::atomic<bool>>(false);
  };

  void forget_finished();
  std::string run(const admin::CheckQuestion& question);

  Parts parts_;
  std::shared_ptr<Ending> ending_ = std::make_shared<Ending>();
  std::list<Running> running_;
};

}  // namespace revcache::proxy
