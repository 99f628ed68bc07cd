#include "revocation/state_store_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/table.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "cache/rocks_refusals.h"
#include "revocation/state_record.h"
#include "revocation/state_store_directory.h"

namespace revcache::revocation {
namespace {

constexpr std::size_t kWriteBufferBytes = std::size_t{16} << 20U;
constexpr std::size_t kBlockCacheBytes = std::size_t{4} << 20U;

rocksdb::Slice slice_of(std::string_view text) noexcept { return {text.data(), text.size()}; }
std::string_view view_of(const rocksdb::Slice& slice) noexcept {
  return {slice.data(), slice.size()};
}

rocksdb::Options rocks_options(rocksdb::Env* env, bool may_create) {
  rocksdb::Options options;
  if (env != nullptr) options.env = env;
  options.create_if_missing = may_create;
  // A log may end in the middle of a record, as a killed process leaves it; `confirmed` tells what
  // must be there. Any other damage of a log refuses to open, instead of dropping what follows.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.paranoid_checks = true;
  // Every file is opened at the start, so a missing one is noticed then.
  options.max_open_files = -1;
  options.write_buffer_size = kWriteBufferBytes;
  options.compression = rocksdb::kNoCompression;
  options.allow_fallocate = false;
  options.max_background_jobs = 2;
  options.max_manifest_file_size = std::size_t{1} << 20U;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_log_file_size = std::size_t{1} << 20U;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes, 2);
  table.cache_index_and_filter_blocks = true;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// What opening again would meet again, because of what the files hold.
bool is_damage(const rocksdb::Status& status) {
  return status.IsCorruption() || status.IsInvalidArgument() || status.IsNotSupported() ||
         status.IsPathNotFound() || status.IsNotFound();
}

// RocksDB has no code for it.
bool is_in_use(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && (text.find("While lock file") != std::string::npos ||
                                text.find("lock hold by current process") != std::string::npos);
}

}  // namespace

std::string prefix_end(std::string prefix) {
  while (!prefix.empty()) {
    const auto last = static_cast<unsigned char>(prefix.back());
    if (last != 0xff) {
      prefix.back() = static_cast<char>(last + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return prefix;
}

Result<std::unique_ptr<StateDatabase>> StateDatabase::open(const StateStore::Options& options,
                                                           metrics::Log& log) {
  if (auto made = make_state_directory(options.directory, log); !made) {
    return fail(std::move(made));
  }
  const auto contents = look_into_state_directory(options.directory);
  if (!contents) return fail(contents.error().code, Blame::local, contents.error().detail);
  std::unique_ptr<StateDatabase> database(new StateDatabase(options, log));
  auto opened = database->open_rocks(!contents->confirmed && !contents->has_database);
  if (!opened) return fail(std::move(opened));
  auto checked = database->check_confirmed();
  if (!checked) {
    database->has_unsynced_ = false;  // a refused database is left as it is
    return fail(std::move(checked));
  }
  return database;
}

StateDatabase::~StateDatabase() {
  if (rocks_ != nullptr && has_unsynced_ && !suspended_) {
    // A durable write takes those before it along. (Not SyncWAL: it aborts the process on a log
    // file that refused a write.)
    rocksdb::WriteBatch empty;
    static_cast<void>(write(empty, true));
  }
  rocks_.reset();
  if (confirmed_file_ >= 0) ::close(confirmed_file_);
}

Result<void> StateDatabase::open_rocks(bool may_create) {
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(rocks_options(env_, may_create), directory_, &opened);
  if (status.ok()) {
    rocks_.reset(opened);
    return {};
  }
  if (is_in_use(status)) {
    return fail(ErrorCode::unreachable, Blame::local,
                "the state database in " + directory_ + " is in use by another process");
  }
  const bool damaged = is_damage(status);
  return fail(damaged ? ErrorCode::corrupt : ErrorCode::unreachable, Blame::local,
              "cannot open the state database in " + directory_ + ": " + status.ToString() +
                  (damaged ? ways_out(directory_) : std::string()));
}

// Once more from the start: only now nobody else has the database open.
Result<void> StateDatabase::check_confirmed() {
  const auto refuse = [this](const std::string& why) {
    return fail(ErrorCode::corrupt, Blame::local,
                "the state database in " + directory_ + " " + why + ways_out(directory_));
  };
  const auto contents = look_into_state_directory(directory_);
  if (!contents) return fail(contents.error().code, Blame::local, contents.error().detail);
  const std::string key = single_key(StateKind::last_write);
  Result<std::optional<std::string>> record = get(key);
  if (!record) return fail(std::move(record));
  if (*record) {
    const Result<std::uint64_t> number = decode_number(key, **record);
    if (!number) return fail(number.error().code, Blame::local, number.error().detail);
    last_write_ = *number;
  } else if (Result<std::optional<std::string>> any = last_key(""); !any) {
    return fail(std::move(any));
  } else if (*any) {
    return refuse("was made by another program");
  }
  if (contents->confirmed && *contents->confirmed > last_write_) {
    return refuse("has lost writes that were confirmed: the newest it has is number " +
                  std::to_string(last_write_) + ", confirmed was " +
                  std::to_string(*contents->confirmed));
  }
  // 1: a process that made the database ended before it could confirm the first write.
  if (!contents->confirmed && last_write_ > 1) return refuse("lacks the file \"confirmed\"");
  Result<int> file = open_confirmed(directory_);
  if (!file) return fail(std::move(file));
  confirmed_file_ = *file;
  if (contents->confirmed) return {};
  last_write_ = 0;
  rocksdb::WriteBatch first;
  return write(first, true);
}

Result<std::optional<std::string>> StateDatabase::get(const std::string& key) const {
  std::string record;
  const rocksdb::Status status = rocks_->Get(rocksdb::ReadOptions(), key, &record);
  if (status.ok()) return record;
  if (status.IsNotFound()) return std::nullopt;
  return read_failed(key, status);
}

Result<void> StateDatabase::for_each(const std::string& prefix, const std::string& from,
                                     const Visit& visit) const {
  const std::string end = prefix_end(prefix);
  const rocksdb::Slice end_slice = slice_of(end);
  rocksdb::ReadOptions read;
  if (!end.empty()) read.iterate_upper_bound = &end_slice;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(rocks_->NewIterator(read));
  for (at->Seek(slice_of(std::max(prefix, from))); at->Valid(); at->Next()) {
    Result<bool> go_on = visit(view_of(at->key()), view_of(at->value()));
    if (!go_on) return fail(std::move(go_on));
    if (!*go_on) return {};
  }
  if (!at->status().ok()) return read_failed(prefix, at->status());
  return {};
}

Result<std::optional<std::string>> StateDatabase::last_key(const std::string& prefix) const {
  const std::string end = prefix_end(prefix);
  const rocksdb::Slice end_slice = slice_of(end);
  rocksdb::ReadOptions read;
  if (!end.empty()) read.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> at(rocks_->NewIterator(read));
  at->SeekToLast();
  if (!at->Valid()) {
    if (!at->status().ok()) return read_failed(prefix, at->status());
    return std::nullopt;
  }
  std::string key = at->key().ToString();
  if (!key.starts_with(prefix)) return std::nullopt;
  return key;
}

Result<void> StateDatabase::write(rocksdb::WriteBatch& batch, bool durable) {
  if (suspended_) {
    if (auto resumed = resume(); !resumed) return resumed;
  }
  if (last_write_ > 0) {
    const std::string key = single_key(StateKind::last_write);
    cache::leave_something_to_flush(*rocks_, rocks_->DefaultColumnFamily(), key,
                                    encode_number(key, last_write_));
  }
  if (durable) return write_durably(batch);
  const rocksdb::Status status = rocks_->Write(rocksdb::WriteOptions(), &batch);
  if (!status.ok()) return write_failed(status);
  has_unsynced_ = true;
  return {};
}

Result<void> StateDatabase::write_durably(rocksdb::WriteBatch& batch) {
  const std::string key = single_key(StateKind::last_write);
  rocksdb::Status status = batch.Put(key, encode_number(key, last_write_ + 1));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (status.ok()) status = rocks_->Write(synced, &batch);
  if (!status.ok()) return write_failed(status);
  ++last_write_;
  has_unsynced_ = false;
  auto confirmed = write_confirmed(confirmed_file_, last_write_);
  // The write itself is there; the next one confirms both.
  if (!confirmed) return fail(std::move(confirmed));
  return {};
}

Result<void> StateDatabase::resume() {
  const rocksdb::Status status = rocks_->Resume();
  if (!status.ok()) return write_failed(status);
  suspended_ = false;
  log_.info("state database writes again", {{"directory", std::string_view(directory_)}});
  return {};
}

std::unexpected<Error> StateDatabase::write_failed(const rocksdb::Status& status) {
  suspended_ = true;
  const std::string reason = status.ToString();
  if (std::has_single_bit(++failures_)) {
    log_.error("state database cannot be written",
               {{"directory", std::string_view(directory_)},
                {"reason", std::string_view(reason)},
                {"failures", static_cast<std::int64_t>(failures_)}});
  }
  // RocksDB reads what it wrote when it compacts.
  const bool damaged = status.IsCorruption();
  return fail(damaged ? ErrorCode::corrupt : ErrorCode::unreachable, Blame::local,
              "cannot write the state database in " + directory_ + ": " + reason +
                  (damaged ? ways_out(directory_) : std::string()));
}

std::unexpected<Error> StateDatabase::read_failed(const std::string& key,
                                                  const rocksdb::Status& status) const {
  const bool damaged = status.IsCorruption();
  return fail(damaged ? ErrorCode::corrupt : ErrorCode::unreachable, Blame::local,
              "cannot read the state record " + describe_key(key) + " in " + directory_ + ": " +
                  status.ToString() + (damaged ? ways_out(directory_) : std::string()));
}

}  // namespace revcache::revocation
