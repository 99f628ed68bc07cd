#include "bench/generator/results.h"

#include <algorithm>
#include <cstdio>

namespace revcache::bench {
namespace {

void add(LoadResult& sum, const LoadResult& load) {
  sum.latency.add(load.latency);
  sum.service.add(load.service);
  for (std::size_t at = 0; at < kOutcomes; ++at) sum.outcomes[at] += load.outcomes[at];
  for (std::size_t at = 0; at < kCacheResults; ++at) sum.cache[at] += load.cache[at];
  for (std::size_t at = 0; at < kStatuses; ++at) sum.statuses[at] += load.statuses[at];
  sum.arrivals += load.arrivals;
  sum.requests += load.requests;
  sum.waited += load.waited;
  sum.from_client_cache += load.from_client_cache;
  sum.retries += load.retries;
  sum.connections += load.connections;
  sum.body_bytes += load.body_bytes;
}

void add(Slot& sum, const Slot& slot) {
  sum.latency.add(slot.latency);
  sum.due += slot.due;
  sum.right += slot.right;
  sum.failed += slot.failed;
  sum.waited += slot.waited;
  sum.wrong_body += slot.wrong_body;
  for (std::size_t at = 0; at < kCacheResults; ++at) sum.cache[at] += slot.cache[at];
}

// Slots of which any part lies in the claim's time.
Slot span_of(const Claim& claim, const Results& results) {
  Slot sum;
  for (std::size_t index = 0; index < results.loads.size(); ++index) {
    if (claim.load_index && *claim.load_index != index) continue;
    const std::vector<Slot>& slots = results.loads[index].slots;
    for (std::size_t at = 0; at < slots.size(); ++at) {
      const auto begin = results.slot * static_cast<std::int64_t>(at);
      if (begin + results.slot > claim.from && begin < claim.until) add(sum, slots[at]);
    }
  }
  return sum;
}

std::string milliseconds_text(std::chrono::nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g ms", static_cast<double>(time.count()) / 1e6);
  return text;
}

class Judging {
 public:
  void count(const char* what, std::uint64_t seen, const std::optional<std::uint64_t>& bound) {
    if (!bound) return;
    say(std::to_string(seen) + " " + what + " (at most " + std::to_string(*bound) + ")");
    held_ = held_ && seen <= *bound;
  }

  void latency(std::chrono::nanoseconds seen,
               const std::optional<std::chrono::milliseconds>& bound) {
    if (!bound) return;
    say("longest " + milliseconds_text(seen) + " (at most " + milliseconds_text(*bound) + ")");
    held_ = held_ && seen <= *bound;
  }

  // Nothing is shown by nothing.
  void arrivals(const Slot& span) {
    say("of " + std::to_string(span.due) + " arrivals");
    held_ = held_ && span.due > 0;
  }

  [[nodiscard]] bool held() const { return held_; }
  [[nodiscard]] const std::string& found() const { return found_; }

 private:
  void say(const std::string& text) {
    if (!found_.empty()) found_ += ", ";
    found_ += text;
  }

  bool held_ = true;
  std::string found_;
};

}  // namespace

std::uint64_t failed_of(const LoadResult& load) {
  std::uint64_t sum = 0;
  for (std::size_t at = 1; at < kOutcomes; ++at) sum += load.outcomes[at];
  return sum;
}

LoadResult total_of(const Results& results) {
  LoadResult total;
  total.name = "all";
  for (const LoadResult& load : results.loads) {
    add(total, load);
    if (total.slots.size() < load.slots.size()) total.slots.resize(load.slots.size());
    for (std::size_t at = 0; at < load.slots.size(); ++at) add(total.slots[at], load.slots[at]);
  }
  return total;
}

std::vector<ClaimResult> judge(const Scenario& scenario, const Results& results) {
  std::vector<ClaimResult> judged;
  for (const Claim& claim : scenario.claims) {
    const Slot span = span_of(claim, results);
    Judging judging;
    judging.count("failed", span.failed, claim.failed_max);
    judging.count("waited for upstream", span.waited, claim.waited_max);
    judging.count("wrong bodies", span.wrong_body, claim.wrong_max);
    judging.latency(span.latency.max(), claim.latency_max);
    judging.arrivals(span);
    judged.push_back({.text = claim.text, .held = judging.held(), .found = judging.found()});
  }
  return judged;
}

}  // namespace revcache::bench
