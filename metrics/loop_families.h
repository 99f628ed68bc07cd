// The families that are sums over the loops' counters.
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

}  // namespace revcache::metrics
