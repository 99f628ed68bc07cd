#include "cache/disk_entries.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "base/check.h"

namespace revcache::cache {
namespace {

rocksdb::Slice slice_of(std::string_view text) noexcept { return {text.data(), text.size()}; }
std::string_view text_of(const rocksdb::Slice& slice) noexcept {
  return {slice.data(), slice.size()};
}
std::string_view text_of(const RecordKeyBytes& bytes) noexcept {
  return {bytes.data(), bytes.size()};
}

// What is missing or fails RocksDB's own checks is damage; all else is the disk's refusal.
Result<void> to_result(const rocksdb::Status& status) {
  if (status.ok()) return {};
  const bool damaged = status.IsCorruption() || status.IsNotFound();
  return fail(damaged ? ErrorCode::corrupt : ErrorCode::unreachable, Blame::local,
              "disk tier: " + status.ToString());
}

std::unexpected<Error> no_room() {
  return fail(ErrorCode::overloaded, Blame::local, "disk tier: over its bound, eviction is behind");
}

}  // namespace

void UsedMarks::set(std::uint64_t generation) noexcept {
  const std::uint64_t bit = generation % kBits;
  std::atomic<std::uint64_t>& word = words_[bit / 64];
  const std::uint64_t mask = 1ULL << (bit % 64);
  if ((word.load(std::memory_order_relaxed) & mask) != 0) return;
  word.fetch_or(mask, std::memory_order_relaxed);
}

void UsedMarks::clear(std::uint64_t generation) noexcept {
  const std::uint64_t bit = generation % kBits;
  words_[bit / 64].fetch_and(~(1ULL << (bit % 64)), std::memory_order_relaxed);
}

bool UsedMarks::is_set(std::uint64_t generation) const noexcept {
  const std::uint64_t bit = generation % kBits;
  return (words_[bit / 64].load(std::memory_order_relaxed) & (1ULL << (bit % 64))) != 0;
}

DiskEntries::DiskEntries(DiskDatabase& database, DiskUsage& usage,
                         const DiskStore::Options& options, metrics::Log& log)
    : database_(database),
      usage_(usage),
      options_(options),
      log_(log),
      next_generation_(database.first_generation()) {}

Result<StoredResponsePtr> DiskEntries::read(const std::string& key) {
  // An entry that is replaced or evicted between the steps is looked up again; one that changes all
  // the time is a miss.
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::optional<IndexValue> value;
    Result<void> indexed = read_index(key, value);
    if (!indexed) return fail(std::move(indexed));
    if (!value) return nullptr;
    Result<StoredResponsePtr> entry = read_indexed(key, *value);
    if (entry) {
      marks_.set(value->generation);
      return entry;
    }
    if (entry.error().code != ErrorCode::corrupt) return entry;
    if (drop_damaged(key, *value, entry.error().detail)) return nullptr;
  }
  return nullptr;
}

bool DiskEntries::certainly_absent(const std::string& key) const {
  return database_.certainly_absent(database_.index(), encode_index_key(key));
}

Result<SharedBytes> DiskEntries::read_piece(const StoredResponse& entry, std::uint64_t index) {
  CHECK(entry.on_disk && index < piece_count(entry.body_bytes));
  std::string piece;
  const IndexValue where{.generation = entry.generation,
                         .body_generation = entry.generation,
                         .entry_bytes = entry.body_bytes,
                         .kind = entry.kind};
  Result<void> read = append_piece(where, entry.body_bytes, index, piece);
  if (read) return SharedBytes::take(std::move(piece));
  if (read.error().code == ErrorCode::corrupt) {
    std::optional<IndexValue> value;
    if (read_index(entry.key, value) && value && value->body_generation == entry.generation) {
      drop_damaged(entry.key, *value, read.error().detail);
    }
  }
  return fail(std::move(read));
}

Result<void> DiskEntries::write(const StoredResponse& entry) {
  if (entry.on_disk) return write_new_head(entry);
  CHECK(entry.body_bytes == entry.body.size());
  if (entry.body_bytes > entry_bytes_max()) {
    return fail(ErrorCode::too_large, Blame::local, "disk tier: over a quarter of disk_bytes");
  }
  const std::uint64_t generation = take_generation();
  Result<void> written = write_body(entry, generation);
  if (!written) return written;
  const std::string record = encode_head_record(entry, generation, generation);
  if (!usage_.admit(record.size() + entry.key.size())) return no_room();
  const IndexValue value{.generation = generation,
                         .body_generation = generation,
                         .entry_bytes = record.size() + bytes_beside_head(entry.body_bytes),
                         .kind = entry.kind};
  return publish(entry.key, record, value, {.replaces = {}, .purged_since = entry.purge_mark});
}

Result<void> DiskEntries::remove(const std::string& key) { return remove(key, /*sync=*/true); }

Result<void> DiskEntries::remove(const std::string& key, bool sync) {
  const std::lock_guard lock(lock_of(key));
  std::optional<IndexValue> value;
  Result<void> indexed = read_index(key, value);
  if (!indexed || !value) return indexed;
  rocksdb::WriteBatch batch;
  batch.Delete(database_.index(), encode_index_key(key));
  const rocksdb::Status status = database_.write(batch, sync);
  if (status.ok()) account(key, *value, -1);
  return to_result(status);
}

std::mutex& DiskEntries::lock_of(std::string_view key) noexcept {
  return locks_[std::hash<std::string_view>{}(key) % locks_.size()];
}

std::uint64_t DiskEntries::take_generation() noexcept {
  const std::uint64_t generation = next_generation_.fetch_add(1);
  marks_.clear(generation);
  return generation;
}

Result<void> DiskEntries::read_index(std::string_view key, std::optional<IndexValue>& value) {
  rocksdb::PinnableSlice found;
  const rocksdb::Status status =
      database_.get(database_.index(), encode_index_key(key), &found, /*fill_cache=*/true);
  if (status.IsNotFound()) {
    value.reset();
    return {};
  }
  if (!status.ok()) return to_result(status);
  value = decode_index_value(text_of(found));
  if (value) return {};
  return fail(ErrorCode::corrupt, Blame::local, "disk tier: index value of a wrong length");
}

Result<void> DiskEntries::read_record(RecordKey key, rocksdb::PinnableSlice& record) {
  // Pieces would push everything else out of the small block cache.
  const bool fill_cache = key.part == kHeadPart;
  return to_result(
      database_.get(database_.data(), text_of(encode_record_key(key)), &record, fill_cache));
}

Result<HeadRecord> DiskEntries::read_head(const std::string& key, std::uint64_t generation,
                                          rocksdb::PinnableSlice& record) {
  Result<void> read = read_record({.generation = generation, .part = kHeadPart}, record);
  if (!read) return fail(std::move(read));
  Result<HeadRecord> head = decode_head_record(text_of(record), generation);
  if (head && head->response.key != key) {
    return fail(ErrorCode::corrupt, Blame::local, "head record of another key");
  }
  return head;
}

Result<void> DiskEntries::append_piece(const IndexValue& value, std::uint64_t body_bytes,
                                       std::uint64_t index, std::string& out) {
  const RecordKey key{.generation = value.body_generation,
                      .part = static_cast<std::uint32_t>(index)};
  rocksdb::PinnableSlice record;
  Result<void> read = read_record(key, record);
  if (!read) return read;
  const Result<std::string_view> piece =
      checked_piece(key, text_of(record), piece_length(body_bytes, index));
  if (!piece) return std::unexpected(piece.error());
  out.append(*piece);
  return {};
}

Result<StoredResponsePtr> DiskEntries::read_indexed(const std::string& key,
                                                    const IndexValue& value) {
  rocksdb::PinnableSlice record;
  Result<HeadRecord> head = read_head(key, value.generation, record);
  if (!head) return fail(std::move(head));
  StoredResponse& response = head->response;
  response.on_disk = !head->inline_body && response.body_bytes > options_.whole_body_bytes_max;
  if (head->inline_body) {
    response.body = SharedBytes::copy_of(*head->inline_body);
  } else if (response.on_disk) {
    response.generation = head->body_generation;
  } else {
    Result<void> attached = attach_body(value, response);
    if (!attached) return fail(std::move(attached));
  }
  return finish(std::move(response));
}

Result<void> DiskEntries::attach_body(const IndexValue& value, StoredResponse& response) {
  std::string body;
  body.reserve(response.body_bytes);
  for (std::uint64_t index = 0; index < piece_count(response.body_bytes); ++index) {
    Result<void> read = append_piece(value, response.body_bytes, index, body);
    if (!read) return read;
  }
  response.body = SharedBytes::take(std::move(body));
  return {};
}

bool DiskEntries::drop_damaged(const std::string& key, const IndexValue& value,
                               std::string_view reason) {
  std::optional<IndexValue> now;
  if (!read_index(key, now)) return true;
  if (!now || now->generation != value.generation) return false;
  // A failure to forget is counted where it happens; the entry is found damaged again.
  static_cast<void>(forget(key, value.generation));
  // Evicted while it was read: nothing is wrong with the disk.
  if (value.body_generation < floor_.load()) return true;
  const std::uint64_t count = corrupt_entries_.fetch_add(1) + 1;
  if (std::has_single_bit(count)) {
    log_.warning("damaged disk entry erased", {{"key", std::string_view(key)},
                                               {"reason", reason},
                                               {"damaged", static_cast<std::int64_t>(count)}});
  }
  return true;
}

Result<void> DiskEntries::write_body(const StoredResponse& entry, std::uint64_t generation) {
  if (entry.body_bytes <= kInlineBodyBytesMax) return {};
  const std::string_view body = entry.body.text();
  for (std::uint64_t index = 0; index < piece_count(body.size()); ++index) {
    if (!usage_.admit(kPieceBytes)) return no_room();
    Result<void> put =
        put_piece({.generation = generation, .part = static_cast<std::uint32_t>(index)},
                  body.substr(index * kPieceBytes, kPieceBytes));
    if (!put) return put;
  }
  return {};
}

// After a revalidation of a body that is too large for memory: new fields, the same body.
Result<void> DiskEntries::write_new_head(const StoredResponse& entry) {
  std::optional<IndexValue> old;
  Result<void> indexed = read_index(entry.key, old);
  if (!indexed) return indexed;
  if (!old || old->body_generation != entry.generation) {
    return fail(ErrorCode::corrupt, Blame::local, "disk tier: the body is gone");
  }
  const std::uint64_t generation = take_generation();
  const std::string record = encode_head_record(entry, generation, entry.generation);
  if (!usage_.admit(record.size() + entry.key.size())) return no_room();
  const IndexValue value{.generation = generation,
                         .body_generation = entry.generation,
                         .entry_bytes = record.size() + entry.body_bytes,
                         .kind = entry.kind};
  return publish(entry.key, record, value,
                 {.replaces = old->generation, .purged_since = entry.purge_mark});
}

Result<void> DiskEntries::put_piece(RecordKey key, std::string_view piece) {
  const RecordKeyBytes place = encode_record_key(key);
  const Checksum checksum = piece_checksum(key, piece);
  const rocksdb::Slice key_part(place.data(), place.size());
  const std::array<rocksdb::Slice, 2> value_parts{slice_of(piece),
                                                  rocksdb::Slice(checksum.data(), checksum.size())};
  rocksdb::WriteBatch batch(piece.size() + 64);
  batch.Put(database_.data(), rocksdb::SliceParts(&key_part, 1),
            rocksdb::SliceParts(value_parts.data(), static_cast<int>(value_parts.size())));
  return to_result(database_.write(batch, /*sync=*/false));
}

Result<void> DiskEntries::publish(const std::string& key, std::string_view head_record,
                                  const IndexValue& value, const Unless& unless) {
  const std::lock_guard lock(lock_of(key));
  if (value.body_generation < floor_.load()) return no_room();
  // Under the lock, for which visit() waits: what passes here is seen there.
  if (options_.purges != nullptr && options_.purges->forbids(key, unless.purged_since)) {
    return fail(ErrorCode::refused, Blame::local, "disk tier: purged since it was asked for");
  }
  std::optional<IndexValue> old;
  Result<void> indexed = read_index(key, old);
  // A damaged index value is overwritten.
  if (!indexed && indexed.error().code != ErrorCode::corrupt) return indexed;
  if (unless.replaces && (!old || old->generation != *unless.replaces)) {
    return fail(ErrorCode::corrupt, Blame::local, "disk tier: replaced meanwhile");
  }
  rocksdb::WriteBatch batch;
  batch.Put(
      database_.data(),
      slice_of(text_of(encode_record_key({.generation = value.generation, .part = kHeadPart}))),
      slice_of(head_record));
  batch.Put(database_.index(), encode_index_key(key), encode_index_value(value));
  const rocksdb::Status status = database_.write(batch, /*sync=*/false);
  if (!status.ok()) return to_result(status);
  if (old) account(key, *old, -1);
  account(key, value, +1);
  return {};
}

Result<bool> DiskEntries::forget(const std::string& key, std::uint64_t generation) {
  const std::lock_guard lock(lock_of(key));
  std::optional<IndexValue> value;
  Result<void> indexed = read_index(key, value);
  if (!indexed) return fail(std::move(indexed));
  if (!value || value->generation != generation) return false;
  rocksdb::WriteBatch batch;
  batch.Delete(database_.index(), encode_index_key(key));
  const rocksdb::Status status = database_.write(batch, /*sync=*/false);
  if (!status.ok()) return fail(to_result(status));
  account(key, *value, -1);
  return true;
}

void DiskEntries::account(std::string_view key, const IndexValue& value,
                          std::int64_t sign) noexcept {
  LiveKind& live = live_[static_cast<std::size_t>(value.kind)];
  live.entries.fetch_add(sign, std::memory_order_relaxed);
  live.bytes.fetch_add(sign * static_cast<std::int64_t>(value.entry_bytes),
                       std::memory_order_relaxed);
  index_bytes_.fetch_add(sign * static_cast<std::int64_t>(key.size() + kIndexValueBytes),
                         std::memory_order_relaxed);
}

}  // namespace revcache::cache
