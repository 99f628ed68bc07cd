#include "cache/coalescer.h"

#include <optional>
#include <utility>

namespace revcache::cache {

Coalescer::Coalescer(std::uint32_t waiters_per_key_max, std::uint64_t hash_seed)
    : waiters_per_key_max_(waiters_per_key_max), hasher_(hash_seed) {}

Coalescer::Role Coalescer::join(const std::string& key, net::Executor& executor,
                                Callback<FlightOutcome> done) {
  return shard(key).with([&](auto& flights) {
    auto [flight, is_new] = flights.try_emplace(key);
    if (is_new) return Role::leader;
    if (flight->second.waiters.size() >= waiters_per_key_max_) return Role::overloaded;
    flight->second.waiters.push_back(Waiter{&executor, std::move(done)});
    return Role::waiter;
  });
}

void Coalescer::finish(const std::string& key, const FlightOutcome& outcome) {
  auto waiters = shard(key).with([&](auto& flights) {
    std::vector<Waiter> taken;
    if (auto flight = flights.find(key); flight != flights.end()) {
      taken = std::move(flight->second.waiters);
      flights.erase(flight);
    }
    return taken;
  });
  for (auto& waiter : waiters) tell(std::move(waiter), outcome);
}

void Coalescer::hand_over(const std::string& key) {
  auto heir = shard(key).with([&](auto& flights) -> std::optional<Waiter> {
    auto flight = flights.find(key);
    if (flight == flights.end()) return std::nullopt;
    if (flight->second.waiters.empty()) {
      flights.erase(flight);
      return std::nullopt;
    }
    Waiter next = std::move(flight->second.waiters.front());
    flight->second.waiters.erase(flight->second.waiters.begin());
    flight->second.handed_over = true;
    return next;
  });
  if (heir) tell(std::move(*heir), FlightOutcome{.kind = FlightOutcome::Kind::lead});
}

bool Coalescer::was_handed_over(const std::string& key) const {
  return shard(key).with([&](const auto& flights) {
    auto flight = flights.find(key);
    return flight != flights.end() && flight->second.handed_over;
  });
}

std::size_t Coalescer::flights() const {
  std::size_t total = 0;
  for (const auto& one : shards_) {
    total += one.with([](const auto& flights) { return flights.size(); });
  }
  return total;
}

void Coalescer::tell(Waiter waiter, FlightOutcome outcome) {
  waiter.executor->post([done = std::move(waiter.done), outcome = std::move(outcome)]() mutable {
    done(std::move(outcome));
  });
}

}  // namespace revcache::cache
