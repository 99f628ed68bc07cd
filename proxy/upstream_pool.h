// The upstream connections of one worker: how many there may be to each origin, which are idle,
// and who waits for one. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/callback.h"
#include "base/clock.h"
#include "config/config.h"
#include "metrics/metrics.h"
#include "net/timers.h"

namespace revcache::proxy {

class UpstreamConnection;
class UpstreamPool;

// Idle connections of all origins together; the oldest are closed first.
inline constexpr std::size_t kIdleConnectionsMax = 512;

// The right to have one connection to an origin, given back by destruction.
class UpstreamSlot {
 public:
  UpstreamSlot() = default;
  UpstreamSlot(UpstreamSlot&& other) noexcept { *this = std::move(other); }
  UpstreamSlot& operator=(UpstreamSlot&& other) noexcept;
  ~UpstreamSlot() { release(); }

  [[nodiscard]] const std::string& key() const noexcept { return key_; }
  void release();

 private:
  friend class UpstreamPool;
  UpstreamSlot(UpstreamPool& pool, std::string key, std::uint64_t generation)
      : pool_(&pool), key_(std::move(key)), generation_(generation) {}

  UpstreamPool* pool_ = nullptr;
  std::string key_;
  std::uint64_t generation_ = 0;  // of the settings that the connection was made under
};

// Either an idle connection, which brings its slot, or a slot to make one with.
struct UpstreamLease {
  std::shared_ptr<UpstreamConnection> idle;
  UpstreamSlot slot;
};

// A place in the queue: destroying it leaves the queue.
class UpstreamTicket {
 public:
  virtual ~UpstreamTicket() = default;
};

// Outlives all its slots and tickets.
class UpstreamPool {
 public:
  UpstreamPool(net::Timers& timers, const Clock& clock, metrics::LoopMetrics& metrics,
               const config::Limits& limits);
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;
  ~UpstreamPool();

  // What is to be had at once: the idle connection used last, else a slot below the limit. With
  // `fresh` always a slot, for which an idle connection is closed if need be. Nothing while others
  // wait for the same origin.
  [[nodiscard]] std::optional<UpstreamLease> try_acquire(const std::string& key, bool fresh);
  // Joins the queue of that origin; nullptr when too many wait in all. `ready` never runs inside
  // the call.
  [[nodiscard]] std::unique_ptr<UpstreamTicket> wait(const std::string& key, bool fresh,
                                                     Callback<UpstreamLease> ready);
  // Takes back a connection that can be used again; closes it when it is one too many, or older
  // than the settings.
  void release(std::shared_ptr<UpstreamConnection> connection);

  void close_idle();
  // New limits; connections made before are not used again.
  void apply(const config::Limits& limits);

  [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

 private:
  friend class UpstreamSlot;
  class QueuedTicket;
  struct Waiter {
    bool fresh = false;
    Callback<UpstreamLease> ready;
    QueuedTicket* ticket = nullptr;
  };
  struct Origin {
    std::size_t connections = 0;
    std::list<Waiter> waiters;
  };
  struct Idle {
    std::shared_ptr<UpstreamConnection> connection;
    MonotonicTime since;
    [[nodiscard]] const std::string& key() const noexcept;
  };

  std::optional<UpstreamLease> take(const std::string& key, bool fresh);
  std::list<Idle>::iterator latest_idle(const std::string& key);
  void give_back(const std::string& key);
  void forget_if_unused(const std::string& key);
  void serve_soon(const std::string& key);
  void serve();
  void drop_idle(const UpstreamConnection* connection);
  void close_one(std::list<Idle>::iterator idle);
  void close_beyond_limits(const std::string& key);
  void watch_timeouts();
  void close_timed_out();

  net::Timers& timers_;
  const Clock& clock_;
  metrics::LoopMetrics& metrics_;
  config::Limits limits_;
  std::uint64_t generation_ = 0;
  std::unordered_map<std::string, Origin> origins_;
  std::list<Idle> idle_;  // the one used last is at the back
  std::size_t waiting_ = 0;
  std::vector<std::string> ready_;  // origins whose queue may move
  std::unique_ptr<net::Timer> serve_timer_;
  std::unique_ptr<net::Timer> idle_timer_;
};

}  // namespace revcache::proxy
