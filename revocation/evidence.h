// Verify, then store: judges every CRL, OCSP answer and certificate that passes, keeps what proves
// something, and publishes it as a Snapshot. One for the process, shared by all loops.
//
// Thread-safe. consider() and the set-up calls block (signatures, hashing, the synced state store):
// pool threads and start-up only. Everything handed in outlives it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/object_kind.h"
#include "base/result.h"
#include "cache/admission.h"
#include "metrics/log.h"
#include "pki/ocsp_request.h"
#include "pki/ocsp_response.h"
#include "revocation/clock_guard.h"
#include "revocation/crl_diff.h"
#include "revocation/evidence_counters.h"
#include "revocation/floor.h"
#include "revocation/refresh_schedule.h"
#include "revocation/snapshot.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

// An [[authority]] of the configuration, read.
struct TrustedAuthority {
  std::string name;
  pki::CertificatePtr certificate;
  std::vector<std::string> crl_urls;  // normalised
  std::chrono::seconds grace{0};
};

class Evidence {
 public:
  struct Options {
    std::uint64_t bytes_max = 1ULL << 30U;  // DER and indexes of the CRLs that are held
    std::size_t issuers_max = 256;          // authorities and what chains to them
    pki::SignaturePolicy signatures;
    std::uint64_t hash_seed = 0;
  };
  struct Parts {
    StateStore& state;
    ClockGuard& clock_guard;
    EvidenceCounters& counters;
    metrics::Log& log;
  };

  Evidence(Parts parts, Options options);
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;
  ~Evidence();

  // Called after each change, on the thread that made it, one call at a time and in order. Before
  // anything else.
  void on_change(std::function<void(SnapshotPtr)> publish) { publish_ = std::move(publish); }
  // A URL gave verified evidence. On the judging thread. Before anything else.
  void on_learned(std::function<void(const std::string& url, const EvidenceDates& dates)> learned) {
    learned_ = std::move(learned);
  }

  // Start and reload. What was learned under authorities that are gone goes with them. Fails when
  // the state of an issuer cannot be read: nothing may be answered then.
  Result<void> set_authorities(std::vector<TrustedAuthority> authorities, WallTime now);
  // These URLs gave a verified CRL in an earlier life: they accept nothing else.
  void pin(const std::vector<std::string>& urls);

  // One body, at `request.now`. The judgement of docs/architecture.md, *Verify, then store*: says
  // how far the body may be trusted and until when, or refuses: malformed or untrusted, blame
  // upstream, the detail begins with the reason's name. Counts.
  Result<cache::Admitted> consider(const cache::AdmissionRequest& request);

  // The same on a loop, where it can be told without waiting: a small body that nobody known can
  // have signed, so that neither a signature is checked nor a state written. nullopt: off-loop.
  std::optional<Result<cache::Admitted>> consider_now(const cache::AdmissionRequest& request);

  // Of the CRL that is held for this URL.
  [[nodiscard]] std::optional<EvidenceDates> dates_of(std::string_view url) const;

  // `revcache floor reset`: floors and revocations seen of an authority and of what chains to it.
  // Gives how many floors went; nullopt: no such authority.
  Result<std::optional<std::size_t>> reset_floors(std::string_view authority);

  // `revcache revoke` and `unrevoke`: durable, then published, before they return. `serial`:
  // significant octets. False: no such authority, or nothing to lift.
  Result<bool> revoke(std::string_view authority, std::string_view serial, pki::CrlReason reason,
                      std::string_view note, WallTime now);
  Result<bool> unrevoke(std::string_view authority, std::string_view serial);

  [[nodiscard]] SnapshotPtr snapshot() const;

 private:
  struct UrlEvidence {
    FloorKey key;
    EvidenceDates dates;
  };

  // What is known; guarded. The snapshot is made of it after each change.
  struct Known {
    std::vector<Issuer> issuers;  // authorities first
    std::map<std::string, std::vector<std::string>, std::less<>> configured_urls;  // by authority
    std::map<std::string, UrlEvidence, std::less<>> of_url;
    std::set<std::string, std::less<>> pinned_urls;
    SnapshotPtr snapshot = std::make_shared<const Snapshot>();

    [[nodiscard]] Issuer* find(const pki::KeyHash& key);
    void count_configured();
  };

  // nullopt: it must block, and may not.
  using Judgement = Result<std::optional<cache::Admitted>>;
  enum class Waiting : bool { no, yes };
  Judgement judge(const cache::AdmissionRequest& request, Waiting may_wait);
  // Counts and gives the error.
  std::unexpected<Error> refused(const cache::AdmissionRequest& request,
                                 const pki::Refused& refusal);
  // Counts and logs: handed on, but no evidence.
  void not_evidence(const cache::AdmissionRequest& request, const pki::Refused& refusal);

  // evidence_crl.cc
  Judgement judge_crl(const cache::AdmissionRequest& request, Waiting may_wait);
  pki::Checked<pki::VerifiedCrlPtr> verify_under_known(const pki::ParsedCrlPtr& crl, WallTime now,
                                                       const Snapshot& known) const;
  Judgement accept_crl(const cache::AdmissionRequest& request, const pki::VerifiedCrlPtr& crl);
  Result<void> record_crl(const pki::VerifiedCrl& crl);
  Result<CrlDiff> diff_against_seen(const pki::VerifiedCrl& crl);
  void report(const pki::VerifiedCrl& crl, const CrlDiff& diff);
  Result<void> hold(const pki::VerifiedCrlPtr& crl, const std::string& url);
  bool hold_in(Known& known, Issuer& issuer, const pki::VerifiedCrlPtr& crl,
               const std::string& url) const;

  // evidence_ocsp.cc
  Judgement judge_ocsp(const cache::AdmissionRequest& request, Waiting may_wait);
  static std::optional<pki::Refused> responder_revoked(const pki::VerifiedOcspResponse& response,
                                                       const Issuer& issuer, WallTime now);
  Judgement accept_ocsp(const cache::AdmissionRequest& request, const pki::SingleResponse& answer,
                        const Issuer& issuer);
  Result<void> record_ocsp(const FloorKey& key, const pki::SingleResponse& answer,
                           const Revoked* known_as);

  // evidence_issuers.cc
  Judgement judge_certificates(const cache::AdmissionRequest& request, Waiting may_wait);
  // Gives how many of them became issuers.
  Result<std::size_t> learn_issuers(const std::vector<pki::CertificatePtr>& certificates,
                                    WallTime now);
  Result<bool> learn_issuer(const pki::CertificatePtr& certificate, WallTime now);
  Result<std::vector<ManualRevocation>> manual_of(const pki::KeyHash& issuer);
  Result<bool> reload_manual(const pki::KeyHash& issuer);
  [[nodiscard]] std::optional<pki::KeyHash> key_of(std::string_view authority) const;
  Result<Issuer> make_issuer(const pki::CertificatePtr& certificate);
  Result<std::vector<pki::CertificatePtr>> stored_issuers();
  void drop_revoked_issuers(WallTime now);
  // Reads the revocations seen of one issuer anew and keeps those that its CRLs do not name.
  Result<void> reload_seen(const pki::KeyHash& issuer);
  Result<std::shared_ptr<const SeenRevocations>> read_seen(const Issuer& issuer);

  // Makes a snapshot of what is known and publishes it.
  void publish();
  std::mutex& accept_lock(const pki::KeyHash& issuer) {
    return accept_locks_[issuer[0] % accept_locks_.size()];
  }

  Parts parts_;
  Options options_;
  std::function<void(SnapshotPtr)> publish_;
  std::function<void(const std::string&, const EvidenceDates&)> learned_;
  Guarded<Known> known_;
  std::mutex publish_lock_;  // snapshots leave in the order in which they were made
  // One CRL of an issuer is compared, recorded and held at a time.
  std::array<std::mutex, 16> accept_locks_;
};

}  // namespace revcache::revocation
