// Asynchronous storage of responses: disk, or shared between nodes. Fulfilled by DiskTier, and by
// a simulated disk in tests. Calls on one loop; callbacks on the same loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/callback.h"
#include "base/result.h"
#include "cache/stored_response.h"

namespace revcache::cache {

inline constexpr std::size_t kPieceBytes = 1024 * 1024;  // bodies are stored in such pieces

class Tier {
 public:
  virtual ~Tier() = default;

  // The entry, or nullptr when absent. A damaged entry is erased, counted and absent. Bodies up to
  // the tier's `whole_body_bytes_max` come with the entry; larger ones stay (on_disk = true).
  virtual void find(const std::string& key, Callback<Result<StoredResponsePtr>> done) = 0;

  // True when find() would find nothing, as far as this can be told at once and without the disk:
  // it spares a miss the way there. False says nothing.
  [[nodiscard]] virtual bool certainly_absent(const std::string& /*key*/) { return false; }

  // Piece `index` (from 0) of the body of an entry with on_disk; fails with corrupt when the entry
  // was replaced or damaged meanwhile: the caller must then cut the connection.
  virtual void read_piece(const StoredResponsePtr& entry, std::uint64_t index,
                          Callback<Result<SharedBytes>> done) = 0;

  // Replaces the entry of the same key. Best effort: a failure is counted and logged by the tier,
  // and `done` tells. Never partially visible.
  virtual void put(StoredResponsePtr entry, Callback<Result<void>> done) = 0;

  // After `done` the entry is not found any more; when it succeeded, also after a crash.
  virtual void erase(const std::string& key, Callback<Result<void>> done) = 0;

  // Before the loop ends: a put() that the tier holds back to do it with others is on its way when
  // this returns, and so is each that comes.
  virtual void stop_gathering() {}
};

}  // namespace revcache::cache
