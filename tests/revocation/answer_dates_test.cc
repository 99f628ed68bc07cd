// Until when a decision holds, and which decisions may share a signature.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/revocation/policy_fixture.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;

class AnswerDates : public PolicyTest {};

TEST_F(AnswerDates, DatesAreThoseOfTheEvidence) {
  const WallSeconds no_end = WallSeconds::max();
  const auto manual = ask({.by_hand = true, .crl = listed()}, {});
  EXPECT_EQ(manual.this_update, std::nullopt);
  EXPECT_EQ(manual.valid_until, no_end);
  EXPECT_EQ(manual.crl, nullptr);
  EXPECT_EQ(manual.status.revoked_at(), hours_ago(9));
  EXPECT_EQ(manual.status.reason(), CrlReason::superseded);
  const auto seen = ask({.seen = kKey, .crl = absent()}, {});
  EXPECT_EQ(seen.this_update, std::nullopt);
  EXPECT_EQ(seen.valid_until, no_end);
  EXPECT_EQ(seen.status.revoked_at(), hours_ago(30));
  const auto in_crl = ask({.crl = listed()}, {});
  EXPECT_EQ(in_crl.this_update, hours_ago(24));
  EXPECT_EQ(in_crl.valid_until, hours_ago(-24));
  EXPECT_NE(in_crl.crl, nullptr);
  EXPECT_EQ(in_crl.status.reason(), kKey);
  // A revocation does not expire with its CRL.
  const auto in_old_crl = ask({.crl = listed_expired()}, {});
  EXPECT_EQ(in_old_crl.this_update, hours_ago(24));
  EXPECT_EQ(in_old_crl.valid_until, no_end);
  const auto by_crl = ask({.crl = absent(), .answer = good_answer()}, {});
  EXPECT_EQ(by_crl.this_update, hours_ago(24));
  EXPECT_EQ(by_crl.valid_until, hours_ago(-24));
  EXPECT_NE(by_crl.crl, nullptr);
  EXPECT_EQ(by_crl.answer, nullptr);
  const auto by_answer = ask({.answer = good_answer()}, {});
  EXPECT_EQ(by_answer.this_update, hours_ago(5));
  EXPECT_EQ(by_answer.valid_until, hours_ago(-5));
  EXPECT_EQ(by_answer.crl, nullptr);
  ASSERT_NE(by_answer.answer, nullptr);
  EXPECT_EQ(by_answer.answer->url, "http://ocsp.example/");
  const auto no_evidence = ask({}, otherwise(WithoutEvidence::unknown));
  EXPECT_EQ(no_evidence.this_update, std::nullopt);
  EXPECT_EQ(no_evidence.valid_until, no_end);
}

TEST_F(AnswerDates, OfSeveralAttestationsTheLongestCounts) {
  AnswerPolicy policy = attesting(hours_ago(1));
  policy.attested.push_back(attestation(hours_ago(-9)));
  policy.attested.push_back(attestation(hours_ago(-3)));
  const Decision decision = ask({}, policy);
  EXPECT_EQ(decision.rule, Rule::attested);
  EXPECT_EQ(decision.attestation, &policy.attested[1]);
  EXPECT_EQ(decision.valid_until, hours_ago(-9));
  EXPECT_EQ(decision.this_update, std::nullopt);
  EXPECT_TRUE(decision.why.empty());
  policy.attested.resize(1, attestation(hours_ago(0)));
  EXPECT_EQ(ask({}, policy).why, "its attestation is over");
}

TEST_F(AnswerDates, AnAnswerNeverOutlivesEvidenceOrSigner) {
  const WallTime now = pki::test_now() + 700ms;
  const WallSeconds second = hours_ago(0);
  Decision decision;
  EXPECT_EQ(next_update_of(decision, 1h, second + 9h, now), second + 1h);
  EXPECT_EQ(next_update_of(decision, 1h, second + 10min, now), second + 10min);
  decision.valid_until = second + 20min;
  EXPECT_EQ(next_update_of(decision, 1h, second + 9h, now), second + 20min);
  EXPECT_EQ(next_update_of(decision, 1h, second + 10min, now), second + 10min);
}

std::string identity_of(const Decision& decision) {
  std::string identity;
  append_identity(identity, decision);
  return identity;
}

TEST_F(AnswerDates, IdentitiesDifferWhereverAnswersWould) {
  std::set<std::string> all;
  std::size_t made = 0;
  const auto add = [&](const Decision& decision) {
    all.insert(identity_of(decision));
    ++made;
  };
  add(ask({.by_hand = true}, {}));
  add(ask({.seen = kKey}, {}));
  add(ask({.seen = kHold}, {}));
  add(ask({.crl = listed()}, {}));
  add(ask({.crl = listed(kHold)}, {}));
  add(ask({.crl = absent()}, {}));
  add(ask({.crl = CrlWanted{.made_hours_ago = 23, .valid_hours = 47}}, {}));
  add(ask({.crl = CrlWanted{.made_hours_ago = 24, .valid_hours = 49}}, {}));
  add(ask({.answer = good_answer()}, {}));
  add(ask({}, attesting(hours_ago(-1))));
  add(ask({}, attesting(hours_ago(-2))));
  add(ask({}, otherwise(WithoutEvidence::attest)));
  add(ask({}, otherwise(WithoutEvidence::unknown)));
  add(ask({}, {}));
  Decision revoked = ask({.by_hand = true}, {});
  revoked.status = pki::StatusToSign::revoked(hours_ago(10), CrlReason::superseded);
  add(revoked);
  revoked.this_update = hours_ago(1);
  add(revoked);
  revoked.this_update = WallSeconds{};
  add(revoked);
  EXPECT_EQ(all.size(), made);
}

TEST_F(AnswerDates, IdentitiesDoNotDependOnWhenItWasAsked) {
  HeldAnswer ahead = answer(0, 10);
  ahead.this_update += 4min;
  const AnswerPolicy pinned = attesting(hours_ago(-9));
  for (const Known& known :
       {Known{.by_hand = true}, Known{.seen = kKey}, Known{.crl = listed()}, Known{.crl = absent()},
        Known{.answer = good_answer()}, Known{.answer = ahead}, Known{}}) {
    const auto at = [&](WallTime now) {
      return identity_of(ask(known, pinned, {}, number(kAskedSerial), now));
    };
    EXPECT_EQ(at(pki::test_now()), at(pki::test_now() + 1s));
    EXPECT_EQ(at(pki::test_now()), at(pki::test_now() + 2h));
  }
}

}  // namespace
}  // namespace revcache::revocation
