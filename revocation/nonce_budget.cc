#include "revocation/nonce_budget.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <list>
#include <map>

namespace revcache::revocation {
namespace {

using std::chrono::nanoseconds;

constexpr double kShares = 10;  // a client may have one of them
constexpr nanoseconds kBurst = std::chrono::seconds(1);
// Slower rates are this one: the sum of a time and a few of them stays far below the type's end.
constexpr nanoseconds kIntervalMax = std::chrono::days(1);

// Between two signatures of a rate above 0. Rounded down: rounded up, the last one of a burst would
// have to wait.
nanoseconds interval_of(double per_second) noexcept {
  const double nanoseconds_each = 1e9 / per_second;
  if (!(nanoseconds_each < static_cast<double>(kIntervalMax.count()))) return kIntervalMax;
  return std::max(nanoseconds(static_cast<std::int64_t>(nanoseconds_each)), nanoseconds(1));
}

// A token bucket as the one time at which it is full again: exact in whole nanoseconds, whereas
// tokens in floating point would lack the last bit of one at just the time it is due.
class Rate {
 public:
  explicit Rate(double per_second) noexcept
      : interval_(interval_of(per_second)),
        slack_(std::max(kBurst - interval_, nanoseconds::zero())) {}

  [[nodiscard]] bool allows(MonotonicTime full_at, MonotonicTime now) const noexcept {
    return full_at - now <= slack_;
  }
  [[nodiscard]] MonotonicTime after_one(MonotonicTime full_at, MonotonicTime now) const noexcept {
    return std::max(full_at, now) + interval_;
  }

 private:
  nanoseconds interval_;
  nanoseconds slack_;  // how far the time may lie ahead for one more to be taken
};

bool gives_any(double per_second) noexcept { return std::isfinite(per_second) && per_second > 0; }

}  // namespace

struct NonceBudget::State {
  struct Client {
    IpAddress address;
    MonotonicTime full_at;
  };
  using Clients = std::list<Client>;  // who asked longest ago first

  explicit State(double rate)
      : per_second(rate),
        whole(gives_any(rate) ? rate : 1),
        share(gives_any(rate) ? rate / kShares : 1) {}

  bool take(const IpAddress& address, MonotonicTime now);
  void forget_oldest();

  double per_second;
  Rate whole;
  Rate share;
  MonotonicTime full_at = MonotonicTime::min();
  Clients clients;
  std::map<IpAddress, Clients::iterator> by_address;
};

void NonceBudget::State::forget_oldest() {
  by_address.erase(clients.front().address);
  clients.pop_front();
}

bool NonceBudget::State::take(const IpAddress& address, MonotonicTime now) {
  if (!gives_any(per_second)) return false;
  // A full bucket says what none says.
  while (!clients.empty() && clients.front().full_at <= now) forget_oldest();
  const auto found = by_address.find(address);
  if (found != by_address.end()) clients.splice(clients.end(), clients, found->second);
  // No difference of the least time: it would overflow.
  const MonotonicTime whole_full_at = std::max(full_at, now);
  const MonotonicTime share_full_at =
      found == by_address.end() ? now : std::max(found->second->full_at, now);
  if (!whole.allows(whole_full_at, now) || !share.allows(share_full_at, now)) return false;
  full_at = whole.after_one(whole_full_at, now);
  if (found != by_address.end()) {
    found->second->full_at = share.after_one(share_full_at, now);
    return true;
  }
  if (clients.size() >= kNonceClientsMax) forget_oldest();
  clients.push_back({.address = address, .full_at = share.after_one(now, now)});
  by_address.emplace(address, std::prev(clients.end()));
  return true;
}

NonceBudget::NonceBudget(double per_second) : state_(std::make_unique<State>(per_second)) {}

NonceBudget::~NonceBudget() = default;

bool NonceBudget::take(const IpAddress& client, MonotonicTime now) {
  return state_.with([&](const std::unique_ptr<State>& state) { return state->take(client, now); });
}

void NonceBudget::set_rate(double per_second) {
  auto fresh = std::make_unique<State>(per_second);
  state_.with([&](std::unique_ptr<State>& state) {
    // What was owed is a time, and means nothing at another rate. At the same one it stays.
    if (state->per_second != per_second) state.swap(fresh);
  });
}

}  // namespace revcache::revocation
