// The disk tier: RocksDB, shared by all loops. Bodies lie in pieces beside their heads; what
// find() gives was checked against a checksum over the whole entry.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "cache/tier.h"
#include "metrics/log.h"
#include "net/background_work.h"

namespace revcache::cache {

// The database, opened once per process. Thread-safe.
class DiskStore {
 public:
  struct Options {
    std::string directory;
    std::uint64_t bytes_max = 8ULL << 30U;        // on disk, garbage included
    std::uint64_t whole_body_bytes_max = 64ULL << 20U;  // larger bodies are read in pieces
  };

  // Opens or creates. A database that cannot be opened, or that another format version wrote, is
  // moved aside to "<directory>.corrupt-<unix time>" (at most three are kept) and a new one made;
  // fails only when that is impossible too. Blocking: before the loops run, or off-loop.
  static Result<std::shared_ptr<DiskStore>> open(const Options& options, metrics::Log& log);

  virtual ~DiskStore() = default;

  struct Stats {
    std::uint64_t bytes = 0;         // files on disk
    std::uint64_t entries = 0;       // estimate
    std::uint64_t evictions = 0;
    std::uint64_t errors = 0;
    std::uint64_t corrupt_entries = 0;
    std::uint64_t compaction_pending_bytes = 0;
    std::uint64_t memtable_bytes = 0;
    std::uint64_t block_cache_bytes = 0;
    bool write_stalled = false;
  };
  [[nodiscard]] virtual Stats stats() const = 0;

  // Blocking, any thread, off-loop. The tier below is what loops use.
  [[nodiscard]] virtual Result<StoredResponsePtr> read(const std::string& key) = 0;
  [[nodiscard]] virtual Result<SharedBytes> read_piece(const StoredResponse& entry,
                                                       std::uint64_t index) = 0;
  [[nodiscard]] virtual Result<void> write(const StoredResponse& entry) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::string& key) = 0;
  [[nodiscard]] virtual Result<void> clear() = 0;
};

// One loop's way to the store: every call goes off-loop through BackgroundWork (kind disk). When
// its queue is full a find() is a miss and a put() is dropped, both counted.
std::unique_ptr<Tier> make_disk_tier(std::shared_ptr<DiskStore> store, net::BackgroundWork& work);

}  // namespace revcache::cache
