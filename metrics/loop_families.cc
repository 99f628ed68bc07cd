#include "metrics/loop_families.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "metrics/families.h"

namespace revcache::metrics {
namespace {

using Loops = std::vector<const LoopMetrics*>;
using FamilyList = std::vector<prometheus::MetricFamily>;

constexpr std::array<std::size_t, 6> kCoreStatusCodes{200, 304, 403, 502, 503, 504};

// `pick` gives the counter or gauge of one loop.
template <class Pick>
auto sum_of(const Loops& loops, Pick pick) {
  decltype(pick(std::declval<const LoopMetrics&>()).value()) total = 0;
  for (const LoopMetrics* loop : loops) total += pick(*loop).value();
  return total;
}

template <class Pick>
HistogramSum histogram_of(const Loops& loops, Pick pick) {
  HistogramSum sum;
  for (const LoopMetrics* loop : loops) sum.add(pick(*loop));
  return sum;
}

template <class Enum>
std::string_view name_at(std::size_t at) {
  return to_string(static_cast<Enum>(at));
}

bool is_core_request(std::size_t kind, std::size_t method, std::size_t result) {
  const bool core_method = method == index(MethodLabel::get) ||
                           (method == index(MethodLabel::post) && kind == index(ObjectKind::ocsp));
  const bool core_result = result == index(RequestResult::hit) ||
                           result == index(RequestResult::miss) ||
                           result == index(RequestResult::error);
  return core_method && core_result;
}

void add_requests(const Loops& loops, FamilyList& out) {
  Family requests = counter_family("revcache_requests_total", "Requests answered.");
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    for (std::size_t method = 0; method < kMethodLabels; ++method) {
      for (std::size_t result = 0; result < kRequestResults; ++result) {
        const std::uint64_t count = sum_of(loops, [&](const LoopMetrics& loop) -> const Counter& {
          return loop.requests[kind][method][result];
        });
        if (count == 0 && !is_core_request(kind, method, result)) continue;
        requests.add({{"kind", name_at<ObjectKind>(kind)},
                      {"method", name_at<MethodLabel>(method)},
                      {"result", name_at<RequestResult>(result)}},
                     count);
      }
    }
  }
  std::move(requests).move_to(out);
}

void add_request_durations(const Loops& loops, FamilyList& out) {
  Family durations = histogram_family("revcache_request_duration_seconds",
                                      "From the first byte of a request to the last byte of its "
                                      "answer.");
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    for (std::size_t result = 0; result < kRequestResults; ++result) {
      const HistogramSum sum =
          histogram_of(loops, [&](const LoopMetrics& loop) -> const LatencyHistogram& {
            return loop.request_duration[kind][result];
          });
      if (sum.count() == 0) continue;
      durations.add(
          {{"kind", name_at<ObjectKind>(kind)}, {"result", name_at<RequestResult>(result)}}, sum);
    }
  }
  std::move(durations).move_to(out);
}

void add_status_codes(const Loops& loops, FamilyList& out) {
  Family codes = counter_family("revcache_http_responses_total", "Responses sent to clients.");
  for (std::size_t code = 100; code < std::tuple_size_v<decltype(LoopMetrics::responses_by_status)>;
       ++code) {
    const std::uint64_t count = sum_of(loops, [code](const LoopMetrics& loop) -> const Counter& {
      return loop.responses_by_status[code];
    });
    if (count == 0 && std::ranges::find(kCoreStatusCodes, code) == kCoreStatusCodes.end()) continue;
    codes.add({{"code", std::to_string(code)}}, count);
  }
  std::move(codes).move_to(out);
}

// One series for each enumerator; `pick` gives one loop's array of counters.
template <class Enum, class Pick>
void add_by(Family family, std::string_view label, const Loops& loops, Pick pick, FamilyList& out) {
  using Counters = std::remove_cvref_t<decltype(pick(std::declval<const LoopMetrics&>()))>;
  for (std::size_t at = 0; at < std::tuple_size_v<Counters>; ++at) {
    const auto counter = [&](const LoopMetrics& loop) -> const Counter& { return pick(loop)[at]; };
    family.add({{label, name_at<Enum>(at)}}, sum_of(loops, counter));
  }
  std::move(family).move_to(out);
}

template <class Pick>
void add_single(Family family, const Loops& loops, Pick pick, FamilyList& out) {
  family.add({}, static_cast<double>(sum_of(loops, pick)));
  std::move(family).move_to(out);
}

void add_client_side(const Loops& loops, FamilyList& out) {
  add_by<ObjectKind>(
      counter_family("revcache_response_bytes_total", "Bytes sent to clients, heads included."),
      "kind", loops, [](const LoopMetrics& loop) -> const auto& { return loop.response_bytes; },
      out);
  add_single(
      gauge_family("revcache_requests_in_flight", "Requests being worked on."), loops,
      [](const LoopMetrics& loop) -> const Gauge& { return loop.requests_in_flight; }, out);
  add_single(
      gauge_family("revcache_client_connections", "Open connections of clients."), loops,
      [](const LoopMetrics& loop) -> const Gauge& { return loop.client_connections; }, out);
  add_single(
      counter_family("revcache_client_connections_accepted_total", "Connections accepted."), loops,
      [](const LoopMetrics& loop) -> const Counter& { return loop.client_connections_accepted; },
      out);
  add_by<Limit>(
      counter_family("revcache_client_rejected_total",
                     "Connections and requests turned away or cut off by a limit."),
      "reason", loops, [](const LoopMetrics& loop) -> const auto& { return loop.limits_hit; }, out);
  add_by<Denial>(
      counter_family("revcache_acl_denied_total", "Requests refused by an access rule."), "reason",
      loops, [](const LoopMetrics& loop) -> const auto& { return loop.denials; }, out);
  add_single(
      counter_family("revcache_access_log_lines_dropped_total",
                     "Lines of the access log that were not written: its queue was full."),
      loops,
      [](const LoopMetrics& loop) -> const Counter& { return loop.access_log_lines_dropped; }, out);
}

bool is_core_lookup(std::size_t tier, std::size_t outcome) {
  return (tier == index(TierLabel::memory) || tier == index(TierLabel::disk)) &&
         (outcome == index(LookupOutcome::hit) || outcome == index(LookupOutcome::miss));
}

void add_lookups(const Loops& loops, FamilyList& out) {
  Family lookups = counter_family("revcache_cache_lookups_total", "Look-ups in each tier.");
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    for (std::size_t tier = 0; tier < kTierLabels; ++tier) {
      for (std::size_t outcome = 0; outcome < kLookupOutcomes; ++outcome) {
        const std::uint64_t count = sum_of(loops, [&](const LoopMetrics& loop) -> const Counter& {
          return loop.cache_lookups[kind][tier][outcome];
        });
        if (count == 0 && !is_core_lookup(tier, outcome)) continue;
        lookups.add({{"kind", name_at<ObjectKind>(kind)},
                     {"tier", name_at<TierLabel>(tier)},
                     {"outcome", name_at<LookupOutcome>(outcome)}},
                    count);
      }
    }
  }
  std::move(lookups).move_to(out);
}

void add_misses(const Loops& loops, FamilyList& out) {
  Family misses = counter_family("revcache_misses_total",
                                 "Requests that nothing stored could answer, by the reason why.");
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    for (std::size_t cause = 0; cause < kMissCauses; ++cause) {
      misses.add({{"kind", name_at<ObjectKind>(kind)}, {"cause", name_at<MissCause>(cause)}},
                 sum_of(loops, [&](const LoopMetrics& loop) -> const Counter& {
                   return loop.misses[kind][cause];
                 }));
    }
  }
  std::move(misses).move_to(out);
}

void add_cache_side(const Loops& loops, FamilyList& out) {
  add_lookups(loops, out);
  add_misses(loops, out);
  Family rejections = counter_family("revcache_cache_store_rejected_total",
                                     "Upstream responses that were not stored.");
  Family waits = histogram_family("revcache_collapse_wait_seconds",
                                  "Time that requests waited for another one's fetch.");
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    for (std::size_t reason = 0; reason < kStoreRejections; ++reason) {
      rejections.add(
          {{"kind", name_at<ObjectKind>(kind)}, {"reason", name_at<StoreRejection>(reason)}},
          sum_of(loops, [&](const LoopMetrics& loop) -> const Counter& {
            return loop.store_rejections[kind][reason];
          }));
    }
    const HistogramSum wait =
        histogram_of(loops, [kind](const LoopMetrics& loop) -> const LatencyHistogram& {
          return loop.collapse_wait[kind];
        });
    if (wait.count() != 0) waits.add({{"kind", name_at<ObjectKind>(kind)}}, wait);
  }
  std::move(rejections).move_to(out);
  add_by<ObjectKind>(
      counter_family("revcache_collapsed_requests_total",
                     "Requests answered by another one's fetch."),
      "kind", loops, [](const LoopMetrics& loop) -> const auto& { return loop.collapsed_requests; },
      out);
  std::move(waits).move_to(out);
}

bool is_core_outcome(std::size_t outcome) {
  return outcome == index(UpstreamOutcome::ok) || outcome == index(UpstreamOutcome::timed_out) ||
         outcome == index(UpstreamOutcome::unreachable);
}

// The indices that share one label, in the order of the labels: a series may stand only once.
struct UpstreamGroup {
  std::string_view label;
  std::vector<std::size_t> indices;
};

std::vector<UpstreamGroup> upstream_groups(const std::vector<std::string>& labels) {
  std::vector<UpstreamGroup> groups;
  for (std::size_t at = 0; at < kUpstreamLabelsMax; ++at) {
    const std::string_view label = at < labels.size() ? std::string_view(labels[at]) : "other";
    const auto group = std::ranges::find(groups, label, &UpstreamGroup::label);
    if (group == groups.end()) {
      groups.push_back({label, {at}});
    } else {
      group->indices.push_back(at);
    }
  }
  return groups;
}

void add_upstream_requests(const Loops& loops, const UpstreamGroup& group, Family& requests) {
  for (std::size_t outcome = 0; outcome < kUpstreamOutcomes; ++outcome) {
    std::uint64_t count = 0;
    for (const std::size_t at : group.indices) {
      count += sum_of(loops, [at, outcome](const LoopMetrics& loop) -> const Counter& {
        return loop.upstream_requests[at][outcome];
      });
    }
    if (count == 0 && !is_core_outcome(outcome)) continue;
    requests.add({{"upstream", group.label}, {"outcome", name_at<UpstreamOutcome>(outcome)}},
                 count);
  }
}

void add_upstream_phases(const Loops& loops, const UpstreamGroup& group, Family& durations) {
  for (std::size_t phase = 0; phase < kUpstreamPhases; ++phase) {
    HistogramSum sum;
    for (const std::size_t at : group.indices) {
      for (const LoopMetrics* loop : loops) sum.add(loop->upstream_duration[at][phase]);
    }
    if (sum.count() == 0) continue;
    durations.add({{"upstream", group.label}, {"phase", name_at<UpstreamPhase>(phase)}}, sum);
  }
}

// The latest of all loops and of all indices that share the label; 0: never.
std::int64_t latest(const Loops& loops, const UpstreamGroup& group,
                    const Table<Gauge, kUpstreamLabelsMax> LoopMetrics::* times) {
  std::int64_t time = 0;
  for (const LoopMetrics* loop : loops) {
    for (const std::size_t at : group.indices) time = std::max(time, (loop->*times)[at].value());
  }
  return time;
}

// Nothing of upstreams that were not asked yet.
void add_upstream_health(const Loops& loops, const std::vector<UpstreamGroup>& groups,
                         FamilyList& out) {
  Family up = gauge_family("revcache_upstream_up", "1 if the last request sent was answered.");
  Family answered = gauge_family("revcache_upstream_last_success_timestamp_seconds",
                                 "Unix time of the last answer that was no server error.");
  for (const UpstreamGroup& group : groups) {
    const std::int64_t answered_at = latest(loops, group, &LoopMetrics::upstream_answered_at);
    const std::int64_t failed_at = latest(loops, group, &LoopMetrics::upstream_failed_at);
    if (answered_at == 0 && failed_at == 0) continue;
    up.add({{"upstream", group.label}}, answered_at >= failed_at ? 1.0 : 0.0);
    if (answered_at == 0) continue;
    answered.add({{"upstream", group.label}}, static_cast<double>(answered_at) / 1000.0);
  }
  std::move(up).move_to(out);
  std::move(answered).move_to(out);
}

void add_upstream_side(const Loops& loops, const std::vector<std::string>& labels,
                       FamilyList& out) {
  Family requests =
      counter_family("revcache_upstream_requests_total", "Requests sent to upstream hosts.");
  Family durations = histogram_family("revcache_upstream_request_duration_seconds",
                                      "Time of each phase of a request to an upstream host.");
  const std::vector<UpstreamGroup> groups = upstream_groups(labels);
  for (const UpstreamGroup& group : groups) {
    add_upstream_requests(loops, group, requests);
    add_upstream_phases(loops, group, durations);
  }
  std::move(requests).move_to(out);
  std::move(durations).move_to(out);
  add_upstream_health(loops, groups, out);
  add_by<ObjectKind>(
      counter_family("revcache_upstream_response_bytes_total", "Bytes received from upstream."),
      "kind", loops,
      [](const LoopMetrics& loop) -> const auto& { return loop.upstream_response_bytes; }, out);
  add_single(
      gauge_family("revcache_upstream_connections", "Open connections to upstream hosts."), loops,
      [](const LoopMetrics& loop) -> const Gauge& { return loop.upstream_connections; }, out);
  add_single(
      counter_family("revcache_upstream_retries_total",
                     "Requests sent once more after a connection failed."),
      loops, [](const LoopMetrics& loop) -> const Counter& { return loop.upstream_retries; }, out);
}

}  // namespace

void add_loop_families(const Loops& loops, const std::vector<std::string>& upstream_labels,
                       FamilyList& out) {
  add_requests(loops, out);
  add_request_durations(loops, out);
  add_status_codes(loops, out);
  add_client_side(loops, out);
  add_cache_side(loops, out);
  add_upstream_side(loops, upstream_labels, out);
}

void add_loop_lags(const std::vector<NamedLoopLag>& lags, FamilyList& out) {
  Family family = histogram_family("revcache_event_loop_lag_seconds",
                                   "How long the callbacks of one round of an event loop took: "
                                   "whatever else became ready waited that long.");
  for (const NamedLoopLag& one : lags) {
    HistogramSum sum;
    sum.add(*one.lag);
    family.add({{"loop", one.loop}}, sum);
  }
  std::move(family).move_to(out);
}

}  // namespace revcache::metrics
