// Builds prometheus::MetricFamily lists: counters, gauges and histograms summed over loops.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/counter.h"

namespace revcache::metrics {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

// Histograms of several loops added up.
struct HistogramSum {
  std::array<std::uint64_t, kLatencyBoundsMicros.size() + 1> buckets{};
  double sum_seconds = 0;

  void add(const LatencyHistogram& histogram) noexcept;
  [[nodiscard]] std::uint64_t count() const noexcept;
};

// One family while it is filled. Names and help as Prometheus' naming rules want them: counters end
// in _total, units are base units.
class Family {
 public:
  Family(std::string_view name, std::string_view help, prometheus::MetricType type);

  void add(const Labels& labels, double value);
  void add(const Labels& labels, std::uint64_t value) { add(labels, static_cast<double>(value)); }
  void add(const Labels& labels, const HistogramSum& histogram);  // of a histogram family

  // Leaves out a family without a series: HELP and TYPE alone tell nothing.
  void move_to(std::vector<prometheus::MetricFamily>& families) &&;

 private:
  prometheus::MetricFamily family_;
};

inline Family counter_family(std::string_view name, std::string_view help) {
  return {name, help, prometheus::MetricType::Counter};
}
inline Family gauge_family(std::string_view name, std::string_view help) {
  return {name, help, prometheus::MetricType::Gauge};
}
inline Family histogram_family(std::string_view name, std::string_view help) {
  return {name, help, prometheus::MetricType::Histogram};
}

}  // namespace revcache::metrics
