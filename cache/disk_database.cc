#include "cache/disk_database.h"

#include <rocksdb/cache.h>

#include <bit>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "cache/disk_options.h"
#include "cache/disk_record.h"
#include "cache/disk_set_aside.h"
#include "cache/rocks_refusals.h"

// The packaged RocksDB is not built for ThreadSanitizer, which then does not see how its threads
// synchronise and calls its every hand-over a race.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define REVCACHE_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(REVCACHE_THREAD_SANITIZER)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:librocksdb.so\n"; }
#endif

namespace revcache::cache {
namespace {

constexpr std::string_view kFormatKey = "m:format";
constexpr std::string_view kEpochKey = "m:epoch";
constexpr std::string_view kDataFamily = "data";
constexpr std::chrono::seconds kResumeInterval{1};

rocksdb::Slice slice_of(std::string_view text) noexcept { return {text.data(), text.size()}; }

// True when opening again would fail the same way, because of what the files hold. A lock held by
// another process, missing permissions and a full disk are no reason to throw a cache away.
bool is_damage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsInvalidArgument() || status.IsNotSupported() ||
         status.IsPathNotFound() || status.IsNotFound();
}

std::optional<std::uint64_t> parse_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<void> make_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return fail(ErrorCode::unreachable, Blame::local,
                "cannot make the cache directory " + directory + ": " + error.message());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DiskDatabase>> DiskDatabase::open(const DiskStore::Options& options,
                                                         const Clock& clock, metrics::Log& log) {
  for (const bool last_try : {false, true}) {
    Result<void> made = make_directory(options.directory);
    if (!made) return fail(std::move(made));
    std::unique_ptr<DiskDatabase> database(new DiskDatabase(options.directory, clock, log));
    const rocksdb::Status status = database->try_open(options);
    if (status.ok()) return database;
    database.reset();
    if (last_try || !is_damage(status)) {
      return fail(
          last_try ? ErrorCode::corrupt : ErrorCode::unreachable, Blame::local,
          "cannot open the cache database in " + options.directory + ": " + status.ToString());
    }
    Result<std::string> moved = set_aside(options.directory, clock.wall());
    if (!moved) return fail(std::move(moved));
    const std::string reason = status.ToString();
    log.error("cache database set aside", {{"directory", std::string_view(options.directory)},
                                           {"moved_to", std::string_view(*moved)},
                                           {"reason", std::string_view(reason)}});
  }
  return fail(ErrorCode::corrupt, Blame::local, "cannot open the cache database");
}

DiskDatabase::~DiskDatabase() { close(); }

std::uint64_t DiskDatabase::block_cache_bytes() const { return block_cache_->GetUsage(); }

rocksdb::Status DiskDatabase::get(rocksdb::ColumnFamilyHandle* family, std::string_view key,
                                  rocksdb::PinnableSlice* value, bool fill_cache) {
  rocksdb::ReadOptions read;
  read.fill_cache = fill_cache;
  rocksdb::Status status = rocks_->Get(read, family, slice_of(key), value);
  if (!status.ok() && !status.IsNotFound()) note_failure("read", status);
  return status;
}

bool DiskDatabase::certainly_absent(rocksdb::ColumnFamilyHandle* family,
                                    std::string_view key) const {
  rocksdb::ReadOptions cached;
  cached.read_tier = rocksdb::kBlockCacheTier;
  rocksdb::PinnableSlice ignored;
  return rocks_->Get(cached, family, slice_of(key), &ignored).IsNotFound();
}

rocksdb::Status DiskDatabase::write(rocksdb::WriteBatch& batch, bool sync) {
  if (suspended_.load() && !try_resume()) {
    failures_.fetch_add(1);
    return rocksdb::Status::IOError("writes are suspended after a failure");
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  rocksdb::Status status = write_one(options, batch);
  if (!status.ok()) {
    suspended_.store(true);
    note_failure("write", status);
  }
  return status;
}

// RocksDB writes one batch after the other anyway, or the first thread in the queue writes those of
// the others: that saves little without sync, and is a race in the eyes of ThreadSanitizer.
rocksdb::Status DiskDatabase::write_one(const rocksdb::WriteOptions& options,
                                        rocksdb::WriteBatch& batch) {
  const std::lock_guard lock(write_mutex_);
  leave_something_to_flush(*rocks_, index_, slice_of(kFormatKey),
                           std::to_string(kDiskFormatVersion));
  return rocks_->Write(options, &batch);
}

void DiskDatabase::note_failure(std::string_view operation, const rocksdb::Status& status) {
  const std::uint64_t count = failures_.fetch_add(1) + 1;
  if (!std::has_single_bit(count)) return;
  const std::string reason = status.ToString();
  log_.error("disk tier failed", {{"operation", operation},
                                  {"reason", std::string_view(reason)},
                                  {"failures", static_cast<std::int64_t>(count)}});
}

rocksdb::Status DiskDatabase::try_open(const DiskStore::Options& options) {
  const std::uint64_t write_buffer = write_buffer_bytes(options.bytes_max);
  block_cache_ = rocksdb::NewLRUCache(kBlockCacheBytes, 2);
  const std::vector<rocksdb::ColumnFamilyDescriptor> families{
      {rocksdb::kDefaultColumnFamilyName, index_options(write_buffer, block_cache_)},
      {std::string(kDataFamily), data_options(write_buffer, block_cache_)}};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status =
      rocksdb::DB::Open(database_options(options), directory_, families, &handles, &opened);
  if (!status.ok()) return status;
  rocks_.reset(opened);
  index_ = handles[0];
  data_ = handles[1];
  status = check_format();
  if (!status.ok()) return status;
  return begin_epoch();
}

rocksdb::Status DiskDatabase::check_format() {
  std::string stored;
  const std::string ours = std::to_string(kDiskFormatVersion);
  rocksdb::Status status =
      rocks_->Get(rocksdb::ReadOptions(), index_, slice_of(kFormatKey), &stored);
  if (status.ok()) {
    if (stored == ours) return status;
    return rocksdb::Status::NotSupported("format version", stored);
  }
  if (!status.IsNotFound()) return status;
  // A new database. One that has entries but no version is none of ours.
  const std::unique_ptr<rocksdb::Iterator> any(rocks_->NewIterator(rocksdb::ReadOptions(), index_));
  any->SeekToFirst();
  if (any->Valid()) return rocksdb::Status::NotSupported("no format version");
  rocksdb::WriteOptions durable;
  durable.sync = true;
  return rocks_->Put(durable, index_, slice_of(kFormatKey), ours);
}

rocksdb::Status DiskDatabase::begin_epoch() {
  std::string stored;
  rocksdb::Status status =
      rocks_->Get(rocksdb::ReadOptions(), index_, slice_of(kEpochKey), &stored);
  if (!status.ok() && !status.IsNotFound()) return status;
  const std::optional<std::uint64_t> last = status.ok() ? parse_number(stored) : 0;
  if (!last || *last >= (1ULL << 24U) - 1) return rocksdb::Status::Corruption("epoch", stored);
  epoch_ = *last + 1;
  return write_epoch();
}

// Generations are never used twice, so this must outlive a power failure.
rocksdb::Status DiskDatabase::write_epoch() {
  rocksdb::WriteOptions durable;
  durable.sync = true;
  return rocks_->Put(durable, index_, slice_of(kEpochKey), std::to_string(epoch_));
}

void DiskDatabase::close() {
  if (rocks_ == nullptr) return;
  // After an orderly end nothing is lost, not even by a power failure: a durable write takes those
  // before it along. (Not SyncWAL: it aborts the process on a log file that refused a write.)
  if (epoch_ != 0 && !suspended_.load()) {
    const rocksdb::Status synced = write_epoch();
    if (!synced.ok()) note_failure("close", synced);
  }
  for (rocksdb::ColumnFamilyHandle* family : {index_, data_}) {
    const rocksdb::Status status = rocks_->DestroyColumnFamilyHandle(family);
    if (!status.ok()) note_failure("close", status);
  }
  rocks_.reset();
}

bool DiskDatabase::try_resume() {
  const std::lock_guard lock(resume_mutex_);
  if (!suspended_.load()) return true;
  const MonotonicTime now = clock_.monotonic();
  if (now < next_resume_) return false;
  next_resume_ = now + kResumeInterval;
  const rocksdb::Status status = rocks_->Resume();
  if (!status.ok()) {
    note_failure("resume", status);
    return false;
  }
  suspended_.store(false);
  log_.info("disk tier writes again");
  return true;
}

}  // namespace revcache::cache
