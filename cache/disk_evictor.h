// Keeps the disk tier's directory under its bound: one thread that measures what really lies there
// and drops the oldest data files whole, after DiskEntries has vacated them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "cache/disk_database.h"
#include "cache/disk_entries.h"
#include "cache/disk_usage.h"
#include "cache/rocks_refusals.h"

namespace revcache::cache {

[[nodiscard]] DiskUsage::Limits usage_limits(std::uint64_t bytes_max) noexcept;

class DiskEvictor {
 public:
  // Starts the thread. All three must outlive this.
  DiskEvictor(DiskDatabase& database, DiskEntries& entries, DiskUsage& usage);
  DiskEvictor(const DiskEvictor&) = delete;
  DiskEvictor& operator=(const DiskEvictor&) = delete;
  ~DiskEvictor();  // waits for the pass under way, which stops early

  // Frees the space of everything up to generation `last`, which the index has forgotten already.
  // Blocking, any thread.
  Result<void> drop_all(std::uint64_t last);

 private:
  struct LeavingFile {
    std::string path;
    std::uint64_t bytes = 0;
  };

  void run();
  void pass();
  bool free_space(std::uint64_t bytes);
  bool vacate_and_drop(std::uint64_t bytes, bool& found_files);
  bool flush_and_push_down();
  bool drop_files(std::uint64_t last);
  bool compact_index();
  // Of files that were dropped and are still there.
  std::uint64_t leaving_bytes();
  void release_leaving_files();
  bool succeeded(const char* operation, const rocksdb::Status& status);

  DiskDatabase& database_;
  DiskEntries& entries_;
  DiskUsage& usage_;
  std::move_only_function<void(const std::atomic<bool>&)> count_entries_;
  std::atomic<bool> stop_{false};
  std::mutex files_mutex_;                // one at a time moves files about
  DiskEntries::CopyAllowance allowance_;  // under files_mutex_
  std::vector<LeavingFile> leaving_;      // under files_mutex_
  FileRemoval removal_;                   // under files_mutex_
  std::thread thread_;
};

}  // namespace revcache::cache
