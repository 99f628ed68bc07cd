// Manual revocations, the clock's bound, issuers and the refresher's memory.
#include "revocation/state_store_rocks.h"

#include <algorithm>

#include "base/bytes.h"
#include "pki/crl_index.h"

namespace revcache::revocation {
namespace {

std::string significant(std::string_view serial) {
  return std::string(as_text(pki::significant_octets(as_bytes(serial))));
}

Result<void> check_size(std::string_view what, std::size_t size, std::size_t size_max) {
  if (size <= size_max) return {};
  return fail(ErrorCode::too_large, Blame::local,
              std::string(what) + " of " + std::to_string(size) + " octets, at most " +
                  std::to_string(size_max));
}

Result<void> check_time(WallSeconds time) {
  if (is_storable(time)) return {};
  return fail(ErrorCode::malformed, Blame::local, "a date outside the years 0 to 9999");
}

}  // namespace

Result<void> RocksStateStore::prepare() {
  const std::lock_guard lock(write_mutex_);
  if (auto counted = count_ocsp_floors(); !counted) return counted;
  if (auto found = find_ends(audit_); !found) return found;
  return find_ends(decisions_);
}

Result<void> RocksStateStore::revoke(const ManualRevocation& revocation) {
  if (auto ok = check_size("a serial number", revocation.serial.size(), kSeenSerialBytesMax); !ok) {
    return ok;
  }
  if (auto ok = check_size("a note", revocation.note.size(), kManualNoteBytesMax); !ok) return ok;
  if (auto ok = check_time(revocation.revoked_at); !ok) return ok;
  const std::string key = manual_record_key(revocation.issuer, significant(revocation.serial));
  rocksdb::WriteBatch batch;
  batch.Put(key, encode_manual(key, revocation));
  const std::lock_guard lock(write_mutex_);
  return database_->write(batch, true);
}

Result<bool> RocksStateStore::unrevoke(const pki::KeyHash& issuer, std::string_view serial) {
  const std::string key = manual_record_key(issuer, significant(serial));
  const std::lock_guard lock(write_mutex_);
  const Result<std::optional<std::string>> there = database_->get(key);
  if (!there) return fail(there.error().code, Blame::local, there.error().detail);
  if (!*there) return false;
  rocksdb::WriteBatch batch;
  batch.Delete(key);
  if (auto written = database_->write(batch, true); !written) return fail(std::move(written));
  return true;
}

Result<std::vector<ManualRevocation>> RocksStateStore::manual_revocations() {
  std::vector<ManualRevocation> all;
  auto read =
      database_->for_each(single_key(StateKind::manual), "",
                          [&](std::string_view key, std::string_view record) -> Result<bool> {
                            Result<ManualRevocation> manual = decode_manual(key, record);
                            if (!manual) return fail(std::move(manual));
                            all.push_back(std::move(*manual));
                            return true;
                          });
  if (!read) return fail(std::move(read));
  return all;
}

Result<std::optional<WallSeconds>> RocksStateStore::clock_floor() {
  const std::string key = single_key(StateKind::clock_floor);
  const Result<std::optional<std::string>> record = database_->get(key);
  if (!record) return fail(record.error().code, Blame::local, record.error().detail);
  if (!*record) return std::nullopt;
  const Result<WallSeconds> time = decode_time(key, **record);
  if (!time) return fail(time.error().code, Blame::local, time.error().detail);
  return *time;
}

Result<void> RocksStateStore::raise_clock_floor(WallSeconds seen) {
  if (auto ok = check_time(seen); !ok) return ok;
  const std::lock_guard lock(write_mutex_);
  Result<std::optional<WallSeconds>> current = clock_floor();
  if (!current) return fail(std::move(current));
  if (*current && **current >= seen) return {};
  const std::string key = single_key(StateKind::clock_floor);
  rocksdb::WriteBatch batch;
  batch.Put(key, encode_time(key, seen));
  return database_->write(batch, true);
}

// Also when what is there is damaged: the administrator has decided.
Result<void> RocksStateStore::reset_clock_floor(WallSeconds to) {
  if (auto ok = check_time(to); !ok) return ok;
  const std::string key = single_key(StateKind::clock_floor);
  rocksdb::WriteBatch batch;
  batch.Put(key, encode_time(key, to));
  const std::lock_guard lock(write_mutex_);
  return database_->write(batch, true);
}

Result<void> RocksStateStore::put_issuer(const pki::KeyHash& issuer, std::string_view der) {
  if (auto ok = check_size("a certificate", der.size(), pki::kCertificateBytesMax); !ok) return ok;
  const std::string key = issuer_prefix(StateKind::issuer, issuer);
  rocksdb::WriteBatch batch;
  batch.Put(key, encode_record(key, der));
  const std::lock_guard lock(write_mutex_);
  return database_->write(batch, false);
}

Result<std::vector<std::string>> RocksStateStore::issuers() {
  std::vector<std::string> certificates;
  auto read =
      database_->for_each(single_key(StateKind::issuer), "",
                          [&](std::string_view key, std::string_view record) -> Result<bool> {
                            const Result<std::string_view> der = decode_record(key, record);
                            if (!der)
                              return fail(der.error().code, Blame::local, der.error().detail);
                            certificates.emplace_back(*der);
                            return true;
                          });
  if (!read) return fail(std::move(read));
  return certificates;
}

Result<void> RocksStateStore::put_refresh_record(std::string_view url, std::string_view record) {
  if (auto ok = check_size("a URL", url.size(), kRefreshUrlBytesMax); !ok) return ok;
  if (auto ok = check_size("a record", record.size(), kRefreshRecordBytesMax); !ok) return ok;
  const std::string key = refresh_record_key(url);
  rocksdb::WriteBatch batch;
  batch.Put(key, encode_record(key, record));
  const std::lock_guard lock(write_mutex_);
  return database_->write(batch, false);
}

Result<void> RocksStateStore::erase_refresh_record(std::string_view url) {
  rocksdb::WriteBatch batch;
  batch.Delete(refresh_record_key(url));
  const std::lock_guard lock(write_mutex_);
  return database_->write(batch, false);
}

Result<std::vector<std::pair<std::string, std::string>>> RocksStateStore::refresh_records() {
  std::vector<std::pair<std::string, std::string>> records;
  auto read = database_->for_each(
      single_key(StateKind::refresh), "",
      [&](std::string_view key, std::string_view record) -> Result<bool> {
        const Result<std::string_view> content = decode_record(key, record);
        if (!content) {
          return fail(content.error().code, Blame::local, content.error().detail);
        }
        records.emplace_back(key.substr(1), *content);
        return true;
      });
  if (!read) return fail(std::move(read));
  return records;
}

}  // namespace revcache::revocation
