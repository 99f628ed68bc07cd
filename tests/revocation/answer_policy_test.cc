// decide() row by row: which source speaks, whatever the others say; and until when.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/http/allocations.h"
#include "tests/revocation/policy_fixture.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;
using pki::OcspCertStatus;

class AnswerPolicyTable : public PolicyTest {};

TEST_F(AnswerPolicyTable, EachRowHasItsRule) {
  const AnswerPolicy later;
  const AnswerPolicy unknown = otherwise(WithoutEvidence::unknown);
  const AnswerPolicy pinned = attesting(hours_ago(-1));
  const AnswerPolicy pin_over = attesting(hours_ago(0));
  const AnswerPolicy others_pinned = otherwise(WithoutEvidence::attest);
  AnswerPolicy pinned_but_later = pinned;
  pinned_but_later.without_evidence = WithoutEvidence::try_later;
  struct Row {
    int line;
    Known known;
    const AnswerPolicy* policy;
    Rule rule;
  };
  const std::vector<Row> rows{
      // What revokes, alone and with what contradicts it.
      {__LINE__, {.by_hand = true}, &later, Rule::manual},
      {__LINE__, {.by_hand = true, .seen = kKey, .crl = listed()}, &later, Rule::manual},
      {__LINE__, {.by_hand = true, .crl = absent()}, &later, Rule::manual},
      {__LINE__, {.by_hand = true, .answer = good_answer()}, &later, Rule::manual},
      {__LINE__, {.by_hand = true}, &pinned, Rule::manual},
      {__LINE__, {.by_hand = true, .authority_expired = true}, &later, Rule::manual},
      {__LINE__, {.seen = kKey}, &later, Rule::seen},
      {__LINE__, {.seen = kKey, .crl = absent()}, &later, Rule::seen},
      {__LINE__, {.seen = kHold, .crl = absent()}, &later, Rule::seen},
      {__LINE__, {.seen = kKey, .crl = listed(kHold)}, &later, Rule::seen},
      {__LINE__, {.seen = kKey, .answer = good_answer()}, &pinned, Rule::seen},
      {__LINE__, {.crl = listed()}, &later, Rule::crl_listed},
      {__LINE__, {.crl = listed(kHold)}, &later, Rule::crl_listed},
      {__LINE__, {.seen = kHold, .crl = listed()}, &later, Rule::crl_listed},
      {__LINE__, {.crl = listed_expired()}, &later, Rule::crl_listed},
      {__LINE__, {.crl = listed_expired(), .answer = good_answer()}, &later, Rule::crl_listed},
      {__LINE__, {.crl = listed(), .answer = good_answer()}, &pinned, Rule::crl_listed},
      {__LINE__, {.crl = listed_expired()}, &pinned, Rule::crl_listed},
      {__LINE__, {.crl = listed(), .authority_expired = true}, &later, Rule::crl_listed},
      // What proves good.
      {__LINE__, {.crl = absent()}, &later, Rule::crl_absent},
      {__LINE__, {.crl = absent()}, &pinned, Rule::crl_absent},
      {__LINE__, {.crl = absent(), .answer = good_answer()}, &later, Rule::crl_absent},
      {__LINE__, {.crl = listed(CrlReason::remove_from_crl)}, &later, Rule::crl_absent},
      {__LINE__, {.answer = good_answer()}, &later, Rule::ocsp_good},
      {__LINE__, {.crl = absent_expired(), .answer = good_answer()}, &later, Rule::ocsp_good},
      {__LINE__, {.crl = partial(), .answer = good_answer()}, &unknown, Rule::ocsp_good},
      {__LINE__, {.answer = good_answer()}, &pinned, Rule::ocsp_good},
      {__LINE__, {}, &pinned, Rule::attested},
      {__LINE__, {.crl = absent_expired()}, &pinned, Rule::attested},
      {__LINE__, {.answer = good_answer_over()}, &pinned, Rule::attested},
      // A certificate that is known is covered by a CRL for its kind only.
      {__LINE__, {.crl = for_cas()}, &later, Rule::no_evidence},
      {__LINE__, {.crl = for_cas(), .is_learned_ca = true}, &later, Rule::crl_absent},
      {__LINE__, {.crl = for_cas()}, &pinned_but_later, Rule::crl_absent},
      {__LINE__, {.crl = partial(), .is_learned_ca = true}, &later, Rule::no_evidence},
      // Nothing, or nothing any more.
      {__LINE__, {}, &later, Rule::no_evidence},
      {__LINE__, {}, &unknown, Rule::unknown_by_policy},
      {__LINE__, {}, &others_pinned, Rule::not_attested},
      {__LINE__, {}, &pin_over, Rule::not_attested},
      {__LINE__, {}, &pinned_but_later, Rule::no_evidence},
      {__LINE__, {.crl = absent_expired()}, &later, Rule::no_evidence},
      {__LINE__, {.crl = absent_expired()}, &unknown, Rule::unknown_by_policy},
      {__LINE__, {.crl = partial()}, &later, Rule::no_evidence},
      {__LINE__, {.answer = good_answer_over()}, &later, Rule::no_evidence},
      // An authority outside its dates says nothing but what is revoked.
      {__LINE__, {.authority_expired = true}, &later, Rule::authority_not_valid},
      {__LINE__, {.authority_expired = true}, &pinned, Rule::authority_not_valid},
      {__LINE__, {.crl = absent(), .authority_expired = true}, &later, Rule::authority_not_valid},
      {__LINE__,
       {.answer = good_answer(), .authority_expired = true},
       &later,
       Rule::authority_not_valid},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE("row at line " + std::to_string(row.line));
    const Decision decision = ask(row.known, *row.policy);
    EXPECT_EQ(to_string(decision.rule), to_string(row.rule)) << decision.why;
    if (decision.is_signed()) {
      const auto status = static_cast<std::size_t>(decision.status.status());
      EXPECT_EQ(status, static_cast<std::size_t>(decision.outcome()));
    } else {
      EXPECT_FALSE(decision.why.empty());
    }
    // Whatever the evidence, our own standing comes first.
    const Standing behind{.clock_behind = true, .state_unreadable = true};
    EXPECT_EQ(ask(row.known, *row.policy, behind).rule, Rule::clock_behind);
    const Standing unreadable{.clock_behind = false, .state_unreadable = true};
    EXPECT_EQ(ask(row.known, *row.policy, unreadable).rule, Rule::state_unreadable);
  }
}

TEST_F(AnswerPolicyTable, WithoutLeavesOnlyKnownCaCertificatesAreAnsweredForButWhatIsRevokedIs) {
  AnswerPolicy cas_only;
  cas_only.answer_leaves = false;
  AnswerPolicy pinned = attesting(hours_ago(-1));
  pinned.answer_leaves = false;
  AnswerPolicy pin_over = attesting(hours_ago(1));
  pin_over.answer_leaves = false;
  EXPECT_EQ(ask({.crl = absent()}, cas_only).rule, Rule::not_answered_for);
  EXPECT_EQ(ask({.answer = good_answer()}, cas_only).rule, Rule::not_answered_for);
  EXPECT_EQ(ask({}, cas_only).rule, Rule::not_answered_for);
  EXPECT_EQ(ask({.crl = absent(), .is_learned_ca = true}, cas_only).rule, Rule::crl_absent);
  EXPECT_EQ(ask({.is_learned_ca = true}, cas_only).rule, Rule::no_evidence);
  EXPECT_EQ(ask({}, pinned).rule, Rule::attested);
  EXPECT_EQ(ask({}, pin_over).rule, Rule::not_attested);
  EXPECT_EQ(ask({}, pinned, {}, number(8)).rule, Rule::not_answered_for);
  EXPECT_EQ(ask({.crl = listed()}, cas_only).rule, Rule::crl_listed);
  EXPECT_EQ(ask({.by_hand = true}, cas_only).rule, Rule::manual);
  EXPECT_EQ(ask({.seen = kKey}, cas_only).rule, Rule::seen);
  EXPECT_EQ(ask({.authority_expired = true}, cas_only).rule, Rule::authority_not_valid);
}

TEST_F(AnswerPolicyTable, AnAuthorityThatAnotherOneIssuedIsACaCertificateThatIsKnown) {
  AnswerPolicy cas_only;
  cas_only.answer_leaves = false;
  Issuer other;
  other.certificate = issuing;
  other.key = pki::key_hash(*issuing);
  other.is_authority = true;
  const Issuer asked = issuer({.crl = for_cas()});
  const auto ask_beside = [&](const pki::KeyHash& issued_by) {
    other.issued_by = issued_by;
    const Snapshot known({asked, other});
    return decide(known, known.issuers()[0], cas_only, as_bytes(number(kAskedSerial)), {},
                  pki::test_now())
        .rule;
  };
  EXPECT_EQ(ask_beside(asked.key), Rule::crl_absent);
  EXPECT_EQ(ask_beside({}), Rule::not_answered_for);
  EXPECT_EQ(ask_beside(other.key), Rule::not_answered_for);
}

TEST_F(AnswerPolicyTable, ACaCertificateOfAnotherAuthorityIsNotMeant) {
  AnswerPolicy cas_only;
  cas_only.answer_leaves = false;
  Issuer derived;
  derived.certificate = issuing;
  derived.key = pki::key_hash(*issuing);
  derived.vouched_by = pki::key_hash(*below.certificate());
  const Snapshot known({issuer({.crl = absent()}), derived});
  EXPECT_EQ(decide(known, known.issuers()[0], cas_only, as_bytes(number(kAskedSerial)), {},
                   pki::test_now())
                .rule,
            Rule::not_answered_for);
}

TEST_F(AnswerPolicyTable, OfTwoCertificatesWithOneSerialNeitherProvesWhatACrlCovers) {
  AnswerPolicy policy;
  const auto twin = issue(
      root, below, {.subject = "Twin", .serial = kAskedSerial, .extensions = ca_extensions(0)});
  policy.attested.push_back(*make_attestation(twin, hours_ago(-1), "r", *root.certificate()));
  EXPECT_EQ(ask({.crl = for_cas()}, policy).rule, Rule::crl_absent);
  EXPECT_EQ(ask({.crl = for_cas(), .is_learned_ca = true}, policy).rule, Rule::no_evidence);
}

TEST_F(AnswerPolicyTable, SerialsAreComparedAsUnsignedNumbers) {
  const auto padded = std::string(1, '\0') + number(kAskedSerial);
  const AnswerPolicy pinned = attesting(hours_ago(-1));
  EXPECT_EQ(ask({.by_hand = true}, {}, {}, padded).rule, Rule::manual);
  EXPECT_EQ(ask({.seen = kKey}, {}, {}, padded).rule, Rule::seen);
  EXPECT_EQ(ask({.crl = listed()}, {}, {}, padded).rule, Rule::crl_listed);
  EXPECT_EQ(ask({.answer = good_answer()}, {}, {}, padded).rule, Rule::ocsp_good);
  EXPECT_EQ(ask({}, pinned, {}, padded).rule, Rule::attested);
  AnswerPolicy cas_only;
  cas_only.answer_leaves = false;
  EXPECT_EQ(ask({.crl = absent(), .is_learned_ca = true}, cas_only, {}, padded).rule,
            Rule::crl_absent);
  // One more octet of another value is another number.
  for (const std::string& other :
       {number(1) + number(kAskedSerial), number(kAskedSerial) + std::string(1, '\0'), number(8)}) {
    EXPECT_EQ(ask({}, pinned, {}, other).rule, Rule::not_attested);
    EXPECT_EQ(ask({.answer = good_answer()}, {}, {}, other).rule, Rule::no_evidence);
    EXPECT_EQ(ask({.by_hand = true}, {}, {}, other).rule, Rule::no_evidence);
  }
}

TEST_F(AnswerPolicyTable, EvidenceEndsExactlyAtItsEnd) {
  const WallTime end = WallTime(hours_ago(-1));
  const auto rule_at = [&](const Known& known, const AnswerPolicy& policy, WallTime now) {
    return ask(known, policy, {}, number(kAskedSerial), now).rule;
  };
  const CrlWanted crl{.made_hours_ago = 24, .valid_hours = 25};
  const HeldAnswer answered = answer(5, 6);
  const AnswerPolicy pinned = attesting(hours_ago(-1));
  EXPECT_EQ(rule_at({.crl = crl}, {}, end - 1ms), Rule::crl_absent);
  EXPECT_EQ(rule_at({.crl = crl}, {}, end), Rule::no_evidence);
  EXPECT_EQ(rule_at({.answer = answered}, {}, end - 1ms), Rule::ocsp_good);
  EXPECT_EQ(rule_at({.answer = answered}, {}, end), Rule::no_evidence);
  EXPECT_EQ(rule_at({}, pinned, end - 1ms), Rule::attested);
  EXPECT_EQ(rule_at({}, pinned, end), Rule::not_attested);
  const WallTime not_after = WallTime(expired_root->not_after);
  Known expiring{.answer = answer(5, 10), .authority_expired = true};
  expiring.answer->this_update = expired_root->not_after - 24h;
  EXPECT_EQ(rule_at(expiring, {}, not_after + 999ms), Rule::ocsp_good);
  EXPECT_EQ(rule_at(expiring, {}, not_after + 1s), Rule::authority_not_valid);
}

TEST_F(AnswerPolicyTable, AnAnswerFromTheFutureProvesNothing) {
  HeldAnswer ahead = answer(0, 10);
  ahead.this_update = hours_ago(0) + 5min;
  const Decision decision = ask({.answer = ahead}, {});
  EXPECT_EQ(decision.rule, Rule::ocsp_good);
  EXPECT_EQ(decision.this_update, hours_ago(0));  // never after now
  EXPECT_EQ(decision.evidence_this_update, ahead.this_update);
  ahead.this_update += 1s;
  EXPECT_EQ(ask({.answer = ahead}, {}).rule, Rule::no_evidence);
}

TEST_F(AnswerPolicyTable, OnlyWhatTheAuthoritySignedCanBeAttested) {
  const auto stranger = make_ca();  // the same name, another key
  const auto forged =
      issue(stranger, below,
            {.subject = "Issuing", .serial = kAskedSerial, .extensions = ca_extensions()});
  const auto made = make_attestation(forged, hours_ago(-1), "r", *root.certificate());
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::untrusted);
  EXPECT_EQ(made.error().blame, Blame::local);
  EXPECT_FALSE(make_attestation(issuing, hours_ago(-1), "r", *below.certificate()).has_value());
  const Attestation attested = attestation(hours_ago(-1));
  EXPECT_EQ(attested.certificate(), issuing);
  EXPECT_EQ(attested.until(), hours_ago(-1));
  EXPECT_EQ(attested.reason(), "ticket 4711");
}

TEST_F(AnswerPolicyTable, DecidingByACrlDoesNotAllocate) {
  const Snapshot good = snapshot({.crl = absent(), .is_learned_ca = true});
  const Snapshot revoked = snapshot({.crl = listed()});
  const std::string serial = number(kAskedSerial);
  const AnswerPolicy policy;
  const std::size_t before = http::allocations();
  for (int i = 0; i < 10; ++i) {
    const auto now = pki::test_now();
    ASSERT_EQ(decide(good, good.issuers()[0], policy, as_bytes(serial), {}, now).rule,
              Rule::crl_absent);
    ASSERT_EQ(decide(revoked, revoked.issuers()[0], policy, as_bytes(serial), {}, now).rule,
              Rule::crl_listed);
  }
  EXPECT_EQ(http::allocations(), before);
}

TEST(AnswerPolicyNames, EveryRuleAndOutcomeHasItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kRules; ++i) names.insert(to_string(static_cast<Rule>(i)));
  EXPECT_EQ(names.size(), kRules);
  EXPECT_EQ(to_string(Rule::signer_unusable), "signer_unusable");
  std::set<std::string_view> outcomes;
  for (std::size_t i = 0; i < kOutcomes; ++i) outcomes.insert(to_string(static_cast<Outcome>(i)));
  EXPECT_EQ(outcomes, (std::set<std::string_view>{"good", "revoked", "unknown", "try_later",
                                                  "unauthorized"}));
}

}  // namespace
}  // namespace revcache::revocation
