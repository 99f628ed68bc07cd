// Which source may answer for a certificate: the order of evidence of docs/architecture.md,
// *Answers for certificates without CDP*, as one table in one file. Pure: a snapshot and a time in,
// a decision out; cheap enough to be made anew for every request, on its loop.
//
// A "good" can be said only with a pki::ProofOfGood. There are two ways to one: Snapshot::status
// makes NotRevoked from verified evidence, and decide() makes Attested from a pinned certificate
// whose signature was verified when the attestation was read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "pki/certificate.h"
#include "pki/ocsp_builder.h"
#include "revocation/held_answer.h"
#include "revocation/snapshot.h"

namespace revcache::revocation {

// The row that decided. Names are what the log, the metrics and `policy explain` say.
enum class Rule : std::uint8_t {
  manual,               // revoked by `revcache revoke` or [[authority.revoke]]
  seen,                 // a revocation in verified evidence, never lifted
  crl_listed,           // the verified CRL lists it
  crl_absent,           // the verified CRL covers it and does not list it
  ocsp_good,            // a verified answer of the authority's own responder
  attested,             // pinned in [[authority.attest]]
  not_attested,         // without_evidence = "attest", and not pinned, or no longer
  unknown_by_policy,    // without_evidence = "unknown"
  no_evidence,          // without_evidence = "try_later"
  unknown_issuer,       // nobody we answer for
  not_answered_for,     // answer_leaves = false, and no CA certificate that we know
  authority_not_valid,  // the authority's own certificate is outside its dates
  clock_behind,
  state_unreadable,
  signer_unusable,  // none, expired, or not entitled
};
inline constexpr std::size_t kRules = 15;
std::string_view to_string(Rule rule) noexcept;  // the enumerator's name

enum class Outcome : std::uint8_t { good, revoked, unknown, try_later, unauthorized };
inline constexpr std::size_t kOutcomes = 5;
std::string_view to_string(Outcome outcome) noexcept;

// Every rule has one outcome.
Outcome outcome_of(Rule rule) noexcept;

enum class WithoutEvidence : std::uint8_t { try_later, unknown, attest };

// An [[authority.attest]] whose certificate was seen to be the authority's: signed by its key, not
// revoked by its own dates alone. Only make_attestation() makes one.
class Attestation {
 public:
  [[nodiscard]] const pki::CertificatePtr& certificate() const noexcept { return certificate_; }
  [[nodiscard]] WallSeconds until() const noexcept { return until_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  friend Result<Attestation> make_attestation(pki::CertificatePtr certificate, WallSeconds until,
                                              std::string reason,
                                              const pki::Certificate& authority);
  Attestation() = default;
  pki::CertificatePtr certificate_;
  WallSeconds until_;
  std::string reason_;
};

// Verifies that `authority`'s key signed `certificate` (RFC 5280 6.1.3 (a) (1)). Fails with
// untrusted, blame local. Blocking (a signature): start-up and pool threads.
Result<Attestation> make_attestation(pki::CertificatePtr certificate, WallSeconds until,
                                     std::string reason, const pki::Certificate& authority);

// What an [[authority]] says about answers.
struct AnswerPolicy {
  std::chrono::seconds validity{3600};
  bool answer_leaves = true;
  WithoutEvidence without_evidence = WithoutEvidence::try_later;
  std::vector<Attestation> attested{};
};

// What would make any answer wrong, whatever the evidence.
struct Standing {
  bool clock_behind = false;
  bool state_unreadable = false;
};

struct Decision {
  Rule rule = Rule::no_evidence;
  std::string_view why{};      // static: what is missing
  pki::StatusToSign status{};  // for good, revoked and unknown
  // Of the evidence, but never after the time of the decision; nullopt: there is none, and
  // thisUpdate lies kUndatedAge before the signature.
  std::optional<WallSeconds> this_update{};
  // As the evidence says it, up to pki::kClockSkewMax ahead: another second, no other answer.
  std::optional<WallSeconds> evidence_this_update{};
  WallSeconds valid_until = WallSeconds::max();  // the evidence's own end
  pki::VerifiedCrlPtr crl{};                     // that lists it, or proves its absence
  HeldAnswerPtr answer{};                        // rule ocsp_good
  const Attestation* attestation = nullptr;      // rule attested; of the policy that was given

  [[nodiscard]] Outcome outcome() const noexcept { return outcome_of(rule); }
  // Outcomes that are signed; the others are bare OCSPResponseStatus.
  [[nodiscard]] bool is_signed() const noexcept { return outcome() <= Outcome::unknown; }
};

// thisUpdate of an answer without dated evidence: before the signature, so that a client whose
// clock is a little slow takes it.
inline constexpr std::chrono::minutes kUndatedAge{5};

// For a serial of `issuer`, which is one of known.issuers() and an authority. Revoked wins: a
// revocation is answered whatever else is wrong but the standing. `serial`: content octets of the
// INTEGER, compared as an unsigned number.
Decision decide(const Snapshot& known, const Issuer& issuer, const AnswerPolicy& policy,
                ByteView serial, const Standing& standing, WallTime now);

// When an answer that is signed at `now` ends: nextUpdate, never past the evidence nor the signer.
WallSeconds next_update_of(const Decision& decision, std::chrono::seconds validity,
                           WallSeconds signer_not_after, WallTime now) noexcept;

// Appends what tells two decisions apart that must not share a signature: equal octets, equal
// answer. Nothing of it depends on the time at which it was asked.
void append_identity(std::string& out, const Decision& decision);

}  // namespace revcache::revocation
