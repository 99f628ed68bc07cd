#include "proxy/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream_connection.h"

namespace revcache::proxy {

UpstreamSlot& UpstreamSlot::operator=(UpstreamSlot&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  key_ = std::move(other.key_);
  generation_ = other.generation_;
  return *this;
}

void UpstreamSlot::release() {
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->give_back(key_);
}

// Finds its waiter by itself as long as that is queued.
class UpstreamPool::QueuedTicket final : public UpstreamTicket {
 public:
  QueuedTicket(UpstreamPool& pool, std::string key) : pool_(&pool), key_(std::move(key)) {}
  QueuedTicket(const QueuedTicket&) = delete;
  QueuedTicket& operator=(const QueuedTicket&) = delete;
  ~QueuedTicket() override {
    if (pool_ == nullptr) return;
    auto& origin = pool_->origins_[key_];
    std::erase_if(origin.waiters, [this](const auto& waiter) { return waiter.ticket == this; });
    --pool_->waiting_;
    // Whoever stood behind may be next.
    pool_->serve_soon(key_);
    pool_->forget_if_unused(key_);
  }
  void served() noexcept { pool_ = nullptr; }

 private:
  UpstreamPool* pool_;
  std::string key_;
};

const std::string& UpstreamPool::Idle::key() const noexcept { return connection->slot().key(); }

UpstreamPool::UpstreamPool(net::Timers& timers, const Clock& clock, metrics::LoopMetrics& metrics,
                           const config::Limits& limits)
    : timers_(timers), clock_(clock), metrics_(metrics), limits_(limits) {}

UpstreamPool::~UpstreamPool() { close_idle(); }

std::optional<UpstreamLease> UpstreamPool::try_acquire(const std::string& key, bool fresh) {
  const auto origin = origins_.find(key);
  if (origin != origins_.end() && !origin->second.waiters.empty()) return std::nullopt;
  return take(key, fresh);
}

std::optional<UpstreamLease> UpstreamPool::take(const std::string& key, bool fresh) {
  const auto idle = latest_idle(key);
  if (idle != idle_.end()) {
    const auto connection = idle->connection;
    if (!fresh) {
      idle_.erase(idle);
      return UpstreamLease{connection, {}};
    }
    if (origins_[key].connections >= limits_.upstream_connections_per_origin) {
      idle_.erase(idle);
      return UpstreamLease{nullptr, connection->close_for_another()};
    }
  }
  auto& origin = origins_[key];
  if (origin.connections >= limits_.upstream_connections_per_origin) return std::nullopt;
  ++origin.connections;
  return UpstreamLease{nullptr, UpstreamSlot(*this, key, generation_)};
}

std::list<UpstreamPool::Idle>::iterator UpstreamPool::latest_idle(const std::string& key) {
  for (auto idle = idle_.end(); idle != idle_.begin();) {
    if ((--idle)->key() == key) return idle;
  }
  return idle_.end();
}

std::unique_ptr<UpstreamTicket> UpstreamPool::wait(const std::string& key, bool fresh,
                                                   Callback<UpstreamLease> ready) {
  metrics_.limits_hit[metrics::index(metrics::Limit::upstream_connections)].add();
  if (waiting_ >= limits_.upstream_queue) {
    metrics_.limits_hit[metrics::index(metrics::Limit::upstream_queue)].add();
    return nullptr;
  }
  auto ticket = std::make_unique<QueuedTicket>(*this, key);
  origins_[key].waiters.push_back({fresh, std::move(ready), ticket.get()});
  ++waiting_;
  return ticket;
}

void UpstreamPool::release(std::shared_ptr<UpstreamConnection> connection) {
  if (!connection->reusable() || connection->slot().generation_ != generation_) {
    return connection->close();
  }
  connection->watch([this, known = connection.get()] { drop_idle(known); });
  // Of `connection`, which stays until the end even if it is one too many.
  const std::string& key = connection->slot().key();
  idle_.push_back({connection, clock_.monotonic()});
  close_beyond_limits(key);
  watch_timeouts();
  serve_soon(key);
}

void UpstreamPool::close_beyond_limits(const std::string& key) {
  const auto of_origin = std::ranges::count(idle_, key, &Idle::key);
  if (static_cast<std::size_t>(of_origin) > limits_.upstream_idle_per_origin) {
    close_one(std::ranges::find(idle_, key, &Idle::key));
  }
  if (idle_.size() > kIdleConnectionsMax) close_one(idle_.begin());
}

// Taken out first: what is closed comes back to give its slot back.
void UpstreamPool::close_one(std::list<Idle>::iterator idle) {
  const auto connection = std::move(idle->connection);
  idle_.erase(idle);
  connection->close();
}

void UpstreamPool::give_back(const std::string& key) {
  --origins_[key].connections;
  serve_soon(key);
  forget_if_unused(key);
}

void UpstreamPool::forget_if_unused(const std::string& key) {
  const auto origin = origins_.find(key);
  if (origin == origins_.end()) return;
  if (origin->second.connections == 0 && origin->second.waiters.empty()) origins_.erase(origin);
}

// In a turn of its own: connections are given back from deep inside other people's calls.
void UpstreamPool::serve_soon(const std::string& key) {
  const auto origin = origins_.find(key);
  if (origin == origins_.end() || origin->second.waiters.empty()) return;
  ready_.push_back(key);
  if (!serve_timer_) {
    serve_timer_ = timers_.after(std::chrono::milliseconds(0), [this] { serve(); });
  }
}

void UpstreamPool::serve() {
  serve_timer_.reset();
  const auto ready = std::exchange(ready_, {});
  for (const auto& key : ready) {
    for (;;) {
      const auto origin = origins_.find(key);
      if (origin == origins_.end() || origin->second.waiters.empty()) break;
      auto& first = origin->second.waiters.front();
      auto lease = take(key, first.fresh);
      if (!lease) break;
      first.ticket->served();
      auto waiter = std::move(first);
      origin->second.waiters.pop_front();
      --waiting_;
      waiter.ready(std::move(*lease));
    }
  }
}

void UpstreamPool::drop_idle(const UpstreamConnection* connection) {
  const auto lost = std::ranges::find_if(
      idle_, [connection](const auto& idle) { return idle.connection.get() == connection; });
  if (lost != idle_.end()) close_one(lost);
}

void UpstreamPool::watch_timeouts() {
  if (idle_timer_ || idle_.empty()) return;
  const auto due = idle_.front().since + limits_.upstream_idle_timeout - clock_.monotonic();
  idle_timer_ = timers_.after(
      std::max(std::chrono::ceil<std::chrono::milliseconds>(due), std::chrono::milliseconds(1)),
      [this] { close_timed_out(); });
}

void UpstreamPool::close_timed_out() {
  idle_timer_.reset();
  const auto until = clock_.monotonic() - limits_.upstream_idle_timeout;
  while (!idle_.empty() && idle_.front().since <= until) close_one(idle_.begin());
  watch_timeouts();
}

void UpstreamPool::close_idle() {
  while (!idle_.empty()) close_one(idle_.begin());
}

void UpstreamPool::apply(const config::Limits& limits) {
  limits_ = limits;
  ++generation_;
  close_idle();
}

}  // namespace revcache::proxy
