// The entries of the disk tier: index and records, read and written. Any thread, blocking.
//
// A write gets a new generation; its pieces are written first, its head and the index last and in
// one batch, so that nothing is ever partially visible and what a crash left over is garbage like
// any other. Changes of one key's index value are serialised by a lock; reads take none.
#pragma once

#include <rocksdb/write_batch.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cache/disk_database.h"
#include "cache/disk_record.h"
#include "cache/disk_usage.h"
#include "cache/stored_response.h"

namespace revcache::cache {

// One bit for each generation, modulo its size: was the entry read since it was written? Lost at
// the end of the process; where two generations share a bit, a few entries stay longer than due.
class UsedMarks {
 public:
  UsedMarks() : words_(kBits / 64) {}
  void set(std::uint64_t generation) noexcept;
  void clear(std::uint64_t generation) noexcept;
  [[nodiscard]] bool is_set(std::uint64_t generation) const noexcept;

 private:
  static constexpr std::uint64_t kBits = 1ULL << 21U;  // 256 KiB
  std::vector<std::atomic<std::uint64_t>> words_;
};

class DiskEntries {
 public:
  DiskEntries(DiskDatabase& database, DiskUsage& usage, const DiskStore::Options& options,
              metrics::Log& log);

  // As in DiskStore.
  Result<StoredResponsePtr> read(const std::string& key);
  [[nodiscard]] bool certainly_absent(const std::string& key) const;
  Result<SharedBytes> read_piece(const StoredResponse& entry, std::uint64_t index);
  Result<void> write(const StoredResponse& entry);
  Result<void> remove(const std::string& key);
  // disk_entries_purge.cc
  Result<void> visit(std::string_view prefix, const DiskStore::SeenKey& seen);
  Result<void> remove_unsynced(const std::string& key);
  Result<void> sync();

  // Forgets all entries and gives the last generation that is now garbage.
  Result<std::uint64_t> forget_all();

  // What vacate() may write again: entries up to `entry_bytes_max`, as long as there is credit; the
  // last one may overdraw it.
  struct CopyAllowance {
    std::uint64_t entry_bytes_max = 0;
    std::int64_t credit_bytes = 0;
  };

  // Before records of generations up to `last` are dropped: writes their entries again that were
  // read since they were written (all of them while less than kCrowdedPercent of the bound is
  // live), as far as `allowance` goes; forgets the others. Fails as the database does, and then the
  // records are still needed.
  Result<void> vacate(std::uint64_t last, CopyAllowance& allowance);

  // Counts what the index holds at the moment of the call; the sums become true when the returned
  // function has run, on whatever thread. It looks at `stop` now and then.
  [[nodiscard]] std::move_only_function<void(const std::atomic<bool>&)> start_counting();

  [[nodiscard]] std::array<DiskStore::KindStats, kObjectKinds> by_kind() const noexcept;
  [[nodiscard]] std::uint64_t index_bytes() const noexcept;  // keys and values, without garbage
  // Of entries that nobody read since they were written, and of others.
  [[nodiscard]] std::uint64_t evicted_unused() const noexcept { return evicted_unused_.load(); }
  [[nodiscard]] std::uint64_t evicted_in_use() const noexcept { return evicted_in_use_.load(); }
  [[nodiscard]] std::uint64_t corrupt_entries() const noexcept { return corrupt_entries_.load(); }

 private:
  static constexpr std::uint64_t kCrowdedPercent = 60;

  // Limits what one entry may take of the whole.
  [[nodiscard]] std::uint64_t entry_bytes_max() const noexcept { return options_.bytes_max / 4; }

  [[nodiscard]] std::mutex& lock_of(std::string_view key) noexcept;
  [[nodiscard]] std::uint64_t take_generation() noexcept;
  // nullopt in `value` when there is none. Fails as the database does.
  Result<void> read_index(std::string_view key, std::optional<IndexValue>& value);
  Result<void> read_record(RecordKey key, rocksdb::PinnableSlice& record);
  Result<HeadRecord> read_head(const std::string& key, std::uint64_t generation,
                               rocksdb::PinnableSlice& record);
  Result<void> append_piece(const IndexValue& value, std::uint64_t body_bytes, std::uint64_t index,
                            std::string& out);

  Result<StoredResponsePtr> read_indexed(const std::string& key, const IndexValue& value);
  Result<void> attach_body(const IndexValue& value, StoredResponse& response);
  // True if the index still says `value`: the entry was damaged, and is now gone. False: it was
  // replaced while it was read.
  bool drop_damaged(const std::string& key, const IndexValue& value, std::string_view reason);

  Result<void> write_body(const StoredResponse& entry, std::uint64_t generation);
  Result<void> write_new_head(const StoredResponse& entry);
  Result<void> put_piece(RecordKey key, std::string_view piece);
  // Why an entry may not become visible any more.
  struct Unless {
    std::optional<std::uint64_t> replaces;  // the index does not say this generation any more
    PurgeLog::Mark purged_since = 0;
  };
  // Makes an entry visible, unless its generation was vacated meanwhile, or one of the above.
  Result<void> publish(const std::string& key, std::string_view head_record,
                       const IndexValue& value, const Unless& unless);
  Result<void> remove(const std::string& key, bool sync);
  // False when the entry is of another generation, or gone.
  Result<bool> forget(const std::string& key, std::uint64_t generation);

  Result<void> vacate_entry(std::uint64_t generation, std::string_view head_record,
                            CopyAllowance& allowance);
  // Forgets it, to make room, and counts that.
  Result<void> evict(const std::string& key, std::uint64_t generation);
  Result<void> copy_entry(const std::string& key, const IndexValue& value);
  Result<void> copy_body(const IndexValue& from, std::uint64_t body_bytes, std::uint64_t to);
  [[nodiscard]] bool is_worth_keeping(const IndexValue& value) const noexcept;
  void count_index(rocksdb::Iterator& at, std::uint64_t forgotten, const std::atomic<bool>& stop);
  [[nodiscard]] std::uint64_t live_bytes() const noexcept;
  void account(std::string_view key, const IndexValue& value, std::int64_t sign) noexcept;

  DiskDatabase& database_;
  DiskUsage& usage_;
  const DiskStore::Options options_;
  metrics::Log& log_;
  std::array<std::mutex, 16> locks_;  // by hash of the key
  std::atomic<std::uint64_t> next_generation_;
  std::atomic<std::uint64_t> floor_{0};  // generations below were vacated
  UsedMarks marks_;

  // Below zero for a while, until everything found at opening has been added.
  struct LiveKind {
    std::atomic<std::int64_t> entries{0};
    std::atomic<std::int64_t> bytes{0};
  };
  std::array<LiveKind, kObjectKinds> live_;
  std::atomic<std::int64_t> index_bytes_{0};
  std::atomic<bool> counted_{false};
  std::mutex counting_;              // a count of the whole is added, or everything forgotten
  std::uint64_t forgotten_all_ = 0;  // times; under counting_
  std::atomic<std::uint64_t> evicted_unused_{0};
  std::atomic<std::uint64_t> evicted_in_use_{0};
  std::atomic<std::uint64_t> corrupt_entries_{0};
};

}  // namespace revcache::cache
