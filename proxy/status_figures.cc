#include "proxy/status_figures.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>

namespace revcache::proxy {

namespace {

using prometheus::ClientMetric;

std::string_view label_of(const ClientMetric& metric, std::string_view name) {
  const auto found = std::ranges::find(metric.label, name, &ClientMetric::Label::name);
  return found == metric.label.end() ? std::string_view() : std::string_view(found->value);
}

// Every series is one of the two, and the other is 0.
double value_of(const ClientMetric& metric) { return metric.counter.value + metric.gauge.value; }

WallTime wall_time(double unix_seconds) {
  return WallTime(std::chrono::milliseconds(std::llround(unix_seconds * 1000)));
}

}  // namespace

std::optional<double> quantile(const ClientMetric::Histogram& histogram, double share) {
  if (histogram.sample_count == 0) return std::nullopt;
  const double rank = share * static_cast<double>(histogram.sample_count);
  double bound_below = 0;
  double count_below = 0;
  for (const auto& bucket : histogram.bucket) {
    const auto count = static_cast<double>(bucket.cumulative_count);
    if (std::isinf(bucket.upper_bound)) break;
    if (count >= rank && count > count_below) {
      const double part = std::max(0.0, rank - count_below) / (count - count_below);
      return bound_below + (bucket.upper_bound - bound_below) * part;
    }
    bound_below = bucket.upper_bound;
    count_below = count;
  }
  return bound_below;
}

const prometheus::MetricFamily* StatusFigures::find(std::string_view family) const {
  const auto found = std::ranges::find(families_, family, &prometheus::MetricFamily::name);
  return found == families_.end() ? nullptr : &*found;
}

std::uint64_t StatusFigures::sum(std::string_view family, std::string_view label,
                                 std::string_view value) const {
  const auto* const found = find(family);
  if (found == nullptr) return 0;
  double total = 0;
  for (const ClientMetric& metric : found->metric) {
    if (label.empty() || label_of(metric, label) == value) total += value_of(metric);
  }
  return total <= 0 ? 0 : static_cast<std::uint64_t>(std::llround(total));
}

admin::TierStatus StatusFigures::tier(std::string_view name, std::uint64_t bytes_max) const {
  return {.bytes = sum("revcache_cache_bytes", "tier", name),
          .bytes_max = bytes_max,
          .entries = sum("revcache_cache_entries", "tier", name)};
}

std::vector<admin::UpstreamStatus> StatusFigures::upstreams() const {
  std::vector<admin::UpstreamStatus> all;
  const auto each = [this](std::string_view family, const auto& visit) {
    const auto* const found = find(family);
    if (found == nullptr) return;
    for (const ClientMetric& metric : found->metric) visit(metric, label_of(metric, "upstream"));
  };
  const auto of = [&all](std::string_view name) -> admin::UpstreamStatus& {
    const auto found = std::ranges::find(all, name, &admin::UpstreamStatus::name);
    if (found != all.end()) return *found;
    return all.emplace_back(admin::UpstreamStatus{.name = std::string(name)});
  };
  each("revcache_upstream_requests_total", [&](const ClientMetric& metric, std::string_view name) {
    of(name).requests[std::string(label_of(metric, "outcome"))] =
        static_cast<std::uint64_t>(std::llround(metric.counter.value));
  });
  each("revcache_upstream_up", [&](const ClientMetric& metric, std::string_view name) {
    of(name).up = metric.gauge.value > 0;
  });
  each("revcache_upstream_last_success_timestamp_seconds",
       [&](const ClientMetric& metric, std::string_view name) {
         of(name).answered = wall_time(metric.gauge.value);
       });
  each("revcache_upstream_request_duration_seconds",
       [&](const ClientMetric& metric, std::string_view name) {
         if (label_of(metric, "phase") != "first_byte") return;
         of(name).p50 = quantile(metric.histogram, 0.5);
         of(name).p99 = quantile(metric.histogram, 0.99);
       });
  return all;
}

}  // namespace revcache::proxy
