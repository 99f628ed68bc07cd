// The side of DiskEntries that a purge uses: many keys looked at, many removed.
#include <memory>
#include <mutex>
#include <utility>

#include "cache/disk_entries.h"

namespace revcache::cache {
namespace {

std::string_view text_of(const rocksdb::Slice& slice) noexcept {
  return {slice.data(), slice.size()};
}

}  // namespace

Result<void> DiskEntries::visit(std::string_view prefix, const DiskStore::SeenKey& seen) {
  // Whoever was allowed to write before a purge began has written once its lock is free.
  for (std::mutex& lock : locks_) const std::lock_guard passed(lock);
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(
      database_.rocks().NewIterator(read, database_.index()));
  const std::string first = encode_index_key(prefix);
  for (at->Seek(first); at->Valid(); at->Next()) {
    const std::string_view index_key = text_of(at->key());
    if (!index_key.starts_with(first)) break;
    const auto key = cache_key_of(index_key);
    if (!key) continue;
    const auto value = decode_index_value(text_of(at->value()));
    seen(*key, value ? value->entry_bytes : 0);
  }
  if (at->status().ok()) return {};
  database_.note_failure("visit", at->status());
  return fail(ErrorCode::unreachable, Blame::local, "disk tier: " + at->status().ToString());
}

Result<void> DiskEntries::remove_unsynced(const std::string& key) {
  return remove(key, /*sync=*/false);
}

Result<void> DiskEntries::sync() {
  const rocksdb::Status status = database_.rocks().SyncWAL();
  if (status.ok()) return {};
  database_.note_failure("sync", status);
  return fail(ErrorCode::unreachable, Blame::local, "disk tier: " + status.ToString());
}

}  // namespace revcache::cache
