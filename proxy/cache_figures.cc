#include "proxy/cache_figures.h"

#include <cstddef>

namespace revcache::proxy {

metrics::CacheFigures cache_figures(const cache::SharedCache& cache,
                                    const cache::DiskStore* store) {
  metrics::CacheFigures figures;
  const auto memory = cache.memory.stats();
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    figures.memory[kind] = {memory.by_kind[kind].entries, memory.by_kind[kind].bytes};
  }
  figures.memory_evictions = memory.evictions;
  if (store == nullptr) return figures;
  const auto disk = store->stats();
  figures.disk = {.entries = disk.entries,
                  .bytes = disk.bytes,
                  .evictions = disk.evictions,
                  .errors = disk.errors,
                  .corrupt_entries = disk.corrupt_entries,
                  .compaction_pending_bytes = disk.compaction_pending_bytes,
                  .memtable_bytes = disk.memtable_bytes,
                  .block_cache_bytes = disk.block_cache_bytes,
                  .write_stalled = disk.write_stalled};
  return figures;
}

}  // namespace revcache::proxy
