#include "revocation/refresher_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace revcache::revocation {

namespace {

// Each so many turns a regular URL goes before the urgent ones.
constexpr unsigned kRegularTurn = 4;

constexpr std::size_t slot(RefreshPriority priority) { return static_cast<std::size_t>(priority); }

}  // namespace

void RefresherQueue::set_limits(Limits limits) {
  limits_ = {.per_host_max = std::max<std::size_t>(limits.per_host_max, 1),
             .total_max = std::max<std::size_t>(limits.total_max, 1)};
}

void RefresherQueue::enter(const std::string& host) { ++hosts_[host].urls; }

void RefresherQueue::leave(const std::string& host) {
  const auto known = hosts_.find(host);
  CHECK(known != hosts_.end() && known->second.urls > 0);
  --known->second.urls;
  drop_if_idle(known);
}

void RefresherQueue::drop_if_idle(Hosts::iterator host) {
  if (host->second.urls == 0 && host->second.under_way == 0) hosts_.erase(host);
}

void RefresherQueue::push(const std::string& host, std::string url, RefreshPriority priority) {
  const auto known = hosts_.find(host);
  CHECK(known != hosts_.end());
  auto& line = known->second.waiting[slot(priority)];
  if (line.empty()) turns_[slot(priority)].push_back(known);
  line.push_back(std::move(url));
  ++waiting_;
}

void RefresherQueue::erase(const std::string& host, std::string_view url) {
  const auto known = hosts_.find(host);
  if (known == hosts_.end()) return;
  for (std::size_t priority = 0; priority < kRefreshPriorities; ++priority) {
    auto& line = known->second.waiting[priority];
    const auto erased = std::erase(line, url);
    waiting_ -= erased;
    if (erased > 0 && line.empty()) std::erase(turns_[priority], known);
  }
}

void RefresherQueue::clear() {
  for (auto& [name, host] : hosts_) {
    for (auto& line : host.waiting) line.clear();
  }
  for (auto& turns : turns_) turns.clear();
  waiting_ = 0;
}

std::optional<RefresherQueue::Turn> RefresherQueue::take() {
  if (waiting_ == 0 || under_way_ >= limits_.total_max) return std::nullopt;
  const bool regular_first = taken_ % kRegularTurn == kRegularTurn - 1;
  auto turn = take_of(RefreshPriority::asked);
  if (!turn && regular_first) turn = take_of(RefreshPriority::regular);
  if (!turn) turn = take_of(RefreshPriority::urgent);
  if (!turn && !regular_first) turn = take_of(RefreshPriority::regular);
  if (turn) ++taken_;
  return turn;
}

std::optional<RefresherQueue::Turn> RefresherQueue::take_of(RefreshPriority priority) {
  auto& turns = turns_[slot(priority)];
  const auto next = std::ranges::find_if(
      turns, [&](Hosts::iterator host) { return may_begin(host->second, priority); });
  if (next == turns.end()) return std::nullopt;
  const auto host = *next;
  auto& line = host->second.waiting[slot(priority)];
  Turn turn{.host = host->first, .url = std::move(line.front())};
  line.pop_front();
  if (line.empty()) {
    turns.erase(next);
  } else {
    turns.splice(turns.end(), turns, next);
  }
  --waiting_;
  ++under_way_;
  ++host->second.under_way;
  if (host->second.silent) ++under_way_at_silent_;
  return turn;
}

// What an administrator asks for does not stand behind the silent ones.
bool RefresherQueue::may_begin(const Host& host, RefreshPriority priority) const {
  if (host.under_way >= limits_.per_host_max) return false;
  if (!host.silent || priority == RefreshPriority::asked) return true;
  return host.under_way == 0 &&
         under_way_at_silent_ < std::max<std::size_t>(limits_.total_max / 2, 1);
}

void RefresherQueue::finished(const std::string& host, bool answered) {
  const auto known = hosts_.find(host);
  CHECK(known != hosts_.end() && known->second.under_way > 0);
  auto& state = known->second;
  if (state.silent) under_way_at_silent_ -= state.under_way;
  state.silent = !answered;
  --state.under_way;
  --under_way_;
  if (state.silent) under_way_at_silent_ += state.under_way;
  drop_if_idle(known);
}

}  // namespace revcache::revocation
