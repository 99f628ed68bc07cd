#include "cache/disk_evictor.h"

#include <rocksdb/metadata.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cache/disk_options.h"
#include "cache/disk_record.h"

namespace revcache::cache {
namespace {

// Of what is dropped, how much may be written again: a quarter of it is freed at least.
constexpr std::uint64_t kCopiedPercentMax = 75;
// What is written again lies there twice until the old files are dropped; a part of the bound is
// kept free for it.
constexpr std::uint64_t kHeadroomPart = 16;
// In one pass; a disk that is full of what cannot be freed must not keep the thread spinning.
constexpr int kRoundsMax = 16;

struct DataFile {
  std::string name;
  std::uint64_t first_generation = 0;
  std::uint64_t last_generation = 0;
  std::uint64_t bytes = 0;
};

// Files that can be dropped: those in the last level, the oldest first.
std::vector<DataFile> settled_files(const DiskDatabase& database) {
  rocksdb::ColumnFamilyMetaData meta;
  database.rocks().GetColumnFamilyMetaData(database.data(), &meta);
  std::vector<DataFile> files;
  for (const rocksdb::LevelMetaData& level : meta.levels) {
    if (level.level == 0) continue;
    for (const rocksdb::SstFileMetaData& file : level.files) {
      const std::optional<RecordKey> first = decode_record_key(file.smallestkey);
      const std::optional<RecordKey> last = decode_record_key(file.largestkey);
      if (!first || !last) continue;
      files.push_back(DataFile{.name = file.name,
                               .first_generation = first->generation,
                               .last_generation = last->generation,
                               .bytes = file.size});
    }
  }
  std::sort(files.begin(), files.end(), [](const DataFile& a, const DataFile& b) {
    return a.first_generation < b.first_generation;
  });
  return files;
}

}  // namespace

DiskUsage::Limits usage_limits(std::uint64_t bytes_max) noexcept {
  const std::uint64_t write_buffer = write_buffer_bytes(bytes_max);
  return DiskUsage::Limits{.soft_max = bytes_max - bytes_max / kHeadroomPart,
                           .hard_max = bytes_max + 4 * write_buffer,
                           .step = write_buffer};
}

DiskEvictor::DiskEvictor(DiskDatabase& database, DiskEntries& entries, DiskUsage& usage)
    : database_(database),
      entries_(entries),
      usage_(usage),
      count_entries_(entries.start_counting()) {
  allowance_.entry_bytes_max =
      std::max(usage.limits().soft_max / kHeadroomPart / 2, 4 * usage.limits().step);
  allowance_.credit_bytes = static_cast<std::int64_t>(allowance_.entry_bytes_max);
  // The bound may be smaller than last time.
  usage_.measure(database_.directory());
  usage_.request_pass();
  thread_ = std::thread([this] { run(); });
}

DiskEvictor::~DiskEvictor() {
  stop_.store(true);
  usage_.stop();
  thread_.join();
}

Result<void> DiskEvictor::drop_all(std::uint64_t last) {
  const std::lock_guard lock(files_mutex_);
  const bool dropped =
      flush_and_push_down() && drop_files(last) &&
      succeeded("compact", database_.rocks().CompactRange(rocksdb::CompactRangeOptions(),
                                                          database_.index(), nullptr, nullptr));
  usage_.request_pass();
  if (dropped) return {};
  return fail(ErrorCode::unreachable, Blame::local, "disk tier: cannot free the space");
}

void DiskEvictor::run() {
  count_entries_(stop_);
  count_entries_ = nullptr;  // it pins the files of the past
  while (usage_.begin_pass()) {
    pass();
    usage_.end_pass();
  }
}

void DiskEvictor::pass() {
  const std::uint64_t soft_max = usage_.limits().soft_max;
  // A little more is freed than necessary, so that not every write calls for the next pass.
  const std::uint64_t margin = std::max(usage_.limits().step, soft_max / 64);
  const std::uint64_t target = soft_max - std::min(soft_max, margin);
  for (int round = 0; round < kRoundsMax; ++round) {
    const std::lock_guard lock(files_mutex_);
    if (usage_.measure(database_.directory()) > usage_.limits().hard_max) release_leaving_files();
    const std::uint64_t leaving = leaving_bytes();
    const std::uint64_t bytes = usage_.measure(database_.directory());
    const std::uint64_t stays = bytes - std::min(bytes, leaving);
    if (stays <= soft_max || usage_.stopping() || !free_space(stays - target)) return;
  }
}

// Writers wait for the space: what holds it is background work, which ends.
void DiskEvictor::release_leaving_files() {
  if (leaving_bytes() == 0) return;
  if (succeeded("pause", database_.rocks().PauseBackgroundWork())) {
    succeeded("continue", database_.rocks().ContinueBackgroundWork());
  }
}

// A flush or a compaction that began before holds the files of its time: they go when it ends, and
// nothing else need go for them.
std::uint64_t DiskEvictor::leaving_bytes() {
  std::error_code ignored;
  std::erase_if(leaving_, [&](const LeavingFile& file) {
    return !std::filesystem::exists(file.path, ignored);
  });
  std::uint64_t bytes = 0;
  for (const LeavingFile& file : leaving_) bytes += file.bytes;
  return bytes;
}

bool DiskEvictor::free_space(std::uint64_t bytes) {
  if (!compact_index()) return false;
  bool found_files = false;
  if (!vacate_and_drop(bytes, found_files)) return false;
  if (found_files) return true;
  // All of it is in memtables, their log, or on its way to the last level.
  return flush_and_push_down() && vacate_and_drop(bytes, found_files) && found_files;
}

bool DiskEvictor::vacate_and_drop(std::uint64_t bytes, bool& found_files) {
  const std::vector<DataFile> files = settled_files(database_);
  found_files = !files.empty();
  if (!found_files) return true;
  std::uint64_t chosen = 0;
  std::uint64_t last = 0;
  for (const DataFile& file : files) {
    if (chosen >= bytes) break;
    chosen += file.bytes;
    last = std::max(last, file.last_generation);
  }
  // The last entry may fill many more files.
  std::uint64_t dropped = 0;
  for (const DataFile& file : files) dropped += file.last_generation <= last ? file.bytes : 0;
  const auto earned = static_cast<std::int64_t>(dropped / 100 * kCopiedPercentMax);
  allowance_.credit_bytes = std::min(allowance_.credit_bytes + earned,
                                     static_cast<std::int64_t>(allowance_.entry_bytes_max));
  const Result<void> vacated = entries_.vacate(last, allowance_);
  if (!vacated || !drop_files(last)) return false;
  // What RocksDB did drop: it leaves files that are being compacted.
  const std::vector<DataFile> left = settled_files(database_);
  for (const DataFile& file : files) {
    if (std::ranges::find(left, file.name, &DataFile::name) != left.end()) continue;
    leaving_.push_back({.path = database_.directory() + file.name, .bytes = file.bytes});
  }
  return true;
}

bool DiskEvictor::flush_and_push_down() {
  // Both families: a log file goes when neither needs it any more.
  return succeeded("flush", database_.rocks().Flush(rocksdb::FlushOptions(),
                                                    {database_.index(), database_.data()})) &&
         succeeded("compact", database_.rocks().CompactRange(rocksdb::CompactRangeOptions(),
                                                             database_.data(), nullptr, nullptr));
}

bool DiskEvictor::drop_files(std::uint64_t last) {
  const RecordKeyBytes end = encode_record_key({.generation = last, .part = kHeadPart});
  const rocksdb::Slice end_slice(end.data(), end.size());
  return succeeded("evict", removal_.remove_up_to(database_.rocks(), database_.data(), end_slice));
}

// Levels keep the index's garbage small by themselves, but for what the bound has no time to wait.
bool DiskEvictor::compact_index() {
  std::uint64_t on_disk = 0;
  database_.rocks().GetIntProperty(database_.index(), rocksdb::DB::Properties::kLiveSstFilesSize,
                                   &on_disk);
  if (on_disk < 2 * entries_.index_bytes() + 2 * usage_.limits().step) return true;
  return succeeded("compact", database_.rocks().CompactRange(rocksdb::CompactRangeOptions(),
                                                             database_.index(), nullptr, nullptr));
}

bool DiskEvictor::succeeded(const char* operation, const rocksdb::Status& status) {
  if (!status.ok()) database_.note_failure(operation, status);
  return status.ok();
}

}  // namespace revcache::cache
