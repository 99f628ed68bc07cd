// The RocksDB database under the state store, and the file `confirmed` beside it (docs/formats.md,
// "State database"): opened or refused, never set aside and never repaired; written durably;
// brought back to work after the disk had refused.
//
// Reading is thread-safe; write() is for one thread at a time. Every call may block.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/log.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

class StateDatabase {
 public:
  // See StateStore::open.
  static Result<std::unique_ptr<StateDatabase>> open(const StateStore::Options& options,
                                                     metrics::Log& log);
  StateDatabase(const StateDatabase&) = delete;
  StateDatabase& operator=(const StateDatabase&) = delete;
  // After an orderly end nothing that was written is lost, not even by a power failure.
  ~StateDatabase();

  // The record, not yet decoded; nullopt: there is none. Fails with corrupt or unreachable.
  Result<std::optional<std::string>> get(const std::string& key) const;

  // Each (key, record) whose key begins so and is at least `from`, in order, as of now. Ends early
  // when `visit` gives false or fails. Views are valid inside the call.
  using Visit = std::function<Result<bool>(std::string_view key, std::string_view record)>;
  Result<void> for_each(const std::string& prefix, const std::string& from,
                        const Visit& visit) const;
  // The highest key that begins so.
  Result<std::optional<std::string>> last_key(const std::string& prefix) const;

  // All of `batch` or nothing. With `durable` it outlives a power failure when this returns, and
  // all written before with it. Fails with unreachable; the next call tries to resume first.
  Result<void> write(rocksdb::WriteBatch& batch, bool durable);

 private:
  StateDatabase(const StateStore::Options& options, metrics::Log& log)
      : directory_(options.directory), env_(options.env), log_(log) {}

  Result<void> open_rocks(bool may_create);
  // Whether each durable write that was ever confirmed is there.
  Result<void> check_confirmed();
  Result<void> write_durably(rocksdb::WriteBatch& batch);
  Result<void> resume();
  std::unexpected<Error> write_failed(const rocksdb::Status& status);
  [[nodiscard]] std::unexpected<Error> read_failed(const std::string& key,
                                                   const rocksdb::Status& status) const;

  const std::string directory_;
  rocksdb::Env* const env_;
  metrics::Log& log_;
  std::unique_ptr<rocksdb::DB> rocks_;
  int confirmed_file_ = -1;
  std::uint64_t last_write_ = 0;  // number of the newest durable write
  bool has_unsynced_ = false;
  bool suspended_ = false;  // since a write failed
  std::uint64_t failures_ = 0;
};

// Just above every key that begins so.
std::string prefix_end(std::string prefix);

}  // namespace revcache::revocation
