// The disk tier: RocksDB, shared by all loops. Bodies lie in pieces beside their heads; what
// find() gives was checked against checksums over the whole entry. The format is written down in
// docs/formats.md.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/object_kind.h"
#include "base/result.h"
#include "cache/purge_log.h"
#include "cache/tier.h"
#include "metrics/log.h"
#include "net/background_work.h"
#include "net/executor.h"
#include "net/timers.h"

namespace rocksdb {
class Env;
class EventListener;
}  // namespace rocksdb

namespace revcache::cache {

// The database, opened once per process. Thread-safe.
//
// Entries lie on disk in the order in which they were written, and the oldest file goes first when
// the bound is reached (a ring). What was read since it was written, and what is still wanted while
// most of the disk is garbage, is written again at the other end instead of lost. So space of
// replaced and erased entries comes back when the ring gets there, without compaction.
class DiskStore {
 public:
  struct Options {
    std::string directory;
    std::uint64_t bytes_max = 8ULL << 30U;              // on disk, garbage included
    std::uint64_t whole_body_bytes_max = 64ULL << 20U;  // larger bodies are read in pieces
    rocksdb::Env* env = nullptr;  // nullptr: the machine's; tests inject faults
    std::shared_ptr<rocksdb::EventListener> listener{};  // of the database; tests wait for events
    const PurgeLog* purges = nullptr;  // what it forbids is not written; outlives the store
  };

  // By how much the directory may be larger than bytes_max for a moment: memtables on their way to
  // disk, the write-ahead log, the database's own log and manifest.
  [[nodiscard]] static std::uint64_t slack_bytes(std::uint64_t bytes_max) noexcept;

  // Opens or creates. A database that cannot be opened because it is damaged, or that another
  // format version wrote, is moved aside to "<directory>.corrupt-<unix time>" (at most three are
  // kept) and a new one made. Fails when that is impossible too, and, without touching anything,
  // when another process has it open or the disk refuses (permissions, no space). Blocking: before
  // the loops run, or off-loop. `clock` and `log` must outlive the store.
  static Result<std::shared_ptr<DiskStore>> open(const Options& options, const Clock& clock,
                                                 metrics::Log& log);

  DiskStore() = default;
  DiskStore(const DiskStore&) = delete;
  DiskStore& operator=(const DiskStore&) = delete;
  virtual ~DiskStore() = default;  // blocking: ends the eviction thread, closes the database

  struct KindStats {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;  // of their records, without garbage
  };
  struct Stats {
    std::uint64_t bytes = 0;  // allocated to the directory's files, when last measured
    // Only what this opening wrote, until the index was counted after it.
    std::array<KindStats, kObjectKinds> by_kind{};
    std::uint64_t evicted_unused = 0;   // entries that nobody had read since they were written
    std::uint64_t evicted_in_use = 0;   // other entries
    std::uint64_t errors = 0;           // operations that the disk or the database refused
    std::uint64_t corrupt_entries = 0;  // found damaged and erased
    std::uint64_t overloads = 0;        // finds made misses and puts dropped by a full queue
    std::uint64_t compaction_pending_bytes = 0;
    std::uint64_t memtable_bytes = 0;
    std::uint64_t block_cache_bytes = 0;
    bool write_stalled = false;

    [[nodiscard]] std::uint64_t entries() const noexcept {
      std::uint64_t sum = 0;
      for (const KindStats& kind : by_kind) sum += kind.entries;
      return sum;
    }
    [[nodiscard]] std::uint64_t evictions() const noexcept {
      return evicted_unused + evicted_in_use;
    }
  };
  [[nodiscard]] virtual Stats stats() const = 0;  // any thread; off-loop

  // Blocking, any thread, off-loop. The tier below is what loops use. They fail as Tier says; a
  // failure has been counted, and logged when it is new.
  [[nodiscard]] virtual Result<StoredResponsePtr> read(const std::string& key) = 0;
  [[nodiscard]] virtual Result<SharedBytes> read_piece(const StoredResponse& entry,
                                                       std::uint64_t index) = 0;
  // An entry with on_disk gets a new head; its body must still be there, under entry.generation.
  [[nodiscard]] virtual Result<void> write(const StoredResponse& entry) = 0;
  // Also when the disk refuses, the entry is not found any more, as long as the process lives.
  [[nodiscard]] virtual Result<void> remove(const std::string& key) = 0;
  [[nodiscard]] virtual Result<void> clear() = 0;

  // Every key that begins with `prefix`, in order, with the bytes that its entry takes: as of a
  // moment at which every write that began before the call, and was not forbidden, is done.
  using SeenKey = std::function<void(std::string_view key, std::uint64_t bytes)>;
  [[nodiscard]] virtual Result<void> visit(std::string_view prefix, const SeenKey& seen) = 0;
  // Many at once: durable when it returns without failure. As remove().
  [[nodiscard]] virtual Result<void> remove_all(std::span<const std::string> keys) = 0;

  // True when nothing of the index on disk need be read to know that there is no such entry. Any
  // thread, also a loop's: it looks at memory only (some microseconds).
  [[nodiscard]] virtual bool certainly_absent(const std::string& /*key*/) const { return false; }

  // Called by the tier when it had no room to remove: the entry is not found from now on, and
  // removed with one of the next changes. Any thread, also a loop's.
  virtual void owe_removal(const std::string& key) = 0;

  // Called by the tier when it had no room to ask.
  virtual void count_overload() noexcept = 0;
};

// One loop's way to the store: every call goes off-loop through `work` (kind disk). What concerns
// one key happens in the order of the calls, and none is certainly absent while one of its calls is
// under way. When the queue is full a find() is a miss, a put() fails with overloaded, and so does
// an erase(), which the store then owes; all are counted. Small puts that nothing else of their key
// waits for are gathered for some milliseconds and go off-loop together. When the tier is
// destroyed, what already runs off-loop is finished and called back, what waits behind it fails.
struct DiskTierLoop {  // one and the same; outlives the tier
  net::BackgroundWork& work;
  net::Executor& executor;
  net::Timers& timers;
};
std::unique_ptr<Tier> make_disk_tier(std::shared_ptr<DiskStore> store, DiskTierLoop loop);

}  // namespace revcache::cache
