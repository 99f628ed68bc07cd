#include "revocation/decision_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "revocation/unreadable_state.h"
#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using ::testing::HasSubstr;

struct Line {
  std::string event;
  std::string fields;  // "name=value ", in order
};

class LineLog final : public metrics::Log {
 public:
  void write(metrics::LogLevel, std::string_view event,
             std::initializer_list<metrics::LogField> fields) override {
    Line line{std::string(event), {}};
    for (const auto& field : fields) {
      line.fields += std::string(field.key) + "=";
      if (const auto* text = std::get_if<std::string_view>(&field.value)) line.fields += *text;
      if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
        line.fields += std::to_string(*number);
      }
      line.fields += ' ';
    }
    const std::lock_guard lock(mutex_);
    lines.push_back(std::move(line));
  }
  [[nodiscard]] std::size_t count(std::string_view event) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const Line& line) { return line.event == event; }));
  }
  std::vector<Line> lines;

 private:
  std::mutex mutex_;
};

WallSeconds noon() { return hours_ago(0); }

DecisionRecord record(Rule rule = Rule::crl_absent, std::string authority = "contoso") {
  DecisionRecord made;
  made.at = noon();
  made.authority = std::move(authority);
  made.serial = "0a1b";
  made.rule = rule;
  return made;
}

// What evidence and a decision make of one authority's CRL.
class Record : public ::testing::Test {
 protected:
  Record() {
    EXPECT_TRUE(world_.trust({root_.certificate()}));
    EXPECT_EQ(world_.crl(root_, {.number = 9, .entries = {{.serial = 5}}}), "verified");
  }
  DecisionRecord decided(int serial, const AnswerPolicy& policy = {}) {
    const Issuer* issuer = world_.published->find(pki::key_hash(*root_.certificate()));
    const std::string octets = number(serial);
    const auto decision =
        decide(*world_.published, *issuer, policy, as_bytes(octets), {}, world_.clock.now);
    return record_of(decision, issuer, as_bytes(octets), world_.clock.now);
  }
  EvidenceWorld world_;
  pki::CrlSigner root_ = make_ca();
};

TEST_F(Record, OfAGoodAnswerNamesTheCrlThatProvesIt) {
  const auto made = decided(6);
  EXPECT_EQ(made.authority, "ca0");
  EXPECT_EQ(made.serial, "06");
  EXPECT_EQ(made.rule, Rule::crl_absent);
  ASSERT_TRUE(made.evidence);
  EXPECT_EQ(made.evidence->kind, "crl");
  EXPECT_EQ(made.evidence->url, kUrl);
  EXPECT_EQ(made.evidence->number, "09");
  EXPECT_EQ(made.evidence->sha256.size(), 64U);
  EXPECT_EQ(made.evidence->this_update, hours_ago(24));
  EXPECT_EQ(made.evidence->valid_until, hours_ago(24) + 168h);
  EXPECT_EQ(made.this_update, hours_ago(24));
  EXPECT_FALSE(made.revoked_at);
  EXPECT_EQ(made.reason, "");
}

TEST_F(Record, OfARevokedAnswerNamesDateAndReason) {
  const auto made = decided(5);
  EXPECT_EQ(made.rule, Rule::crl_listed);
  EXPECT_TRUE(made.revoked_at);
  EXPECT_EQ(made.reason, "keyCompromise");
  ASSERT_TRUE(made.evidence);
  EXPECT_EQ(made.evidence->number, "09");
}

TEST_F(Record, OfARevocationByHandHasNoEvidenceAndIsDatedBack) {
  ASSERT_TRUE(
      world_.evidence().revoke("ca0", number(7), pki::CrlReason::superseded, "", world_.clock.now));
  const auto made = decided(7);
  EXPECT_EQ(made.rule, Rule::manual);
  EXPECT_FALSE(made.evidence);
  EXPECT_EQ(made.this_update, made.at - kUndatedAge);
  EXPECT_EQ(made.reason, "superseded");
}

TEST_F(Record, OfAnAttestationNamesItsReasonAndEnd) {
  EvidenceWorld bare;
  ASSERT_TRUE(bare.trust({root_.certificate()}));
  const auto pinned = issue(root_, make_ca("Issuing"), {.subject = "Issuing", .serial = 8});
  auto attestation = make_attestation(pinned, noon() + 24h, "ticket 4711", *root_.certificate());
  ASSERT_TRUE(attestation);
  AnswerPolicy policy;
  policy.without_evidence = WithoutEvidence::attest;
  policy.attested.push_back(*std::move(attestation));
  world_.published = bare.published;
  const auto made = decided(8, policy);
  EXPECT_EQ(made.rule, Rule::attested);
  ASSERT_TRUE(made.evidence);
  EXPECT_EQ(made.evidence->kind, "attestation");
  EXPECT_EQ(made.evidence->url, "ticket 4711");
  EXPECT_EQ(made.evidence->sha256, pki::hex(pki::sha256(pinned->der.bytes())));
  EXPECT_EQ(made.evidence->valid_until, noon() + 24h);
}

TEST_F(Record, OfWhatIsNotSignedHasNoDates) {
  Decision nobody;
  nobody.rule = Rule::unknown_issuer;
  const auto made =
      record_of(nobody, nullptr, as_bytes(std::string_view("\0\0\x0a", 3)), world_.clock.now);
  EXPECT_EQ(made.authority, "");
  EXPECT_EQ(made.serial, "0a");
  EXPECT_FALSE(made.this_update);
  EXPECT_EQ(
      record_of(nobody, nullptr, as_bytes(std::string_view("\0", 1)), world_.clock.now).serial,
      "00");
}

TEST(DecisionJson, IsThatOfTheDocument) {
  DecisionRecord made = record(Rule::crl_listed);
  made.at = WallSeconds(std::chrono::seconds(1'800'000'000));
  made.signer = "ocsp";
  made.evidence = DecisionEvidence{.kind = "crl",
                                   .url = "http://cdp.test/\"a\"",
                                   .number = "07",
                                   .sha256 = "ab",
                                   .this_update = made.at - 1h,
                                   .valid_until = made.at + 1h};
  made.this_update = made.at - 1h;
  made.next_update = made.at + 30min;
  made.revoked_at = made.at - 2h;
  made.reason = "keyCompromise";
  EXPECT_EQ(to_json(made),
            R"({"at":"2027-01-15T08:00:00Z","authority":"contoso","serial":"0a1b",)"
            R"("outcome":"revoked","rule":"crl_listed","why":null,)"
            R"("evidence":{"kind":"crl","url":"http://cdp.test/\"a\"","number":"07",)"
            R"("sha256":"ab","this_update":"2027-01-15T07:00:00Z",)"
            R"("valid_until":"2027-01-15T09:00:00Z"},"signer":"ocsp",)"
            R"("this_update":"2027-01-15T07:00:00Z","next_update":"2027-01-15T08:30:00Z",)"
            R"("revoked_at":"2027-01-15T06:00:00Z","reason":"keyCompromise"})");
}

TEST(DecisionJson, WhatDoesNotApplyIsNull) {
  DecisionRecord made = record(Rule::unknown_issuer, "");
  made.why = "nobody";
  const auto json = to_json(made);
  for (const char* part :
       {R"("authority":null)", R"("outcome":"unauthorized")", R"("why":"nobody")",
        R"("evidence":null)", R"("signer":null)", R"("next_update":null)", R"("reason":null)"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
}

TEST(DecisionJournal, ASignedAnswerIsLoggedAndKept) {
  sim::MemoryStateStore state;
  LineLog log;
  DecisionJournal journal(state, log);
  journal.signed_answer(record());
  journal.signed_answer(record(Rule::manual));
  EXPECT_EQ(log.count("ocsp answer"), 2U);
  EXPECT_THAT(log.lines[0].fields, HasSubstr("authority=contoso serial=0a1b outcome=good "
                                             "rule=crl_absent why= evidence_kind= "));
  EXPECT_EQ(state.decisions(10),
            (std::vector<std::string>{to_json(record(Rule::manual)), to_json(record())}));
}

TEST(DecisionJournal, AStateThatTakesNothingIsSaidOnceAndCounted) {
  sim::MemoryStateStore state;
  LineLog log;
  DecisionJournal journal(state, log);
  state.break_down();
  for (int i = 0; i < 5; ++i) journal.signed_answer(record());
  EXPECT_EQ(log.count("ocsp answer"), 5U);
  EXPECT_EQ(log.count("decisions are not kept"), 1U);
  EXPECT_EQ(journal.not_kept(), 5U);
  state.break_down(false);
  journal.signed_answer(record());
  journal.signed_answer(record());
  EXPECT_EQ(log.count("decisions are kept again"), 1U);
  EXPECT_EQ(log.lines.size(), 9U);
  EXPECT_EQ(state.decisions(10)->size(), 2U);
}

TEST(DecisionJournal, AStateThatCannotBeReadLosesNoLine) {
  UnreadableState state(Error{ErrorCode::corrupt, Blame::local, "damaged"});
  LineLog log;
  DecisionJournal journal(state, log);
  journal.signed_answer(record());
  EXPECT_EQ(log.count("ocsp answer"), 1U);
  EXPECT_EQ(journal.not_kept(), 1U);
  EXPECT_FALSE(state.decisions(1));
}

TEST(DecisionJournal, RefusalsOfOneKindAreOneLineInTenSecondsWithTheirNumber) {
  sim::MemoryStateStore state;
  LineLog log;
  DecisionJournal journal(state, log);
  const MonotonicTime start{};
  for (int i = 0; i < 7; ++i) journal.refused(record(Rule::no_evidence), start + i * 1s);
  journal.refused(record(Rule::no_evidence), start + kRefusalLogInterval - 1ns);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].event, "ocsp refused");
  EXPECT_THAT(log.lines[0].fields, HasSubstr("outcome=try_later rule=no_evidence"));
  EXPECT_THAT(log.lines[0].fields, HasSubstr("unlogged=0"));
  journal.refused(record(Rule::no_evidence), start + kRefusalLogInterval);
  ASSERT_EQ(log.lines.size(), 2U);
  EXPECT_THAT(log.lines[1].fields, HasSubstr("unlogged=7"));
  EXPECT_TRUE(state.decisions(10)->empty()) << "whoever asks decides how many there are";
}

TEST(DecisionJournal, RefusalsOfOtherAuthoritiesAndRulesAreLoggedOfTheirOwn) {
  sim::MemoryStateStore state;
  LineLog log;
  DecisionJournal journal(state, log);
  const MonotonicTime now{};
  for (int round = 0; round < 3; ++round) {
    journal.refused(record(Rule::no_evidence, "a"), now);
    journal.refused(record(Rule::no_evidence, "b"), now);
    journal.refused(record(Rule::clock_behind, "a"), now);
    journal.refused(record(Rule::unknown_issuer, ""), now);
  }
  EXPECT_EQ(log.lines.size(), 4U);
}

}  // namespace
}  // namespace revcache::revocation
