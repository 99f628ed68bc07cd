#include "metrics/families.h"

#include <limits>

#include "base/check.h"

namespace revcache::metrics {
namespace {

prometheus::ClientMetric metric_with(const Labels& labels) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : labels) {
    metric.label.push_back({std::string(name), std::string(value)});
  }
  return metric;
}

}  // namespace

std::uint64_t HistogramSum::count() const noexcept {
  std::uint64_t total = 0;
  for (const std::uint64_t bucket : buckets) total += bucket;
  return total;
}

Family::Family(std::string_view name, std::string_view help, prometheus::MetricType type) {
  family_.name = name;
  family_.help = help;
  family_.type = type;
}

void Family::add(const Labels& labels, double value) {
  prometheus::ClientMetric metric = metric_with(labels);
  if (family_.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    CHECK(family_.type == prometheus::MetricType::Gauge);
    metric.gauge.value = value;
  }
  family_.metric.push_back(std::move(metric));
}

void Family::add(const Labels& labels, const HistogramSum& histogram) {
  CHECK(family_.type == prometheus::MetricType::Histogram);
  prometheus::ClientMetric metric = metric_with(labels);
  std::uint64_t cumulative = 0;
  for (std::size_t at = 0; at < histogram.buckets.size(); ++at) {
    cumulative += histogram.buckets[at];
    const double bound = at < histogram.bounds_micros.size()
                             ? static_cast<double>(histogram.bounds_micros[at]) / 1e6
                             : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = histogram.sum_seconds;
  family_.metric.push_back(std::move(metric));
}

void Family::move_to(std::vector<prometheus::MetricFamily>& families) && {
  if (!family_.metric.empty()) families.push_back(std::move(family_));
}

}  // namespace revcache::metrics
