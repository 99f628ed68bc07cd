#include "proxy/cache_figures.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "metrics/families.h"

namespace revcache::proxy {

metrics::CacheFigures cache_figures(const cache::SharedCache& cache,
                                    const cache::DiskStore* store) {
  metrics::CacheFigures figures;
  const auto memory = cache.memory.stats();
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    figures.memory[kind] = {memory.by_kind[kind].entries, memory.by_kind[kind].bytes};
  }
  figures.memory_evicted_unused = memory.evicted_unused;
  figures.memory_evicted_in_use = memory.evicted_in_use;
  figures.memory_dropped_too_large = memory.dropped_too_large;
  if (store == nullptr) return figures;
  const auto disk = store->stats();
  figures.disk = {.by_kind = {},
                  .allocated_bytes = disk.bytes,
                  .evicted_unused = disk.evicted_unused,
                  .evicted_in_use = disk.evicted_in_use,
                  .errors = disk.errors,
                  .corrupt_entries = disk.corrupt_entries,
                  .compaction_pending_bytes = disk.compaction_pending_bytes,
                  .memtable_bytes = disk.memtable_bytes,
                  .block_cache_bytes = disk.block_cache_bytes,
                  .write_stalled = disk.write_stalled};
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    figures.disk->by_kind[kind] = {disk.by_kind[kind].entries, disk.by_kind[kind].bytes};
  }
  return figures;
}

std::vector<prometheus::MetricFamily> work_families(const net::WorkLimits& limits) {
  // In the order of net::WorkKind.
  static constexpr std::array<std::string_view, net::kWorkKinds> kPools{"disk", "parse", "sign",
                                                                        "serialise"};
  auto queue = metrics::gauge_family("revcache_worker_queue_length",
                                     "Tasks that wait for a thread of the pool or run on one.");
  for (std::size_t kind = 0; kind < net::kWorkKinds; ++kind) {
    queue.add({{"pool", kPools[kind]}}, limits.in_use(static_cast<net::WorkKind>(kind)));
  }
  std::vector<prometheus::MetricFamily> families;
  std::move(queue).move_to(families);
  return families;
}

}  // namespace revcache::proxy
