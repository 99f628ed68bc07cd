// What is known about revocation at one moment: issuers, their verified CRLs and answers,
// revocations seen and manual ones. Immutable; Publisher sends each new one to every loop, where
// reading it is reading a member. Freed off-loop: it may hold the last reference to millions of
// entries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "pki/cert_id.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/ocsp_builder.h"
#include "revocation/held_answer.h"
#include "revocation/seen_revocations.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

// A CRL in use: complete, with the delta CRL that fits it, if any.
struct HeldCrl {
  FloorKey key;
  std::string url;  // where the complete one was last fetched from
  pki::VerifiedCrlPtr complete;
  pki::VerifiedCrlPtr delta;
  WallSeconds usable_until;        // the complete CRL's nextUpdate and the authority's grace
  WallSeconds delta_usable_until;  // alike; later the delta CRL adds, and lifts nothing
  // The newest delta CRL, while the complete one is too old to be its base (RFC 5280 5.2.4). It is
  // not used; what it revokes was seen. pki::may_combine() says why.
  pki::VerifiedCrlPtr waiting_delta;
};

// A CA whose signature counts: an [[authority]], or a CA certificate that chains to one.
struct Issuer {
  pki::CertificatePtr certificate;
  pki::KeyHash key{};
  pki::Sha1 name_sha1{};  // of the subject, as CertIDs name it
  pki::Sha1 key_sha1{};
  pki::KeyHash vouched_by{};  // the issuer under which it verified; an authority: none
  pki::KeyHash issued_by{};   // of an authority: the authority whose key signed it; none: nobody's
  std::string authority;      // the [[authority]] at the end of its chain: the `ca` label
  bool is_authority = false;
  std::chrono::seconds grace{0};
  // How many CRL URLs are configured, all of which together are this CA's CRL.
  std::size_t configured_crls = 0;
  std::size_t configured_crls_held = 0;
  std::vector<HeldCrl> crls;
  // Seen in verified evidence, never lifted, and not in the CRLs above: these name the rest.
  std::shared_ptr<const SeenRevocations> seen;
  std::vector<ManualRevocation> manual;  // in order of serial
  // Of an authority's own responder, that say good; null: none. Not kept over a restart.
  std::shared_ptr<const HeldAnswers> answers;
};

enum class RevocationSource : std::uint8_t { manual, seen, crl };
std::string_view to_string(RevocationSource source) noexcept;  // "manual"

struct Revoked {
  RevocationSource source = RevocationSource::crl;
  WallSeconds revoked_at;
  pki::CrlReason reason = pki::CrlReason::unspecified;
  std::optional<WallSeconds> invalidity_date;
  pki::VerifiedCrlPtr crl;  // that lists it, when source is crl: complete or delta
};

// Proof that a serial is not revoked. Only Snapshot::status makes one, and only from CRLs and
// answers that it holds: a "good" without evidence cannot be said.
class NotRevoked : public pki::ProofOfGood {
 public:
  // Of several partitions: the one that ends first. nullptr: an answer says so.
  [[nodiscard]] const pki::VerifiedCrlPtr& crl() const noexcept { return crl_; }
  // nullptr: CRLs prove it.
  [[nodiscard]] const HeldAnswerPtr& answer() const noexcept { return answer_; }
  // Of several: the oldest. Up to pki::kClockSkewMax ahead.
  [[nodiscard]] WallSeconds this_update() const noexcept { return this_update_; }
  [[nodiscard]] WallSeconds valid_until() const noexcept { return valid_until_; }

 private:
  friend class Snapshot;
  NotRevoked(pki::VerifiedCrlPtr crl, WallSeconds this_update, WallSeconds valid_until)
      : crl_(std::move(crl)), this_update_(this_update), valid_until_(valid_until) {}
  explicit NotRevoked(HeldAnswerPtr answer)
      : answer_(std::move(answer)),
        this_update_(answer_->this_update),
        valid_until_(answer_->next_update) {}
  pki::VerifiedCrlPtr crl_;
  HeldAnswerPtr answer_;
  WallSeconds this_update_;
  WallSeconds valid_until_;
};

struct Unknown {
  std::string_view why;  // static: "no CRL", "the CRL has expired", "the CRL covers only a part"
};

using SerialStatus = std::variant<Revoked, NotRevoked, Unknown>;

// What is known of the certificate that is asked about, beside its serial.
struct AboutCertificate {
  const pki::Certificate* certificate = nullptr;
  std::optional<bool> is_ca;
};

class Snapshot {
 public:
  Snapshot() = default;
  explicit Snapshot(std::vector<Issuer> issuers);

  [[nodiscard]] const std::vector<Issuer>& issuers() const noexcept { return issuers_; }
  // nullptr: nobody we know. By name and key, whatever hash the CertID uses.
  [[nodiscard]] const Issuer* find(const pki::CertId& cert_id) const;
  [[nodiscard]] const Issuer* find(const pki::KeyHash& key) const noexcept;

  // Its certificate, and those of all who vouch for it up to the authority, are within their dates.
  // `issuer` is one of issuers().
  [[nodiscard]] bool chain_is_valid_at(const Issuer& issuer, WallTime now) const noexcept;

  // Manual; then what a CRL lists or was seen, a revocation for good before a hold; then absence;
  // then a held answer (order of evidence: docs/architecture.md). Revoked wins. A CRL past its
  // usable_until proves only revocations, an answer past its nextUpdate nothing.
  [[nodiscard]] static SerialStatus status(const Issuer& issuer, ByteView serial,
                                           const AboutCertificate& about, WallTime now);

 private:
  static SerialStatus absence(const Issuer& issuer, ByteView serial, const AboutCertificate& about,
                              WallTime now);

  std::vector<Issuer> issuers_;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace revcache::revocation
