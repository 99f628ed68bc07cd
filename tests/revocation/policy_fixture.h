// One authority with whatever evidence a row of a test gives it, put together by hand, so that also
// combinations are decided about that Evidence would never let stand side by side.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "revocation/answer_policy.h"
#include "tests/revocation/evidence_world.h"

namespace revcache::revocation::testing {

inline constexpr int kAskedSerial = 7;

// What an authority knows about kAskedSerial.
struct Known {
  bool by_hand = false;
  std::optional<pki::CrlReason> seen = {};
  std::optional<CrlWanted> crl = {};
  std::optional<HeldAnswer> answer = {};
  bool authority_expired = false;
  bool is_learned_ca = false;  // a CA certificate with this serial is among the issuers
};

class PolicyFixture {
 public:
  [[nodiscard]] HeldCrl held(const CrlWanted& wanted) const {
    HeldCrl one;
    const auto parsed = pki::parsed(crl_of(root, wanted));
    auto crl = pki::verify_crl(parsed, root.certificate(), WallTime(parsed->this_update), {});
    CHECK(crl.has_value());
    one.complete = *std::move(crl);
    one.key = complete_crl_key(*one.complete);
    one.usable_until = *(*one.complete)->next_update;
    return one;
  }
  [[nodiscard]] Issuer issuer(const Known& known) const {
    Issuer made;
    made.certificate = known.authority_expired ? expired_root : root.certificate();
    made.key = pki::key_hash(*root.certificate());
    made.is_authority = true;
    if (known.by_hand) made.manual.push_back(manual());
    if (known.seen) made.seen = seen(*known.seen);
    if (known.crl) made.crls.push_back(held(*known.crl));
    if (known.answer) {
      made.answers = std::make_shared<const HeldAnswers>(
          HeldAnswers{}.with(*known.answer, 8, WallTime(known.answer->this_update)));
    }
    return made;
  }
  [[nodiscard]] Snapshot snapshot(const Known& known) const {
    std::vector<Issuer> issuers{issuer(known)};
    if (known.is_learned_ca) {
      Issuer learned;
      learned.certificate = issuing;
      learned.key = pki::key_hash(*issuing);
      learned.vouched_by = issuers[0].key;
      issuers.push_back(std::move(learned));
    }
    return Snapshot(std::move(issuers));
  }
  [[nodiscard]] Attestation attestation(WallSeconds until) const {
    auto made = make_attestation(issuing, until, "ticket 4711", *root.certificate());
    CHECK(made.has_value());
    return *std::move(made);
  }
  [[nodiscard]] static HeldAnswer answer(int made_hours_ago, int valid_hours) {
    HeldAnswer made;
    made.serial = number(kAskedSerial);
    made.this_update = hours_ago(made_hours_ago);
    made.next_update = made.this_update + std::chrono::hours(valid_hours);
    made.url = "http://ocsp.example/";
    return made;
  }
  static std::shared_ptr<const SeenRevocations> seen(pki::CrlReason reason) {
    const SeenRevocation one{
        .serial = number(kAskedSerial), .revoked_at = hours_ago(30), .reason = reason};
    auto made = SeenRevocations::build(std::span(&one, 1), pki::kTestHashSeed);
    CHECK(made.has_value());
    return *made;
  }
  static ManualRevocation manual() {
    return {.issuer = {},
            .serial = number(kAskedSerial),
            .revoked_at = hours_ago(9),
            .reason = pki::CrlReason::superseded,
            .note = {}};
  }

  pki::CrlSigner root = make_ca();
  pki::CrlSigner below = make_ca("Issuing");
  pki::CertificatePtr issuing = issue(
      root, below, {.subject = "Issuing", .serial = kAskedSerial, .extensions = ca_extensions()});
  pki::CertificatePtr expired_root = issue(root, root,
                                           {.subject = "Root",
                                            .extensions = ca_extensions(),
                                            .not_after = pki::utc_time("260201000000Z")});
};

inline constexpr auto kKey = pki::CrlReason::key_compromise;
inline constexpr auto kHold = pki::CrlReason::certificate_hold;

inline CrlWanted absent() { return {.made_hours_ago = 24, .valid_hours = 48}; }
inline CrlWanted absent_expired() { return {.made_hours_ago = 24, .valid_hours = 24}; }
inline CrlWanted listed(pki::CrlReason reason = kKey) {
  return {.made_hours_ago = 24,
          .valid_hours = 48,
          .entries = {{.serial = kAskedSerial, .reason = reason}}};
}
inline CrlWanted listed_expired(pki::CrlReason reason = kKey) {
  CrlWanted wanted = listed(reason);
  wanted.valid_hours = 20;
  return wanted;
}
inline CrlWanted partial() { return {.scope = pki::issuing_point(pki::der(0x81, {"\xff"}))}; }
inline CrlWanted for_cas() { return {.scope = pki::issuing_point(pki::der(0x82, {"\xff"}))}; }
inline HeldAnswer good_answer() { return PolicyFixture::answer(5, 10); }
inline HeldAnswer good_answer_over() { return PolicyFixture::answer(5, 5); }

// Decisions about what a row says is known.
class PolicyTest : public ::testing::Test, public PolicyFixture {
 protected:
  Decision ask(const Known& known, const AnswerPolicy& policy, const Standing& standing = {},
               const std::string& serial = number(kAskedSerial), WallTime now = pki::test_now()) {
    snapshots.push_back(std::make_unique<Snapshot>(snapshot(known)));
    const Snapshot& made = *snapshots.back();
    return decide(made, made.issuers()[0], policy, as_bytes(serial), standing, now);
  }
  static AnswerPolicy otherwise(WithoutEvidence what) {
    AnswerPolicy policy;
    policy.without_evidence = what;
    return policy;
  }
  AnswerPolicy attesting(WallSeconds until) const {
    AnswerPolicy policy = otherwise(WithoutEvidence::attest);
    policy.attested.push_back(attestation(until));
    return policy;
  }

  std::vector<std::unique_ptr<Snapshot>> snapshots;
};

}  // namespace revcache::revocation::testing
