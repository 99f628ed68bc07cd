// What must not be lost (configuration [state]): rollback floors, revocations seen, manual
// revocations, the clock's lower bound, the audit trail, the newest decisions, and what the
// refresher knows. A RocksDB of its own, apart from the cache; docs/formats.md has the records.
//
// Thread-safe. Every call may block on the disk: pool threads and start-up only, never a loop. What
// is said to be durable is synced before the call returns. Nothing is ever evicted or set aside; a
// database that cannot be read is an error until an administrator decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "metrics/log.h"
#include "pki/certificate.h"
#include "pki/crl_index.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace revcache::revocation {

// What a CRL, or an OCSP answer, is newer or older than others of: same issuer key, same scope.
// revocation/floor.h makes them.
struct FloorKey {
  pki::KeyHash issuer{};
  pki::Sha256 scope{};  // of kind (complete, delta, OCSP) and issuing distribution point or CertID
  friend auto operator<=>(const FloorKey&, const FloorKey&) = default;
};

// The newest seen. A body below it is rolled back (compare() in revocation/floor.h).
struct Floor {
  std::string number;  // content octets of the CRL number; empty: none
  WallSeconds this_update;
  pki::Sha256 hash{};  // of a CRL's DER, or of what an OCSP answer says
  friend bool operator==(const Floor&, const Floor&) = default;
};

// A longer serial, note, audit entry, decision, URL or record is refused with too_large. (RFC 5280
// 4.1.2.2 allows 20 octets of serial; the parsers fewer than this.)
inline constexpr std::size_t kSeenSerialBytesMax = 255;
inline constexpr std::size_t kManualNoteBytesMax = 4096;
inline constexpr std::size_t kAuditEntryBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kDecisionBytesMax = std::size_t{64} * 1024;
inline constexpr std::size_t kRefreshUrlBytesMax = std::size_t{16} * 1024;
inline constexpr std::size_t kRefreshRecordBytesMax = std::size_t{64} * 1024;

struct SeenRevocation {
  std::string serial;  // significant octets (pki::significant_octets)
  WallSeconds revoked_at;
  pki::CrlReason reason = pki::CrlReason::unspecified;
  friend bool operator==(const SeenRevocation&, const SeenRevocation&) = default;
};

// `revcache revoke`. Durable before it is confirmed.
struct ManualRevocation {
  pki::KeyHash issuer{};
  std::string serial;
  WallSeconds revoked_at;
  pki::CrlReason reason = pki::CrlReason::unspecified;
  std::string note;  // who and why
  friend bool operator==(const ManualRevocation&, const ManualRevocation&) = default;
};

class StateStore {
 public:
  struct Options {
    std::string directory;
    std::size_t audit_entries_max = 10000;
    std::size_t decisions_max = 10000;
    std::size_t ocsp_floors_max = 100000;  // the oldest thisUpdate goes first
    rocksdb::Env* env = nullptr;           // nullptr: the machine's; tests inject faults
  };

  // Makes the directory (mode 0700) when it is absent. Fails with corrupt, with unsupported (a
  // newer revcache wrote it) or with unreachable (permissions, a full disk, in use by another
  // process); the detail names the directory and what an administrator can do.
  static Result<std::unique_ptr<StateStore>> open(Options options, metrics::Log& log);
  virtual ~StateStore() = default;

  // --- Floors and revocations seen
  virtual Result<std::optional<Floor>> floor(const FloorKey& key) = 0;
  // Durable: the floor of a CRL that was just verified, what it adds, and what it lifts. Floor and
  // lifts go in one step, after the additions: a crash in between leaves revocations that verified
  // evidence did state. Never lowers a floor: fails with untrusted, blame upstream, when a newer
  // one was accepted meanwhile (compare() says rolled_back), and then lifts nothing.
  virtual Result<void> accept_crl(const FloorKey& key, const Floor& floor,
                                  std::span<const SeenRevocation> added,
                                  std::span<const std::string> lifted_serials) = 0;
  // The floor of an OCSP answer. Durable when it revokes or lifts; otherwise written, and durable
  // with the next write that is. Fails with untrusted when its thisUpdate is older than the
  // floor's.
  virtual Result<void> accept_ocsp(const FloorKey& key, const Floor& floor,
                                   const std::optional<SeenRevocation>& revoked,
                                   const std::optional<std::string>& lifted_serial) = 0;
  // In order of serial, under one CRL scope. Stops when `visit` gives false.
  virtual Result<void> for_each_seen(const FloorKey& key,
                                     const std::function<bool(const SeenRevocation&)>& visit) = 0;
  // Whatever the scope: every (scope, revocation) of one issuer.
  virtual Result<void> for_each_seen_of_issuer(
      const pki::KeyHash& issuer,
      const std::function<bool(const FloorKey&, const SeenRevocation&)>& visit) = 0;
  // `revcache floor reset`: floors and revocations seen of one issuer go; manual ones stay.
  // Durable. Gives how many floors went.
  virtual Result<std::size_t> reset_floors(const pki::KeyHash& issuer) = 0;

  // --- CA certificates that chain to an authority, as DER: what they signed can be verified after
  // a restart too. Written, not synced. Whether they still chain to one is judged anew each time.
  virtual Result<void> put_issuer(const pki::KeyHash& issuer, std::string_view der) = 0;
  virtual Result<std::vector<std::string>> issuers() = 0;

  // --- Manual revocations. Durable.
  virtual Result<void> revoke(const ManualRevocation& revocation) = 0;
  virtual Result<bool> unrevoke(const pki::KeyHash& issuer, std::string_view serial) = 0;
  virtual Result<std::vector<ManualRevocation>> manual_revocations() = 0;

  // --- The clock's lower bound: never lowered but by reset_clock_floor. Durable.
  virtual Result<std::optional<WallSeconds>> clock_floor() = 0;
  virtual Result<void> raise_clock_floor(WallSeconds seen) = 0;
  virtual Result<void> reset_clock_floor(WallSeconds to) = 0;

  // --- Audit: one JSON object each; the oldest go beyond audit_entries_max. Written; durable with
  // the next write that is, or at once when `durable`.
  virtual Result<void> append_audit(std::string_view json, bool durable) = 0;
  // The newest first.
  virtual Result<std::vector<std::string>> audit(std::size_t entries_max) = 0;

  // --- Decisions of the OCSP responder: one JSON object each, in a ring apart from the audit
  // trail, since clients decide how many there are; the oldest go beyond decisions_max. Written,
  // not synced.
  virtual Result<void> append_decision(std::string_view json) = 0;
  // The newest first.
  virtual Result<std::vector<std::string>> decisions(std::size_t entries_max) = 0;

  // --- What the refresher knows of a URL: opaque bytes. Written, not synced.
  virtual Result<void> put_refresh_record(std::string_view url, std::string_view record) = 0;
  virtual Result<void> erase_refresh_record(std::string_view url) = 0;
  virtual Result<std::vector<std::pair<std::string, std::string>>> refresh_records() = 0;
};

}  // namespace revcache::revocation
