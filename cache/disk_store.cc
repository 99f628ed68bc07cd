#include <atomic>
#include <utility>

#include "cache/disk_database.h"
#include "cache/disk_entries.h"
#include "cache/disk_evictor.h"
#include "cache/disk_options.h"
#include "cache/disk_owed_removals.h"
#include "cache/disk_tier.h"
#include "cache/disk_usage.h"

namespace revcache::cache {
namespace {

class RocksDiskStore final : public DiskStore {
 public:
  RocksDiskStore(std::unique_ptr<DiskDatabase> database, const Options& options, metrics::Log& log)
      : database_(std::move(database)),
        usage_(usage_limits(options.bytes_max)),
        entries_(*database_, usage_, options, log),
        evictor_(*database_, entries_, usage_) {}

  Stats stats() const override {
    return Stats{.bytes = usage_.bytes(),
                 .by_kind = entries_.by_kind(),
                 .evicted_unused = entries_.evicted_unused(),
                 .evicted_in_use = entries_.evicted_in_use(),
                 .errors = database_->failures(),
                 .corrupt_entries = entries_.corrupt_entries(),
                 .overloads = overloads_.load(),
                 .compaction_pending_bytes =
                     property(rocksdb::DB::Properties::kEstimatePendingCompactionBytes),
                 .memtable_bytes = property(rocksdb::DB::Properties::kCurSizeAllMemTables),
                 .block_cache_bytes = database_->block_cache_bytes(),
                 .write_stalled = property(rocksdb::DB::Properties::kIsWriteStopped) != 0};
  }

  Result<StoredResponsePtr> read(const std::string& key) override {
    if (!owed_.covers(key)) return entries_.read(key);
    owed_.settle(key, owed_disk());
    return nullptr;
  }

  Result<SharedBytes> read_piece(const StoredResponse& entry, std::uint64_t index) override {
    return entries_.read_piece(entry, index);
  }

  Result<void> write(const StoredResponse& entry) override {
    if (!owed_.settle(entry.key, owed_disk())) {
      return fail(ErrorCode::unreachable, Blame::local, "disk tier: a removal is still owed");
    }
    return entries_.write(entry);
  }

  Result<void> remove(const std::string& key) override {
    Result<void> removed = entries_.remove(key);
    if (!removed) owed_.add(key);
    if (removed) owed_.settle(key, owed_disk());
    return removed;
  }

  void owe_removal(const std::string& key) override { owed_.add(key); }

  Result<void> clear() override {
    Result<std::uint64_t> last = entries_.forget_all();
    if (!last) {
      owed_.add_everything();
      return fail(std::move(last));
    }
    return evictor_.drop_all(*last);
  }

  // What is owed counts as absent.
  Result<void> visit(std::string_view prefix, const SeenKey& seen) override {
    return entries_.visit(prefix, [&](std::string_view key, std::uint64_t bytes) {
      if (owed_.none() || !owed_.covers(std::string(key))) seen(key, bytes);
    });
  }

  Result<void> remove_all(std::span<const std::string> keys) override {
    Result<void> all;
    for (const std::string& key : keys) {
      Result<void> removed = entries_.remove_unsynced(key);
      if (removed) continue;
      owed_.add(key);
      all = std::move(removed);
    }
    Result<void> synced = entries_.sync();
    return all ? synced : all;
  }

  bool certainly_absent(const std::string& key) const override {
    return owed_.covers(key) || entries_.certainly_absent(key);
  }

  void count_overload() noexcept override { overloads_.fetch_add(1, std::memory_order_relaxed); }

  RocksDiskStore(const RocksDiskStore&) = delete;
  RocksDiskStore& operator=(const RocksDiskStore&) = delete;
  ~RocksDiskStore() override { owed_.settle_all(owed_disk()); }

 private:
  OwedRemovals::Disk owed_disk() {
    return {.remove = [this](const std::string& key) { return entries_.remove(key).has_value(); },
            .forget_all = [this] { return entries_.forget_all().has_value(); }};
  }

  // The sum of both column families.
  std::uint64_t property(const std::string& name) const {
    std::uint64_t sum = 0;
    for (rocksdb::ColumnFamilyHandle* family : {database_->index(), database_->data()}) {
      std::uint64_t value = 0;
      if (database_->rocks().GetIntProperty(family, name, &value)) sum += value;
    }
    return sum;
  }

  // In the order in which each needs those before it; the evictor's thread ends first.
  std::unique_ptr<DiskDatabase> database_;
  DiskUsage usage_;
  DiskEntries entries_;
  DiskEvictor evictor_;
  OwedRemovals owed_;
  std::atomic<std::uint64_t> overloads_{0};
};

}  // namespace

std::uint64_t DiskStore::slack_bytes(std::uint64_t bytes_max) noexcept {
  constexpr std::uint64_t kLogsAndManifestBytes = 8ULL << 20U;
  return 16 * write_buffer_bytes(bytes_max) + kLogsAndManifestBytes;
}

Result<std::shared_ptr<DiskStore>> DiskStore::open(const Options& options, const Clock& clock,
                                                   metrics::Log& log) {
  Result<std::unique_ptr<DiskDatabase>> database = DiskDatabase::open(options, clock, log);
  if (!database) return fail(std::move(database));
  return std::make_shared<RocksDiskStore>(std::move(*database), options, log);
}

}  // namespace revcache::cache
