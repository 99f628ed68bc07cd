// Floors and revocations seen.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "pki/crl_index.h"
#include "revocation/floor.h"
#include "revocation/state_store_rocks.h"

namespace revcache::revocation {
namespace {

// So many revocations are written in one batch: some 400 KiB, so that a CRL of a million entries
// neither needs its size again in memory nor keeps a manual revocation waiting.
constexpr std::size_t kAdditionsPerBatch = 4096;

std::string significant(std::string_view serial) {
  return std::string(as_text(pki::significant_octets(as_bytes(serial))));
}

Result<void> check_serial(std::string_view serial) {
  if (serial.size() <= kSeenSerialBytesMax) return {};
  return fail(ErrorCode::too_large, Blame::upstream,
              "a serial number of " + std::to_string(serial.size()) + " octets, at most " +
                  std::to_string(kSeenSerialBytesMax));
}

Result<void> check_times(std::span<const SeenRevocation> added, const Floor& floor) {
  const bool ok = is_storable(floor.this_update) &&
                  std::ranges::all_of(added, is_storable, &SeenRevocation::revoked_at);
  if (ok) return {};
  return fail(ErrorCode::malformed, Blame::upstream, "a date outside the years 0 to 9999");
}

Result<void> check_additions(const Floor& floor, std::span<const SeenRevocation> added,
                             std::span<const std::string> lifted) {
  for (const SeenRevocation& seen : added) {
    if (auto ok = check_serial(seen.serial); !ok) return ok;
  }
  for (const std::string& serial : lifted) {
    if (auto ok = check_serial(serial); !ok) return ok;
  }
  return check_times(added, floor);
}

std::unexpected<Error> rolled_back(const FloorKey& key) {
  return fail(
      ErrorCode::untrusted, Blame::upstream,
      "rolled_back: newer evidence was accepted meanwhile: " + describe_key(floor_record_key(key)));
}

// In the order of their record keys. RocksDB inserts a key behind the one before it without a
// search through all that is in memory: of a million entries that is most of the time. Of two
// records with one key the later stays the later.
std::vector<const SeenRevocation*> in_key_order(std::span<const SeenRevocation> added) {
  struct Place {
    std::uint64_t first_octets;  // decide nearly always, without a look at the serial
    const SeenRevocation* seen;
  };
  std::vector<Place> places;
  places.reserve(added.size());
  for (const SeenRevocation& seen : added) {
    const ByteView serial = pki::significant_octets(as_bytes(seen.serial));
    std::uint64_t first_octets = 0;
    for (std::size_t i = 0; i < sizeof first_octets; ++i) {
      first_octets = first_octets << 8U | (i < serial.size() ? serial[i] : 0U);
    }
    places.push_back({first_octets, &seen});
  }
  std::ranges::sort(places, [](const Place& left, const Place& right) {
    if (left.first_octets != right.first_octets) return left.first_octets < right.first_octets;
    const int order = significant(left.seen->serial).compare(significant(right.seen->serial));
    return order != 0 ? order < 0 : left.seen < right.seen;
  });
  std::vector<const SeenRevocation*> ordered;
  ordered.reserve(places.size());
  for (const Place& place : places) ordered.push_back(place.seen);
  return ordered;
}

void put_seen(const FloorKey& key, std::span<const SeenRevocation* const> added,
              rocksdb::WriteBatch& batch) {
  for (const SeenRevocation* seen : added) {
    const std::string record_key = seen_record_key(key, significant(seen->serial));
    batch.Put(record_key, encode_seen(record_key, *seen));
  }
}

}  // namespace

Result<std::optional<FloorRecord>> RocksStateStore::read_floor(const FloorKey& key) const {
  const std::string record_key = floor_record_key(key);
  Result<std::optional<std::string>> record = database_->get(record_key);
  if (!record) return fail(std::move(record));
  if (!*record) return std::nullopt;
  Result<FloorRecord> floor = decode_floor(record_key, **record);
  if (!floor) return fail(std::move(floor));
  return std::move(*floor);
}

Result<std::optional<Floor>> RocksStateStore::floor(const FloorKey& key) {
  Result<std::optional<FloorRecord>> record = read_floor(key);
  if (!record) return fail(std::move(record));
  if (!*record) return std::nullopt;
  return std::move((*record)->floor);
}

Result<void> RocksStateStore::accept_crl(const FloorKey& key, const Floor& floor,
                                         std::span<const SeenRevocation> added,
                                         std::span<const std::string> lifted_serials) {
  if (auto ok = check_additions(floor, added, lifted_serials); !ok) return ok;
  const auto ordered = in_key_order(added);
  std::span<const SeenRevocation* const> rest = ordered;
  while (rest.size() > kAdditionsPerBatch) {
    const std::lock_guard lock(write_mutex_);
    if (auto written = write_additions(key, floor, rest.first(kAdditionsPerBatch)); !written) {
      return written;
    }
    rest = rest.subspan(kAdditionsPerBatch);
  }
  const std::lock_guard lock(write_mutex_);
  Result<std::optional<FloorRecord>> current = read_floor(key);
  if (!current) return fail(std::move(current));
  const std::optional<Floor> current_floor =
      *current ? std::optional((*current)->floor) : std::nullopt;
  const FloorOrder order = compare(floor, current_floor);
  if (order == FloorOrder::rolled_back) return rolled_back(key);
  rocksdb::WriteBatch batch;
  put_seen(key, rest, batch);
  for (const std::string& serial : lifted_serials) {
    batch.Delete(seen_record_key(key, significant(serial)));
  }
  if (order == FloorOrder::newer) {
    const std::string record_key = floor_record_key(key);
    batch.Put(record_key, encode_floor(record_key, {.floor = floor, .kind = FloorKind::crl}));
  }
  if (batch.Count() == 0) return {};
  return database_->write(batch, true);
}

// Not synced: the batch with the floor is, and takes these along.
Result<void> RocksStateStore::write_additions(const FloorKey& key, const Floor& floor,
                                              std::span<const SeenRevocation* const> added) {
  Result<std::optional<FloorRecord>> current = read_floor(key);
  if (!current) return fail(std::move(current));
  if (*current && compare(floor, (*current)->floor) == FloorOrder::rolled_back) {
    return rolled_back(key);
  }
  rocksdb::WriteBatch batch;
  put_seen(key, added, batch);
  return database_->write(batch, false);
}

Result<void> RocksStateStore::accept_ocsp(const FloorKey& key, const Floor& floor,
                                          const std::optional<SeenRevocation>& revoked,
                                          const std::optional<std::string>& lifted_serial) {
  const auto added = revoked ? std::span(&*revoked, 1) : std::span<const SeenRevocation>();
  const auto lifted =
      lifted_serial ? std::span(&*lifted_serial, 1) : std::span<const std::string>();
  if (auto ok = check_additions(floor, added, lifted); !ok) return ok;
  const std::lock_guard lock(write_mutex_);
  Result<std::optional<FloorRecord>> current = read_floor(key);
  if (!current) return fail(std::move(current));
  if (*current && floor.this_update < (*current)->floor.this_update) return rolled_back(key);
  rocksdb::WriteBatch batch;
  OcspAgeChange change;
  if (!*current || (*current)->floor != floor) {
    Result<OcspAgeChange> put = put_ocsp_floor(key, floor, *current, batch);
    if (!put) return fail(std::move(put));
    change = std::move(*put);
  }
  bool durable = false;
  if (revoked) {
    Result<bool> known =
        is_seen_already(seen_record_key(key, significant(revoked->serial)), *revoked);
    if (!known) return fail(std::move(known));
    const SeenRevocation* const one = &*revoked;
    if (!*known) put_seen(key, {&one, 1}, batch);
    durable = !*known;
  }
  if (lifted_serial) {
    const std::string record_key = seen_record_key(key, significant(*lifted_serial));
    const auto there = database_->get(record_key);
    if (!there) return fail(there.error().code, Blame::local, there.error().detail);
    if (*there) batch.Delete(record_key);
    durable = durable || there->has_value();
  }
  if (batch.Count() == 0) return {};
  if (auto written = database_->write(batch, durable); !written) return written;
  ocsp_floors_ += change.added.empty() ? 0U : 1U;
  ocsp_floors_ -= change.removed;
  if (!change.last_evicted.empty()) oldest_ocsp_ = change.last_evicted;
  if (!change.added.empty()) oldest_ocsp_ = std::min(oldest_ocsp_, change.added);
  return {};
}

Result<bool> RocksStateStore::is_seen_already(const std::string& key,
                                              const SeenRevocation& seen) const {
  const Result<std::optional<std::string>> record = database_->get(key);
  if (!record) return fail(record.error().code, Blame::local, record.error().detail);
  return *record && **record == encode_seen(key, seen);
}

Result<RocksStateStore::OcspAgeChange> RocksStateStore::put_ocsp_floor(
    const FloorKey& key, const Floor& floor, const std::optional<FloorRecord>& current,
    rocksdb::WriteBatch& batch) {
  OcspAgeChange change;
  if (current) {
    batch.Delete(ocsp_age_key(current->floor.this_update, key));
    change.removed = 1;
  } else if (ocsp_floors_ >= options_.ocsp_floors_max) {
    auto evicted = evict_oldest(ocsp_floors_ + 1 - options_.ocsp_floors_max, change, batch);
    if (!evicted) return fail(std::move(evicted));
  }
  const std::string record_key = floor_record_key(key);
  batch.Put(record_key, encode_floor(record_key, {.floor = floor, .kind = FloorKind::ocsp}));
  change.added = ocsp_age_key(floor.this_update, key);
  batch.Put(change.added, encode_record(change.added, ""));
  return change;
}

Result<void> RocksStateStore::evict_oldest(std::size_t count, OcspAgeChange& change,
                                           rocksdb::WriteBatch& batch) {
  return database_->for_each(
      single_key(StateKind::ocsp_age), oldest_ocsp_,
      [&](std::string_view age_key, std::string_view) -> Result<bool> {
        const auto key = floor_key_of(age_key);
        if (!key) {
          return fail(ErrorCode::corrupt, Blame::local,
                      "the state record " + describe_key(age_key) + " is damaged: key");
        }
        if (change.removed == count) return false;
        batch.Delete(std::string(age_key));
        batch.Delete(floor_record_key(*key));
        change.last_evicted = age_key;
        return ++change.removed < count;
      });
}

Result<void> RocksStateStore::for_each_seen(
    const FloorKey& key, const std::function<bool(const SeenRevocation&)>& visit) {
  return database_->for_each(
      seen_record_key(key, ""), "",
      [&](std::string_view record_key, std::string_view record) -> Result<bool> {
        Result<SeenRevocation> seen = decode_seen(record_key, record);
        if (!seen) return fail(std::move(seen));
        return visit(*seen);
      });
}

Result<void> RocksStateStore::for_each_seen_of_issuer(
    const pki::KeyHash& issuer,
    const std::function<bool(const FloorKey&, const SeenRevocation&)>& visit) {
  return database_->for_each(
      issuer_prefix(StateKind::seen, issuer), "",
      [&](std::string_view record_key, std::string_view record) -> Result<bool> {
        Result<SeenRevocation> seen = decode_seen(record_key, record);
        if (!seen) return fail(std::move(seen));
        return visit(floor_key_of(record_key).value_or(FloorKey{}), *seen);
      });
}

// Damaged records go too: nothing of them is needed, and the administrator has decided.
Result<std::size_t> RocksStateStore::reset_floors(const pki::KeyHash& issuer) {
  const std::lock_guard lock(write_mutex_);
  rocksdb::WriteBatch batch;
  std::size_t floors = 0;
  std::size_t ocsp_floors = 0;
  const std::string prefix = issuer_prefix(StateKind::floor, issuer);
  auto gone = database_->for_each(prefix, "", [&](std::string_view key, std::string_view) {
    batch.Delete(std::string(key));
    ++floors;
    return Result<bool>(true);
  });
  if (!gone) return fail(std::move(gone));
  gone = database_->for_each(single_key(StateKind::ocsp_age), oldest_ocsp_,
                             [&](std::string_view age_key, std::string_view) {
                               const auto key = floor_key_of(age_key);
                               if (!key || key->issuer != issuer) return Result<bool>(true);
                               batch.Delete(std::string(age_key));
                               ++ocsp_floors;
                               return Result<bool>(true);
                             });
  if (!gone) return fail(std::move(gone));
  const std::string seen = issuer_prefix(StateKind::seen, issuer);
  batch.DeleteRange(seen, prefix_end(seen));
  if (auto written = database_->write(batch, true); !written) return fail(std::move(written));
  ocsp_floors_ -= ocsp_floors;
  return floors;
}

Result<void> RocksStateStore::count_ocsp_floors() {
  ocsp_floors_ = 0;
  oldest_ocsp_.clear();
  auto counted = database_->for_each(single_key(StateKind::ocsp_age), "",
                                     [&](std::string_view key, std::string_view) {
                                       if (ocsp_floors_++ == 0) oldest_ocsp_ = key;
                                       return Result<bool>(true);
                                     });
  if (!counted) return counted;
  if (ocsp_floors_ <= options_.ocsp_floors_max) return {};
  OcspAgeChange change;
  rocksdb::WriteBatch batch;
  auto evicted = evict_oldest(ocsp_floors_ - options_.ocsp_floors_max, change, batch);
  if (!evicted) return evicted;
  if (auto written = database_->write(batch, false); !written) return written;
  ocsp_floors_ -= change.removed;
  oldest_ocsp_ = change.last_evicted;
  return {};
}

}  // namespace revcache::revocation
