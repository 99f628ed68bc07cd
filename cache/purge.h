// Takes stored responses out of the memory tier, the disk tier and the negative cache at an
// administrator's word. What revocation knows (evidence, state) is not the cache's and stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/disk_tier.h"
#include "cache/http_cache.h"
#include "cache/purge_log.h"

namespace revcache::cache {

inline constexpr std::size_t kPurgedUrlsListed = 100;

struct PurgeReport {
  std::uint64_t entries = 0;      // an entry that is in memory and on disk counts once
  std::uint64_t bytes = 0;        // on disk; of what is in memory only, there
  std::vector<std::string> urls;  // the first kPurgedUrlsListed in order
  std::uint64_t more = 0;         // other URLs
};

// Finds and counts; changes nothing. Blocking, any thread. `disk` may be null. Time and memory grow
// with the memory tier, and, for a scope of certificates or of everything, with the disk's index.
Result<PurgeReport> find_purgeable(const SharedCache& shared, DiskStore* disk,
                                   const PurgeScope& scope);

// The same, and removes it: when this returns without failure nothing of it is found any more, also
// after a crash, and no fetch that is under way brings it back. On failure some of it may be on
// disk still; as long as the process lives it is not found there either. Blocking, any thread; one
// at a time.
Result<PurgeReport> purge(SharedCache& shared, DiskStore* disk,
                          const std::shared_ptr<const PurgeScope>& scope);

}  // namespace revcache::cache
