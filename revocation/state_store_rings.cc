// Audit trail and decisions: rings of numbered records, bounded by number.
#include "revocation/state_store_rocks.h"

namespace revcache::revocation {

Result<void> RocksStateStore::append_audit(std::string_view json, bool durable) {
  if (json.size() > kAuditEntryBytesMax) {
    return fail(ErrorCode::too_large, Blame::local,
                "an audit entry of " + std::to_string(json.size()) + " octets, at most " +
                    std::to_string(kAuditEntryBytesMax));
  }
  return append(audit_, json, durable);
}

Result<std::vector<std::string>> RocksStateStore::audit(std::size_t entries_max) {
  return newest(audit_, entries_max);
}

Result<void> RocksStateStore::append_decision(std::string_view json) {
  if (json.size() > kDecisionBytesMax) {
    return fail(ErrorCode::too_large, Blame::local,
                "a decision of " + std::to_string(json.size()) + " octets, at most " +
                    std::to_string(kDecisionBytesMax));
  }
  return append(decisions_, json, false);
}

Result<std::vector<std::string>> RocksStateStore::decisions(std::size_t entries_max) {
  return newest(decisions_, entries_max);
}

Result<void> RocksStateStore::find_ends(Ring& ring) {
  const std::string prefix = single_key(ring.kind);
  const Result<std::optional<std::string>> last = database_->last_key(prefix);
  if (!last) return fail(last.error().code, Blame::local, last.error().detail);
  if (!*last) return {};
  std::optional<std::uint64_t> first_number;
  auto found = database_->for_each(prefix, "", [&](std::string_view key, std::string_view) {
    first_number = ring_number_of(key);
    return Result<bool>(false);
  });
  if (!found) return found;
  const auto last_number = ring_number_of(**last);
  if (!first_number || !last_number) {
    return fail(ErrorCode::corrupt, Blame::local,
                "the state record " + describe_key(**last) + " is damaged: key");
  }
  ring.first = *first_number;
  ring.next = *last_number + 1;
  if (ring.next - ring.first <= ring.entries_max) return {};
  const std::uint64_t first = ring.next - ring.entries_max;
  rocksdb::WriteBatch batch;
  batch.DeleteRange(ring_record_key(ring.kind, ring.first), ring_record_key(ring.kind, first));
  if (auto written = database_->write(batch, false); !written) return written;
  ring.first = first;
  return {};
}

Result<void> RocksStateStore::append(Ring& ring, std::string_view json, bool durable) {
  const std::lock_guard lock(write_mutex_);
  const std::string key = ring_record_key(ring.kind, ring.next);
  rocksdb::WriteBatch batch;
  batch.Put(key, encode_record(key, json));
  const bool full = ring.next - ring.first >= ring.entries_max;
  if (full) batch.Delete(ring_record_key(ring.kind, ring.first));
  if (auto written = database_->write(batch, durable); !written) return written;
  ++ring.next;
  if (full) ++ring.first;
  return {};
}

Result<std::vector<std::string>> RocksStateStore::newest(const Ring& ring,
                                                         std::size_t entries_max) {
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  {
    const std::lock_guard lock(write_mutex_);
    first = ring.first;
    next = ring.next;
  }
  std::vector<std::string> entries;
  for (; next > first && entries.size() < entries_max; --next) {
    const std::string key = ring_record_key(ring.kind, next - 1);
    const Result<std::optional<std::string>> record = database_->get(key);
    if (!record) return fail(record.error().code, Blame::local, record.error().detail);
    if (!*record) break;  // the ring has gone on meanwhile
    const Result<std::string_view> json = decode_record(key, **record);
    if (!json) return fail(json.error().code, Blame::local, json.error().detail);
    entries.emplace_back(*json);
  }
  return entries;
}

}  // namespace revcache::revocation
