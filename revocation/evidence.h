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
#include <utility>
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

// An [[authority.revoke]]: counts like a manual revocation while the configuration has it. It has
// no date of its own; taken is the start of the CA certificate's validity, which is the same on all
// nodes and after each restart, and leaves no time in which the certificate would have been good.
struct DeclaredRevocation {
  std::string serial;  // significant octets
  pki::CrlReason reason = pki::CrlReason::unspecified;
};

// An [[authority]] of the configuration, read.
struct TrustedAuthority {
  std::string name;
  pki::CertificatePtr certificate;
  std::vector<std::string> crl_urls;  // normalised
  std::chrono::seconds grace{0};
  std::vector<DeclaredRevocation> declared{};
};

// URLs that gave verified evidence and are known by it. Past it their CRLs count all the same.
inline constexpr std::size_t kEvidenceUrlsMax = 65536;

// Of a verified CRL, which has a nextUpdate.
[[nodiscard]] EvidenceDates crl_dates(const pki::ParsedCrl& crl);

class Evidence {
 public:
  struct Options {
    std::uint64_t bytes_max = 1ULL << 30U;  // DER and indexes of the CRLs that are held
    std::size_t issuers_max = 256;          // authorities and what chains to them
    std::size_t held_answers_max = 256;     // OCSP answers that say good, of each authority
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
  // significant octets. False: no such authority, or nothing to lift. What the configuration
  // declares stays revoked.
  Result<bool> revoke(std::string_view authority, std::string_view serial, pki::CrlReason reason,
                      std::string_view note, WallTime now);
  Result<bool> unrevoke(std::string_view authority, std::string_view serial, WallTime now);

  [[nodiscard]] SnapshotPtr snapshot() const;
  // What snapshot() gave before this call has also been handed to on_change()'s function.
  void wait_until_published() { const std::lock_guard in_order(publish_lock_); }

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
    std::map<pki::KeyHash, std::vector<ManualRevocation>> declared;
    std::set<std::string, std::less<>> pinned_urls;
    // The newest delta CRL of each scope, by the key of its complete CRLs: joined to one, or
    // waiting.
    std::map<FloorKey, pki::VerifiedCrlPtr> deltas;
    SnapshotPtr snapshot = std::make_shared<const Snapshot>();

    [[nodiscard]] Issuer* find(const pki::KeyHash& key);
    void count_configured();
    void become(Known next);                  // evidence_reload.cc
    bool admit(Issuer issuer, WallTime now);  // evidence_issuers.cc
    // evidence_answers.cc
    bool hold(const pki::KeyHash& authority, HeldAnswer answer, std::size_t answers_max,
              WallTime now);
    bool forget(const pki::KeyHash& issuer, const pki::SingleResponse& contradiction);
    void drop_contradicted_answers(WallTime now);
    // evidence_held.cc
    void drop_superseded(Issuer& issuer, const std::pair<std::string, FloorKey>& newest,
                         WallTime now) const;
    [[nodiscard]] std::uint64_t bytes_with(const Issuer& next,
                                           const pki::VerifiedCrlPtr& delta) const;
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

  using Holds = std::vector<std::pair<FloorKey, std::string>>;  // remembered, by serial

  // evidence_crl.cc
  Judgement judge_crl(const cache::AdmissionRequest& request, Waiting may_wait);
  pki::Checked<pki::VerifiedCrlPtr> verify_under_known(const pki::ParsedCrlPtr& crl, WallTime now,
                                                       const Snapshot& known) const;
  Judgement accept_crl(const cache::AdmissionRequest& request, const pki::VerifiedCrlPtr& crl);
  Judgement without_issuer(const cache::AdmissionRequest& request, const pki::ParsedCrl& crl);
  Result<bool> record_crl(const pki::VerifiedCrl& crl, const Issuer& issuer);
  Result<void> record_diff(const pki::VerifiedCrl& crl, const CrlDiff& diff);
  struct SeenAgainstCrl {
    CrlDiff diff;
    Holds answered_holds;  // of OCSP answers, which the CRL may end: end_holds()
  };
  Result<SeenAgainstCrl> diff_against_seen(const pki::VerifiedCrl& crl, const Issuer& issuer);
  Result<CrlDiff> without_what_is_over(CrlDiff diff, const pki::VerifiedCrl& crl,
                                       bool absence_counts);
  Result<CrlDiff> without_what_complete_said(CrlDiff diff, const pki::VerifiedCrl& delta);
  void report(const pki::VerifiedCrl& crl, const CrlDiff& diff);

  // evidence_held.cc. Under the issuer's accept_lock.
  std::optional<Issuer> issuer_now(const pki::KeyHash& key);
  pki::VerifiedCrlPtr newest_delta(const FloorKey& complete);
  Result<void> hold(const pki::VerifiedCrlPtr& crl, const Issuer& issuer,
                    const cache::AdmissionRequest& request);
  void report_misfit(const pki::VerifiedCrlPtr& crl, const Issuer& issuer,
                     const cache::AdmissionRequest& request);
  bool is_held(const pki::VerifiedCrl& crl, const Issuer& issuer);
  bool remember_url(const pki::VerifiedCrl& crl, const std::string& url);
  static bool is_answered_hold(const FloorKey& key, const SeenRevocation& seen,
                               const Issuer& issuer);
  Result<bool> end_holds(const Holds& holds, WallSeconds this_update);
  Result<bool> made_before(WallSeconds time, const pki::VerifiedCrl& crl);
  Result<std::optional<Holds>> holds_ended_by(const pki::SingleResponse& answer,
                                              const Issuer& issuer);
  Result<bool> said_otherwise_since(const pki::SingleResponse& good, const Issuer& issuer);

  // evidence_ocsp.cc
  Judgement judge_ocsp(const cache::AdmissionRequest& request, Waiting may_wait);
  static std::optional<pki::Refused> responder_revoked(const pki::VerifiedOcspResponse& response,
                                                       const Issuer& issuer, WallTime now);
  Judgement accept_ocsp(const cache::AdmissionRequest& request,
                        const pki::VerifiedOcspResponse& response,
                        const pki::SingleResponse& answer, const pki::KeyHash& issuer_key);
  Result<std::optional<Holds>> what_good_ends(const Revoked& revoked,
                                              const pki::SingleResponse& answer,
                                              const Issuer& issuer);
  Result<void> record_ocsp(const FloorKey& key, const pki::SingleResponse& answer,
                           const Holds& ended, WallTime now);

  // evidence_answers.cc. Under the issuer's accept_lock.
  void forget_contradicted(const pki::VerifiedOcspResponse& response,
                           const pki::SingleResponse& answer, const Issuer& issuer);
  Result<void> hold_answer(const cache::AdmissionRequest& request,
                           const pki::VerifiedOcspResponse& response,
                           const pki::SingleResponse& answer, const Issuer& issuer);

  // evidence_issuers.cc
  Judgement judge_certificates(const cache::AdmissionRequest& request, Waiting may_wait);
  // Gives how many of them became issuers.
  Result<std::size_t> learn_issuers(const std::vector<pki::CertificatePtr>& certificates,
                                    WallTime now);
  Result<bool> learn_issuer(const pki::CertificatePtr& certificate, WallTime now);
  // nullopt: nobody of `issuers` vouches for it, or it is among them already.
  Result<std::optional<Issuer>> vouched_issuer(const pki::CertificatePtr& certificate,
                                               const std::vector<Issuer>& issuers, WallTime now);
  // Those that newer evidence no longer revokes. Without any lock.
  Result<void> relearn_issuers(WallTime now);
  [[nodiscard]] std::optional<pki::KeyHash> key_of(std::string_view authority) const;
  void drop_what_is_revoked(WallTime now);
  // Reads the revocations seen of one issuer anew and keeps those that its CRLs do not name.
  Result<void> reload_seen(const pki::KeyHash& issuer);
  Result<std::shared_ptr<const SeenRevocations>> read_seen(const Issuer& issuer);

  // evidence_reload.cc
  // `before`: whose CRLs it takes over, if it is one of them.
  Result<Issuer> make_issuer(const pki::CertificatePtr& certificate, std::chrono::seconds grace,
                             const std::vector<Issuer>& before);
  Result<std::vector<ManualRevocation>> manual_of(const pki::KeyHash& issuer);
  Result<void> reload_manual(const pki::KeyHash& issuer, WallTime now);
  Result<std::vector<pki::CertificatePtr>> stored_issuers();

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
  // A reload and a manual revocation do not overlap: the one would forget the other.
  std::mutex authorities_lock_;
  std::mutex publish_lock_;  // snapshots leave in the order in which they were made
  // One CRL or answer of an issuer is compared, recorded and held at a time. Before publish_lock_;
  // a reload holds them all.
  std::array<std::mutex, 16> accept_locks_;
};

}  // namespace revcache::revocation
