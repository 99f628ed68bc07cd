// One worker as a thread: its event loop and everything that lives on it.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/callback.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "cache/disk_tier.h"
#include "cache/http_cache.h"
#include "metrics/log.h"
#include "metrics/metrics.h"
#include "net/executor.h"
#include "net/tls_context.h"
#include "net/uv_background_work.h"
#include "pki/http_source.h"
#include "proxy/connection_limits.h"
#include "proxy/loop_refresher.h"
#include "proxy/request_log.h"
#include "proxy/responder_parts.h"
#include "proxy/revocation_parts.h"
#include "proxy/settings.h"

namespace revcache::proxy {

// What all workers share; thread-safe, outlives them.
struct SharedParts {
  const Clock& clock;
  metrics::Log& log;
  cache::SharedCache& cache;
  std::shared_ptr<cache::DiskStore> disk;  // null: memory only
  net::WorkLimits& work_limits;
  RevocationParts& revocation;
  ResponderParts& responder;
  ConnectionLimits& connection_limits;
  std::string instance_id;
  std::uint64_t hash_seed = 0;
  // The access log of one loop; the clock is that loop's.
  std::function<std::unique_ptr<RequestLog>(metrics::LoopMetrics&, const Clock&)> make_request_log;
};

// Public calls from the thread that made it (main).
class WorkerThread {
 public:
  WorkerThread(SharedParts parts, std::shared_ptr<const Settings> settings,
               std::shared_ptr<const net::TlsClientContext> tls,
               std::vector<SocketAddress> addresses);
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;
  // Stops and joins the thread: requests under way are cut.
  ~WorkerThread();

  // Starts the thread and waits until it listens on every address, or cannot.
  Result<void> start();
  // This worker's loop is the one that renews what is known. After start().
  void run_refresher();
  void learn(const std::string& url, const revocation::EvidenceDates& dates);
  // `revcache refresh`: attempts now at those of `urls` that the refresher knows, at all that it
  // knows if `urls` is empty. Both run on the worker's thread: `began` once, with what is under
  // way, then `report` for each of these. Neither runs when the loop ends before.
  using RefreshReported = std::function<void(const std::string& url, revocation::RefreshReport)>;
  void refresh_now(std::vector<std::string> urls, Callback<std::vector<std::string>> began,
                   RefreshReported report);
  // A fetch of ours through this worker's cache: see LoopFetches. Any thread. `done` runs on the
  // worker's; not at all when its loop ends before.
  void fetch(pki::HttpQuestion question, Callback<Result<pki::HttpAnswer>> done);
  // That a limit was met outside of a worker. Any thread.
  void count_limit(metrics::Limit limit);
  void receive(const revocation::SnapshotPtr& snapshot);
  // `reached` runs on the worker's thread, behind what was received so far; at once on this one if
  // the worker does not run. Not at all when its loop ends before.
  void fence(Callback<> reached);
  void receive(const revocation::ResponderTablePtr& table);
  // For requests that begin from now on.
  void apply(std::shared_ptr<const Settings> settings,
             std::shared_ptr<const net::TlsClientContext> tls);
  // Stops listening, lets requests finish within limits.drain_timeout, then ends the loop. `done`
  // runs on the worker's thread.
  void drain(Callback<> done);
  // Ends the loop at once.
  void stop();

  [[nodiscard]] const metrics::LoopMetrics& metrics() const noexcept { return metrics_; }

 private:
  struct Loop;
  struct Running {
    Loop* loop = nullptr;  // while the thread's loop runs
  };

  void run(std::promise<Result<void>> listening);
  void on_loop(Callback<Loop&> task);

  SharedParts parts_;
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<const net::TlsClientContext> tls_;
  std::vector<SocketAddress> addresses_;
  metrics::LoopMetrics metrics_;
  Guarded<Running> running_;
  std::thread thread_;
};

}  // namespace revcache::proxy
