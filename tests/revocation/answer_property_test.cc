// What a CA signs over two days, complete and delta CRLs and OCSP answers, arrives in any order,
// late, twice or never, between revocations by hand, reloads, restarts and the passing of time.
// After each step every serial is decided about, and a simple model, which knows nothing of how
// Evidence works, says which decisions would be wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/revocation/answer_story.h"
#include "tests/revocation/policy_fixture.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;
using pki::OcspCertStatus;

constexpr unsigned kRounds = 90;

// What was accepted, serial by serial.
class Model {
 public:
  void accepted(const Statement& what) {
    for (const auto& [serial, reason] : what.lists) {
      if (reason == CrlReason::remove_from_crl) {
        lifted(serial, what.hour);
        continue;
      }
      Known& known = of_[serial];
      known.answers.clear();
      known.ever_revoked = true;
      if (reason == CrlReason::key_compromise) known.for_good = true;
      if (reason == CrlReason::certificate_hold) {
        known.held = std::max(known.held.value_or(kFirstHour), what.hour);
      }
    }
    if (what.good) {
      lifted(*what.good, what.hour);
      Known& known = of_[*what.good];
      known.good = std::max(known.good.value_or(kFirstHour), what.hour);
      // Older than "unknown", and nothing since says good again: it counts no more.
      const int last_unknown = known.unknown.value_or(kFirstHour - 1);
      if (last_unknown < *known.good) known.answers.emplace(what.hour, what.end);
    }
    if (what.unknown) {
      Known& known = of_[*what.unknown];
      std::erase_if(known.answers, [&](const auto& old) { return old.first <= what.hour; });
      known.unknown = std::max(known.unknown.value_or(kFirstHour), what.hour);
    }
    if (what.kind != ObjectKind::crl || what.delta) return;
    complete_until_ = what.end;
    longest_until_ = std::max(longest_until_.value_or(kFirstHour), what.end);
    for (int serial = 2; serial < 2 + kSerials; ++serial) {
      if (!what.lists.contains(serial)) lifted(serial, what.hour);
    }
  }
  void revoked_by_hand(int serial) {
    Known& known = of_[serial];
    known.by_hand = true;
    known.answers.clear();
  }
  void unrevoked(int serial) { of_[serial].by_hand = false; }
  void restarted() {
    for (auto& [serial, known] : of_) known.answers.clear();
    complete_until_.reset();
    longest_until_.reset();
  }

  // A source revokes it, and nothing that is newer has lifted that.
  bool is_revoked(int serial) {
    const Known& known = of_[serial];
    if (known.by_hand || known.for_good) return true;
    return known.held && (!known.lifted || *known.lifted < *known.held);
  }
  bool was_ever_revoked(int serial) { return of_[serial].ever_revoked || of_[serial].by_hand; }
  // The newest complete CRL is valid; and whether any was that we still have.
  bool has_crl(int hour) const { return complete_until_ && hour < *complete_until_; }
  bool ever_had_crl(int hour) const { return longest_until_ && hour < *longest_until_; }
  // A good answer that lasts, and was not contradicted since it came.
  bool has_answer(int serial, int hour) {
    return std::ranges::any_of(of_[serial].answers,
                               [&](const auto& answer) { return hour < answer.second; });
  }
  // And it is the newest of all that was said.
  bool newest_answer_is_good(int serial, int hour) {
    const Known& known = of_[serial];
    if (known.answers.empty()) return false;
    const auto& [made, end] = *known.answers.rbegin();
    return hour < end && known.unknown.value_or(made - 1) < made;
  }

 private:
  struct Known {
    bool by_hand = false;
    bool for_good = false;
    bool ever_revoked = false;
    std::optional<int> held;                // the newest statement
    std::optional<int> lifted;              // alike
    std::optional<int> unknown;             // alike, of an answer
    std::optional<int> good;                // alike
    std::set<std::pair<int, int>> answers;  // that say good: when made, and until when
  };
  void lifted(int serial, int hour) {
    of_[serial].lifted = std::max(of_[serial].lifted.value_or(kFirstHour), hour);
  }
  std::map<int, Known> of_;
  std::optional<int> complete_until_;
  std::optional<int> longest_until_;
};

class Round {
 public:
  Round(const PolicyFixture& world, unsigned seed)
      : fixture_(world), random_(seed), crls_(static_cast<Crls>(seed % 3)) {
    policy_.without_evidence = static_cast<WithoutEvidence>(random_() % 3);
    policy_.answer_leaves = random_() % 4 != 0;
    pinned_until_ = kFirstHour + static_cast<int>(random_() % 48);
    policy_.attested.push_back(world.attestation(hours_ago(-pinned_until_)));
  }

  std::set<Rule> rules;  // that decided

  void run() {
    auto all = Authority(fixture_, crls_, random_).write();
    world_.clock.now = at(kFirstHour);
    ASSERT_TRUE(world_.trust({fixture_.root.certificate()}));
    while (hour_ <= kLastHour) {
      step(all);
      check();
      if (::testing::Test::HasFailure()) return;
    }
  }

 private:
  static WallTime at(int hour) { return WallTime(hours_ago(-hour)); }

  void step(const std::vector<Statement>& all) {
    const int serial = 2 + static_cast<int>(random_() % kSerials);
    switch (random_() % 16) {
      case 0:
        ASSERT_TRUE(world_.evidence().revoke("ca0", number(serial), CrlReason::superseded, "",
                                             world_.clock.now));
        model_.revoked_by_hand(serial);
        break;
      case 1:
      case 2:
        ASSERT_TRUE(world_.evidence().unrevoke("ca0", number(serial), world_.clock.now));
        model_.unrevoked(serial);
        break;
      case 3:
        if (random_() % 3 != 0) break;
        world_.restart();
        model_.restarted();
        break;
      case 4:
        ASSERT_TRUE(world_.reload());
        break;
      case 5:
      case 6:
      case 7:
        ++hour_;
        world_.clock.now = at(hour_);
        break;
      default:
        give(all[random_() % all.size()]);
    }
  }
  // Only what has been made can arrive; mostly it is of the last hours.
  void give(const Statement& what) {
    if (what.hour > hour_ || (what.hour < hour_ - 6 && random_() % 4 != 0)) return;
    const std::string url = what.kind == ObjectKind::ocsp ? "http://ocsp.example/"
                            : what.delta                  ? "http://cdp.example/root+.crl"
                                                          : std::string(kUrl);
    if (world_.give(what.kind, what.body, url, what.question)) model_.accepted(what);
  }

  void check() {
    const Snapshot& known = *world_.published;
    for (int serial = 2; serial < 2 + kSerials; ++serial) {
      SCOPED_TRACE("serial " + std::to_string(serial) + ", hour " + std::to_string(hour_));
      const Decision decision = decide(known, known.issuers().front(), policy_,
                                       as_bytes(number(serial)), {}, world_.clock.now);
      SCOPED_TRACE(to_string(decision.rule));
      rules.insert(decision.rule);
      check_not_wrong(serial, decision);
      check_said_when_known(serial, decision);
      check_identity(decision);
    }
  }
  void check_not_wrong(int serial, const Decision& decision) {
    const bool is_pinned = serial == kAskedSerial;
    EXPECT_EQ(decision.is_signed() && decision.status.status() == OcspCertStatus::good,
              decision.outcome() == Outcome::good);
    EXPECT_TRUE(decision.outcome() != Outcome::revoked || model_.was_ever_revoked(serial));
    if (decision.outcome() != Outcome::good) return;
    EXPECT_FALSE(model_.is_revoked(serial));
    EXPECT_TRUE(policy_.answer_leaves || is_pinned);
    EXPECT_GT(decision.valid_until, world_.clock.now);
    EXPECT_LE(decision.this_update.value_or(hours_ago(-hour_)), world_.clock.now);
    switch (decision.rule) {
      case Rule::crl_absent:
        EXPECT_TRUE(crls_ == Crls::for_all && model_.ever_had_crl(hour_));
        break;
      case Rule::ocsp_good:
        EXPECT_TRUE(model_.has_answer(serial, hour_));
        break;
      default:
        EXPECT_EQ(decision.rule, Rule::attested);
        EXPECT_EQ(policy_.without_evidence, WithoutEvidence::attest);
        EXPECT_TRUE(is_pinned && hour_ < pinned_until_);
    }
  }
  // Nobody is locked out who can be let in.
  void check_said_when_known(int serial, const Decision& decision) {
    EXPECT_TRUE(decision.outcome() == Outcome::revoked || !model_.is_revoked(serial));
    if (model_.was_ever_revoked(serial)) return;
    if (!policy_.answer_leaves && serial != kAskedSerial) return;
    const bool by_crl = crls_ == Crls::for_all && model_.has_crl(hour_);
    const bool by_answer = crls_ != Crls::for_all && model_.newest_answer_is_good(serial, hour_);
    EXPECT_TRUE(decision.outcome() == Outcome::good || !(by_crl || by_answer));
  }
  // Who shares a signature says the same.
  void check_identity(const Decision& decision) {
    std::string identity;
    append_identity(identity, decision);
    const pki::StatusToSign& status = decision.status;
    const Content content{status.status(), status.revoked_at(), status.reason(),
                          decision.evidence_this_update, decision.valid_until};
    const auto [there, is_new] = contents_.emplace(std::move(identity), content);
    EXPECT_EQ(there->second, content);
  }

  using Content =
      std::tuple<OcspCertStatus, WallSeconds, CrlReason, std::optional<WallSeconds>, WallSeconds>;
  const PolicyFixture& fixture_;
  std::mt19937 random_;
  Crls crls_;
  AnswerPolicy policy_;
  int pinned_until_ = 0;
  int hour_ = kFirstHour;
  EvidenceWorld world_;
  Model model_;
  std::map<std::string, Content> contents_;
};

TEST(AnswerProperty, NoOrderOfArrivalsMakesGoodOfWhatACurrentSourceRevokes) {
  const PolicyFixture fixture;
  std::set<Rule> rules;
  for (unsigned seed = 1; seed <= kRounds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Round round(fixture, seed);
    round.run();
    rules.merge(round.rules);
    if (HasFailure()) return;
  }
  // It was not idle: all that evidence and policy can say was said.
  EXPECT_EQ(rules, (std::set{Rule::manual, Rule::seen, Rule::crl_listed, Rule::crl_absent,
                             Rule::ocsp_good, Rule::attested, Rule::not_attested,
                             Rule::unknown_by_policy, Rule::no_evidence, Rule::not_answered_for}));
}

}  // namespace
}  // namespace revcache::revocation
