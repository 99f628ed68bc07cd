// The RocksDB database under the disk tier: opened, set aside when it is damaged, and brought back
// to work after the disk had refused. Thread-safe once open; every call may block.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "cache/disk_tier.h"
#include "metrics/log.h"

namespace revcache::cache {

class DiskDatabase {
 public:
  // See DiskStore::open.
  static Result<std::unique_ptr<DiskDatabase>> open(const DiskStore::Options& options,
                                                    const Clock& clock, metrics::Log& log);
  DiskDatabase(const DiskDatabase&) = delete;
  DiskDatabase& operator=(const DiskDatabase&) = delete;
  ~DiskDatabase();

  [[nodiscard]] rocksdb::DB& rocks() const noexcept { return *rocks_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* index() const noexcept { return index_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* data() const noexcept { return data_; }
  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  [[nodiscard]] std::uint64_t block_cache_bytes() const;

  // Of this opening: higher than any that was ever given out in this database.
  [[nodiscard]] std::uint64_t first_generation() const noexcept { return epoch_ << 40U; }

  // Reads one record. NotFound is no failure.
  rocksdb::Status get(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                      rocksdb::PinnableSlice* value, bool fill_cache);

  // Without reading a file: what memtables, block cache and filters in it tell. False when they do
  // not suffice (and on any failure, which the next get() reports).
  [[nodiscard]] bool certainly_absent(rocksdb::ColumnFamilyHandle* family,
                                      std::string_view key) const;

  // Survives the end of this process; with `sync` also that of the machine. After a failure the
  // database is asked to resume at most once in kResumeInterval; until it does, writes fail at
  // once.
  rocksdb::Status write(rocksdb::WriteBatch& batch, bool sync);

  // Counts a failure, and logs it when the count is a power of two.
  void note_failure(std::string_view operation, const rocksdb::Status& status);
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_.load(); }

 private:
  DiskDatabase(std::string directory, const Clock& clock, metrics::Log& log)
      : directory_(std::move(directory)), clock_(clock), log_(log) {}

  rocksdb::Status try_open(const DiskStore::Options& options);
  rocksdb::Status check_format();
  rocksdb::Status begin_epoch();
  rocksdb::Status write_epoch();
  rocksdb::Status write_one(const rocksdb::WriteOptions& options, rocksdb::WriteBatch& batch);
  void close();
  bool try_resume();

  const std::string directory_;
  const Clock& clock_;
  metrics::Log& log_;
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::unique_ptr<rocksdb::DB> rocks_;
  rocksdb::ColumnFamilyHandle* index_ = nullptr;  // both owned by rocks_ until close()
  rocksdb::ColumnFamilyHandle* data_ = nullptr;
  std::uint64_t epoch_ = 0;

  std::atomic<std::uint64_t> failures_{0};
  std::atomic<bool> suspended_{false};
  std::mutex write_mutex_;
  std::mutex resume_mutex_;
  MonotonicTime next_resume_;  // under resume_mutex_
};

}  // namespace revcache::cache
