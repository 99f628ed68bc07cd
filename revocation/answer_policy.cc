#include "revocation/answer_policy.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "pki/der.h"

namespace revcache::revocation {

namespace {

struct RuleRow {
  Rule rule;
  std::string_view name;
  Outcome outcome;
};

// RFC 6960 2.3, RFC 9919 3.1.2: tryLater is for what passes; unauthorized says that here nobody can
// answer with authority.
constexpr std::array<RuleRow, kRules> kTable{{
    {Rule::manual, "manual", Outcome::revoked},
    {Rule::seen, "seen", Outcome::revoked},
    {Rule::crl_listed, "crl_listed", Outcome::revoked},
    {Rule::crl_absent, "crl_absent", Outcome::good},
    {Rule::ocsp_good, "ocsp_good", Outcome::good},
    {Rule::attested, "attested", Outcome::good},
    {Rule::not_attested, "not_attested", Outcome::unknown},
    {Rule::unknown_by_policy, "unknown_by_policy", Outcome::unknown},
    {Rule::no_evidence, "no_evidence", Outcome::try_later},
    {Rule::unknown_issuer, "unknown_issuer", Outcome::unauthorized},
    {Rule::not_answered_for, "not_answered_for", Outcome::unauthorized},
    {Rule::authority_not_valid, "authority_not_valid", Outcome::unauthorized},
    {Rule::clock_behind, "clock_behind", Outcome::try_later},
    {Rule::state_unreadable, "state_unreadable", Outcome::try_later},
    {Rule::signer_unusable, "signer_unusable", Outcome::try_later},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].rule) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

const RuleRow& row_of(Rule rule) noexcept { return kTable[static_cast<std::size_t>(rule)]; }

bool is_same_serial(ByteView left, ByteView right) noexcept {
  return pki::equal(pki::significant_octets(left), pki::significant_octets(right));
}

Decision unanswered(Rule rule, std::string_view why) {
  Decision decision;
  decision.rule = rule;
  decision.why = why;
  return decision;
}

// A pinned certificate, within its term.
class Attested : public pki::ProofOfGood {
 public:
  // nullopt: `attestation` does not attest this serial, or no longer.
  static std::optional<Attested> of(const Attestation& attestation, ByteView serial, WallTime now) {
    if (now >= attestation.until()) return std::nullopt;
    if (!is_same_serial(attestation.certificate()->serial, serial)) return std::nullopt;
    return Attested();
  }

 private:
  Attested() = default;
};

// The certificate behind a serial of an authority.
struct Asked {
  bool is_known = false;
  const pki::Certificate* certificate = nullptr;  // nullptr: none is known, or more than one

  void is(const pki::Certificate& found) {
    const bool is_another =
        certificate != nullptr && !pki::equal(certificate->der.bytes(), found.der.bytes());
    certificate = is_another || (is_known && certificate == nullptr) ? nullptr : &found;
    is_known = true;
  }
};

// CA certificates that the authority issued, and those that are pinned.
Asked certificate_behind(const Snapshot& known, const Issuer& issuer, const AnswerPolicy& policy,
                         ByteView serial) {
  Asked asked;
  for (const Issuer& other : known.issuers()) {
    const pki::KeyHash& above = other.is_authority ? other.issued_by : other.vouched_by;
    if (above != issuer.key || !is_same_serial(other.certificate->serial, serial)) continue;
    asked.is(*other.certificate);
  }
  for (const Attestation& attestation : policy.attested) {
    if (is_same_serial(attestation.certificate()->serial, serial)) {
      asked.is(*attestation.certificate());
    }
  }
  return asked;
}

void date(Decision& decision, WallSeconds this_update, WallTime now) {
  decision.evidence_this_update = this_update;
  decision.this_update = std::min(this_update, std::chrono::floor<std::chrono::seconds>(now));
}

Rule rule_of(RevocationSource source) {
  switch (source) {
    case RevocationSource::manual:
      return Rule::manual;
    case RevocationSource::seen:
      return Rule::seen;
    case RevocationSource::crl:
      break;
  }
  return Rule::crl_listed;
}

// A revocation does not expire. While its CRL is valid, that one's end is the answer's; it may be a
// hold that the next one lifts.
Decision revoked_by(const Revoked& revoked, WallTime now) {
  Decision decision;
  decision.rule = rule_of(revoked.source);
  decision.status = pki::StatusToSign::revoked(revoked.revoked_at, revoked.reason);
  if (revoked.crl == nullptr) return decision;
  const pki::ParsedCrl& crl = revoked.crl->crl();
  date(decision, crl.this_update, now);
  if (crl.next_update && now < *crl.next_update) decision.valid_until = *crl.next_update;
  decision.crl = revoked.crl;
  return decision;
}

Decision good_by(const NotRevoked& proof, WallTime now) {
  Decision decision;
  decision.rule = proof.answer() != nullptr ? Rule::ocsp_good : Rule::crl_absent;
  decision.status = pki::StatusToSign::good(proof);
  date(decision, proof.this_update(), now);
  decision.valid_until = proof.valid_until();
  decision.crl = proof.crl();
  decision.answer = proof.answer();
  return decision;
}

Decision by_attestation(const AnswerPolicy& policy, ByteView serial, WallTime now) {
  Decision decision;
  decision.rule = Rule::not_attested;
  decision.why = "its certificate is not attested";
  for (const Attestation& attestation : policy.attested) {
    if (const auto proof = Attested::of(attestation, serial, now)) {
      const bool is_longer =
          decision.attestation == nullptr || decision.attestation->until() < attestation.until();
      if (!is_longer) continue;
      decision.rule = Rule::attested;
      decision.why = {};
      decision.status = pki::StatusToSign::good(*proof);
      decision.valid_until = attestation.until();
      decision.attestation = &attestation;
    } else if (decision.attestation == nullptr &&
               is_same_serial(attestation.certificate()->serial, serial)) {
      decision.why = "its attestation is over";
    }
  }
  return decision;
}

Decision without_evidence(const AnswerPolicy& policy, ByteView serial, std::string_view why,
                          WallTime now) {
  switch (policy.without_evidence) {
    case WithoutEvidence::attest:
      return by_attestation(policy, serial, now);
    case WithoutEvidence::unknown:
      return unanswered(Rule::unknown_by_policy, why);
    case WithoutEvidence::try_later:
      break;
  }
  return unanswered(Rule::no_evidence, why);
}

// Eight octets, whatever the machine.
void append_number(std::string& out, std::int64_t number) {
  auto bits = static_cast<std::uint64_t>(number);
  for (unsigned i = 0; i < 8; ++i, bits >>= 8U) out += static_cast<char>(bits & 0xffU);
}

void append_time(std::string& out, WallSeconds time) {
  append_number(out, time.time_since_epoch().count());
}

}  // namespace

std::string_view to_string(Rule rule) noexcept { return row_of(rule).name; }

std::string_view to_string(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, kOutcomes> kNames{"good", "revoked", "unknown",
                                                           "try_later", "unauthorized"};
  return kNames[static_cast<std::size_t>(outcome)];
}

Outcome outcome_of(Rule rule) noexcept { return row_of(rule).outcome; }

Result<Attestation> make_attestation(pki::CertificatePtr certificate, WallSeconds until,
                                     std::string reason, const pki::Certificate& authority) {
  if (const auto issued = pki::verify_issued_by(*certificate, authority, {}); !issued) {
    return fail(ErrorCode::untrusted, Blame::local,
                pki::name_text(certificate->subject) + " was not issued by " +
                    pki::name_text(authority.subject) + ": " + issued.error().detail);
  }
  Attestation attestation;
  attestation.certificate_ = std::move(certificate);
  attestation.until_ = until;
  attestation.reason_ = std::move(reason);
  return attestation;
}

Decision decide(const Snapshot& known, const Issuer& issuer, const AnswerPolicy& policy,
                ByteView serial, const Standing& standing, WallTime now) {
  if (standing.clock_behind) {
    return unanswered(Rule::clock_behind, "the clock is behind newer evidence that has been seen");
  }
  if (standing.state_unreadable) {
    return unanswered(Rule::state_unreadable,
                      "the state cannot be read, and with it what is revoked");
  }
  const Asked asked = certificate_behind(known, issuer, policy, serial);
  AboutCertificate about{.certificate = asked.certificate, .is_ca = {}};
  if (asked.certificate != nullptr) about.is_ca = asked.certificate->is_ca;
  const auto status = Snapshot::status(issuer, serial, about, now);
  if (const auto* revoked = std::get_if<Revoked>(&status)) return revoked_by(*revoked, now);
  if (!known.chain_is_valid_at(issuer, now)) {
    return unanswered(Rule::authority_not_valid,
                      "the authority's certificate is not within its dates");
  }
  if (!policy.answer_leaves && !asked.is_known) {
    return unanswered(Rule::not_answered_for,
                      "answer_leaves is off, and no CA certificate is known by this serial");
  }
  if (const auto* good = std::get_if<NotRevoked>(&status)) return good_by(*good, now);
  return without_evidence(policy, serial, std::get<Unknown>(status).why, now);
}

WallSeconds next_update_of(const Decision& decision, std::chrono::seconds validity,
                           WallSeconds signer_not_after, WallTime now) noexcept {
  const WallSeconds wanted = std::chrono::floor<std::chrono::seconds>(now) + validity;
  return std::min({wanted, decision.valid_until, signer_not_after});
}

void append_identity(std::string& out, const Decision& decision) {
  const pki::StatusToSign& status = decision.status;
  out += static_cast<char>(decision.rule);
  out += static_cast<char>(status.status());
  out += static_cast<char>(status.reason());
  append_time(out, status.revoked_at());
  const auto dated =
      decision.evidence_this_update ? decision.evidence_this_update : decision.this_update;
  out += static_cast<char>(dated.has_value());
  append_time(out, dated.value_or(WallSeconds{}));
  append_time(out, decision.valid_until);
}

}  // namespace revcache::revocation
