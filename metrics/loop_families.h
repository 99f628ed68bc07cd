// The families that are sums over the loops' counters, and those that tell of each loop.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "metrics/metrics.h"

namespace revcache::metrics {

// Appends to `out`. Which untouched series are left out: see MetricsCollector.
void add_loop_families(const std::vector<const LoopMetrics*>& loops,
                       const std::vector<std::string>& upstream_labels,
                       std::vector<prometheus::MetricFamily>& out);

// What one loop recorded of its rounds; the name is the label `loop`.
struct NamedLoopLag {
  std::string loop;
  const LoopLagHistogram* lag = nullptr;
};

void add_loop_lags(const std::vector<NamedLoopLag>& lags,
                   std::vector<prometheus::MetricFamily>& out);

}  // namespace revcache::metrics
