// Builds prometheus::MetricFamily lists: counters, gauges and histograms summed over loops.
#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/counter.h"

namespace revcache::metrics {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

// Histograms of several loops added up; all with the same bounds.
struct HistogramSum {
  std::span<const std::int64_t> bounds_micros;
  std::vector<std::uint64_t> buckets;  // one more than bounds; none before the first add()
  double sum_seconds = 0;

  template <const auto& kBoundsMicros, class Cell>
  void add(const Histogram<kBoundsMicros, Cell>& histogram) {
    bounds_micros = kBoundsMicros;
    buckets.resize(kBoundsMicros.size() + 1);
    for (std::size_t at = 0; at < buckets.size(); ++at) buckets[at] += histogram.bucket(at);
    sum_seconds += histogram.sum_seconds();
  }
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
