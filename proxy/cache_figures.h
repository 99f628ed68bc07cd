// The sizes of the cache and of the queues of background work as metrics want them.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "cache/disk_tier.h"
#include "cache/http_cache.h"
#include "metrics/collector.h"
#include "net/uv_background_work.h"

namespace revcache::proxy {

// Any thread but a loop: the disk tier may have to look. `store` may be null.
metrics::CacheFigures cache_figures(const cache::SharedCache& cache, const cache::DiskStore* store);

// Any thread.
std::vector<prometheus::MetricFamily> work_families(const net::WorkLimits& limits);

}  // namespace revcache::proxy
