// The state store over RocksDB: state_store.h has the contract, docs/formats.md ("State database")
// the records. Reads go on beside writes; writes are one after the other, since RocksDB would do
// them so anyway, and since most of them depend on what is there.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "revocation/state_record.h"
#include "revocation/state_store.h"
#include "revocation/state_store_database.h"

namespace revcache::revocation {

class RocksStateStore final : public StateStore {
 public:
  RocksStateStore(Options options, std::unique_ptr<StateDatabase> database)
      : options_(std::move(options)), database_(std::move(database)) {}
  // Counts what is bounded by number, and trims it to bounds that were lowered. Before all others.
  Result<void> prepare();

  Result<std::optional<Floor>> floor(const FloorKey& key) override;
  Result<void> accept_crl(const FloorKey& key, const Floor& floor,
                          std::span<const SeenRevocation> added,
                          std::span<const std::string> lifted_serials) override;
  Result<void> accept_ocsp(const FloorKey& key, const Floor& floor,
                           const std::optional<SeenRevocation>& revoked,
                           const std::optional<std::string>& lifted_serial) override;
  Result<void> for_each_seen(const FloorKey& key,
                             const std::function<bool(const SeenRevocation&)>& visit) override;
  Result<void> for_each_seen_of_issuer(
      const pki::KeyHash& issuer,
      const std::function<bool(const FloorKey&, const SeenRevocation&)>& visit) override;
  Result<std::size_t> reset_floors(const pki::KeyHash& issuer) override;

  Result<void> put_issuer(const pki::KeyHash& issuer, std::string_view der) override;
  Result<std::vector<std::string>> issuers() override;

  Result<void> revoke(const ManualRevocation& revocation) override;
  Result<bool> unrevoke(const pki::KeyHash& issuer, std::string_view serial) override;
  Result<std::vector<ManualRevocation>> manual_revocations() override;

  Result<std::optional<WallSeconds>> clock_floor() override;
  Result<void> raise_clock_floor(WallSeconds seen) override;
  Result<void> reset_clock_floor(WallSeconds to) override;

  Result<void> append_audit(std::string_view json, bool durable) override;
  Result<std::vector<std::string>> audit(std::size_t entries_max) override;
  Result<void> append_decision(std::string_view json) override;
  Result<std::vector<std::string>> decisions(std::size_t entries_max) override;

  Result<void> put_refresh_record(std::string_view url, std::string_view record) override;
  Result<void> erase_refresh_record(std::string_view url) override;
  Result<std::vector<std::pair<std::string, std::string>>> refresh_records() override;

 private:
  // Of an OCSP floor, while its batch is put together.
  struct OcspAgeChange {
    std::string added;        // age key; empty: none
    std::size_t removed = 0;  // how many were there and go
    std::string last_evicted;
  };

  // The newest so many records of a kind, by numbers that count up.
  struct Ring {
    StateKind kind;
    std::size_t entries_max;
    std::uint64_t first = 0;
    std::uint64_t next = 0;
  };

  Result<std::optional<FloorRecord>> read_floor(const FloorKey& key) const;
  Result<bool> is_seen_already(const std::string& key, const SeenRevocation& seen) const;

  // state_store_floors.cc. All under write_mutex_.
  Result<void> write_additions(const FloorKey& key, const Floor& floor,
                               std::span<const SeenRevocation* const> added);
  Result<OcspAgeChange> put_ocsp_floor(const FloorKey& key, const Floor& floor,
                                       const std::optional<FloorRecord>& current,
                                       rocksdb::WriteBatch& batch);
  Result<void> evict_oldest(std::size_t count, OcspAgeChange& change, rocksdb::WriteBatch& batch);
  Result<void> count_ocsp_floors();

  // state_store_rings.cc
  Result<void> find_ends(Ring& ring);  // under write_mutex_
  Result<void> append(Ring& ring, std::string_view json, bool durable);
  Result<std::vector<std::string>> newest(const Ring& ring, std::size_t entries_max);

  const Options options_;
  const std::unique_ptr<StateDatabase> database_;

  std::mutex write_mutex_;  // held for every write; guards what follows
  std::size_t ocsp_floors_ = 0;
  std::string oldest_ocsp_;  // no age key is lower; spares the look-up what was erased before it
  Ring audit_{.kind = StateKind::audit, .entries_max = options_.audit_entries_max};
  Ring decisions_{.kind = StateKind::decision, .entries_max = options_.decisions_max};
};

}  // namespace revcache::revocation
