// The sizes of the cache as metrics want them.
#pragma once

#include "cache/disk_tier.h"
#include "cache/http_cache.h"
#include "metrics/collector.h"

namespace revcache::proxy {

// Any thread but a loop: the disk tier may have to look. `store` may be null.
metrics::CacheFigures cache_figures(const cache::SharedCache& cache, const cache::DiskStore* store);

}  // namespace revcache::proxy
