// The side of DiskEntries that the evictor uses: entries leave the low end of the ring, or are
// written again at the other end.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cache/disk_entries.h"

namespace revcache::cache {
namespace {

std::string_view text_of(const rocksdb::Slice& slice) noexcept {
  return {slice.data(), slice.size()};
}

rocksdb::Slice slice_of(const RecordKeyBytes& bytes) noexcept {
  return {bytes.data(), bytes.size()};
}

std::uint64_t not_negative(std::int64_t value) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

Result<void> DiskEntries::vacate(std::uint64_t last, CopyAllowance& allowance) {
  // From here on no write of these generations becomes visible any more.
  floor_.store(std::max(floor_.load(), last + 1));
  const RecordKeyBytes end = encode_record_key({.generation = last + 1, .part = 0});
  const rocksdb::Slice upper_bound = slice_of(end);
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  read.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> at(
      database_.rocks().NewIterator(read, database_.data()));
  at->SeekToFirst();
  while (at->Valid() && !usage_.stopping()) {
    const std::optional<RecordKey> key = decode_record_key(text_of(at->key()));
    if (key && key->part != kHeadPart) {
      // Past the pieces, which need not be read.
      at->Seek(slice_of(encode_record_key({.generation = key->generation, .part = kHeadPart})));
      continue;
    }
    if (key) {
      Result<void> vacated = vacate_entry(key->generation, text_of(at->value()), allowance);
      if (!vacated) return vacated;
    }
    at->Next();
  }
  if (usage_.stopping()) return fail(ErrorCode::overloaded, Blame::local, "stopping");
  // Damaged blocks go like all others; their entries are found missing one by one.
  if (at->status().ok() || at->status().IsCorruption()) return {};
  database_.note_failure("evict", at->status());
  return fail(ErrorCode::unreachable, Blame::local, at->status().ToString());
}

Result<std::uint64_t> DiskEntries::forget_all() {
  std::vector<std::unique_lock<std::mutex>> all;
  all.reserve(locks_.size());
  for (std::mutex& lock : locks_) all.emplace_back(lock);
  rocksdb::WriteBatch batch;
  // Every index key of an entry begins with the same octet; the database's own with another.
  const std::string first = encode_index_key("");
  std::string end = first;
  ++end.back();
  batch.DeleteRange(database_.index(), first, end);
  const rocksdb::Status status = database_.write(batch, /*sync=*/true);
  if (!status.ok()) return fail(ErrorCode::unreachable, Blame::local, status.ToString());
  const std::uint64_t last = next_generation_.load() - 1;
  floor_.store(std::max(floor_.load(), last + 1));
  const std::lock_guard alone(counting_);
  ++forgotten_all_;
  for (LiveKind& live : live_) {
    live.entries.store(0);
    live.bytes.store(0);
  }
  index_bytes_.store(0);
  return last;
}

std::move_only_function<void(const std::atomic<bool>&)> DiskEntries::start_counting() {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  const std::lock_guard alone(counting_);
  std::unique_ptr<rocksdb::Iterator> at(database_.rocks().NewIterator(read, database_.index()));
  return [this, at = std::move(at),
          forgotten = forgotten_all_](const std::atomic<bool>& stop) mutable {
    count_index(*at, forgotten, stop);
    at.reset();
  };
}

// `forgotten`: of forgotten_all_ when `at` was made. What was forgotten since is no part of the
// sum.
void DiskEntries::count_index(rocksdb::Iterator& at, std::uint64_t forgotten,
                              const std::atomic<bool>& stop) {
  struct Found {
    std::int64_t entries = 0;
    std::int64_t bytes = 0;
  };
  std::array<Found, kObjectKinds> found{};
  std::int64_t index_bytes = 0;
  for (at.SeekToFirst(); at.Valid(); at.Next()) {
    if (stop.load(std::memory_order_relaxed)) return;
    const std::optional<std::string_view> key = cache_key_of(text_of(at.key()));
    const std::optional<IndexValue> value = decode_index_value(text_of(at.value()));
    if (!key || !value) continue;
    Found& of_kind = found[static_cast<std::size_t>(value->kind)];
    ++of_kind.entries;
    of_kind.bytes += static_cast<std::int64_t>(value->entry_bytes);
    index_bytes += static_cast<std::int64_t>(key->size() + kIndexValueBytes);
  }
  const std::lock_guard alone(counting_);
  if (forgotten_all_ == forgotten) {
    for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
      live_[kind].entries.fetch_add(found[kind].entries);
      live_[kind].bytes.fetch_add(found[kind].bytes);
    }
    index_bytes_.fetch_add(index_bytes);
  }
  counted_.store(true);
}

std::array<DiskStore::KindStats, kObjectKinds> DiskEntries::by_kind() const noexcept {
  std::array<DiskStore::KindStats, kObjectKinds> stats{};
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    stats[kind] = {.entries = not_negative(live_[kind].entries.load()),
                   .bytes = not_negative(live_[kind].bytes.load())};
  }
  return stats;
}

std::uint64_t DiskEntries::live_bytes() const noexcept {
  std::int64_t sum = 0;
  for (const LiveKind& live : live_) sum += live.bytes.load(std::memory_order_relaxed);
  return not_negative(sum);
}

std::uint64_t DiskEntries::index_bytes() const noexcept {
  return not_negative(index_bytes_.load());
}

Result<void> DiskEntries::vacate_entry(std::uint64_t generation, std::string_view head_record,
                                       CopyAllowance& allowance) {
  const Result<HeadRecord> head = decode_head_record(head_record, generation);
  if (!head) return {};  // nobody can ask for it; if the index knows it, find() cleans up
  const std::string& key = head->response.key;
  std::optional<IndexValue> value;
  Result<void> indexed = read_index(key, value);
  if (!indexed) return indexed;
  const bool live =
      value && (value->generation == generation || value->body_generation == generation);
  if (!live) return {};
  const bool allowed =
      allowance.credit_bytes > 0 && value->entry_bytes <= allowance.entry_bytes_max;
  if (allowed && is_worth_keeping(*value)) {
    Result<void> copied = copy_entry(key, *value);
    if (copied) {
      allowance.credit_bytes -= static_cast<std::int64_t>(value->entry_bytes);
      return {};
    }
    if (copied.error().code != ErrorCode::corrupt) return copied;
  }
  return evict(key, value->generation);
}

Result<void> DiskEntries::evict(const std::string& key, std::uint64_t generation) {
  const bool was_read = marks_.is_set(generation);
  Result<bool> forgotten = forget(key, generation);
  if (!forgotten) return fail(std::move(forgotten));
  if (*forgotten) (was_read ? evicted_in_use_ : evicted_unused_).fetch_add(1);
  return {};
}

// Head and body get the same new generation.
Result<void> DiskEntries::copy_entry(const std::string& key, const IndexValue& value) {
  rocksdb::PinnableSlice record;
  Result<HeadRecord> head = read_head(key, value.generation, record);
  if (!head) return fail(std::move(head));
  StoredResponse& response = head->response;
  const std::uint64_t generation = take_generation();
  if (head->inline_body) {
    response.body = SharedBytes::copy_of(*head->inline_body);
  } else {
    Result<void> copied = copy_body(value, response.body_bytes, generation);
    if (!copied) return copied;
  }
  const std::string copy = encode_head_record(response, generation, generation);
  usage_.add(copy.size() + key.size());
  const IndexValue moved{.generation = generation,
                         .body_generation = generation,
                         .entry_bytes = copy.size() + bytes_beside_head(response.body_bytes),
                         .kind = response.kind};
  return publish(key, copy, moved, {.replaces = value.generation, .purged_since = UINT64_MAX});
}

Result<void> DiskEntries::copy_body(const IndexValue& from, std::uint64_t body_bytes,
                                    std::uint64_t to) {
  for (std::uint64_t index = 0; index < piece_count(body_bytes); ++index) {
    std::string piece;
    Result<void> read = append_piece(from, body_bytes, index, piece);
    if (!read) return read;
    usage_.add(piece.size());
    Result<void> put =
        put_piece({.generation = to, .part = static_cast<std::uint32_t>(index)}, piece);
    if (!put) return put;
  }
  return {};
}

bool DiskEntries::is_worth_keeping(const IndexValue& value) const noexcept {
  if (marks_.is_set(value.generation)) return true;
  // Most of the disk is garbage: no reason yet to lose anything.
  return counted_.load() && live_bytes() < options_.bytes_max / 100 * kCrowdedPercent;
}

}  // namespace revcache::cache
