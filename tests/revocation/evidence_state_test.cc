// The state store and what is published: a failure at any call leaves nothing published that is not
// durable, and nothing durable unpublished once the body comes again; set-up, revocations by hand,
// floor reset; what a loop may be told at once.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;

class EvidenceState : public ::testing::Test {
 protected:
  EvidenceState() { EXPECT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)})); }
  std::string status(int serial) { return world.status(*root.certificate(), serial); }

  EvidenceWorld world;
  pki::CrlSigner root = make_ca();
};

TEST_F(EvidenceState, WhereverTheDiskFailsNothingIsPublishedThatARestartWouldForget) {
  const std::string first = crl_of(root, {.number = 5, .entries = {{.serial = 7}, {.serial = 8}}});
  // 7 disappears, 9 is new.
  const std::string second =
      crl_of(root, {.number = 6, .made_hours_ago = 2, .entries = {{.serial = 8}, {.serial = 9}}});
  bool all_good = false;
  for (int good_calls = 0; !all_good; ++good_calls) {
    ASSERT_LT(good_calls, 20);
    EvidenceWorld fresh;
    ASSERT_TRUE(fresh.trust({root.certificate()}, {std::string(kUrl)}));
    ASSERT_EQ(fresh.verdict(ObjectKind::crl, first), "verified");
    int calls = 0;
    fresh.hooked.on_call = [&](std::string_view) { return calls++ < good_calls; };
    all_good = fresh.verdict(ObjectKind::crl, second) == "verified";
    // Whoever publishes next must not publish half of it.
    fresh.hooked.on_call = nullptr;
    ASSERT_TRUE(
        fresh.evidence().revoke("ca0", number(50), CrlReason::unspecified, "t", fresh.clock.now));
    const auto of = [&](int serial) { return fresh.status(*root.certificate(), serial); };
    EXPECT_NE(of(7), "good") << good_calls;
    EXPECT_EQ(of(8), "crl keyCompromise") << good_calls;
    if (of(9) == "crl keyCompromise") {
      std::size_t remembered = 0;
      ASSERT_TRUE(fresh.state.for_each_seen_of_issuer(
          pki::key_hash(*root.certificate()), [&](const FloorKey&, const SeenRevocation& seen) {
            remembered += seen.serial == number(9) ? 1U : 0U;
            return true;
          }));
      EXPECT_EQ(remembered, 1U) << good_calls;
    }
    EXPECT_EQ(fresh.verdict(ObjectKind::crl, second), "verified") << good_calls;
    EXPECT_EQ(of(7), "seen keyCompromise") << good_calls;
    EXPECT_EQ(of(9), "crl keyCompromise") << good_calls;
  }
}

// Millions may be remembered, and a CRL of millions of entries comes each hour.
TEST_F(EvidenceState, ANewerCrlReadsWhatIsRememberedOnceToCompareAndOnceToPublish) {
  EXPECT_EQ(world.crl(root, {.number = 5, .entries = {{.serial = 7}}}), "verified");
  int readings = 0;
  world.hooked.on_call = [&](std::string_view name) {
    readings += name.starts_with("for_each_seen") ? 1 : 0;
    return true;
  };
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2, .entries = {{.serial = 8}}}),
            "verified");
  world.hooked.on_call = nullptr;
  EXPECT_EQ(readings, 2);
  EXPECT_EQ(status(7), "seen keyCompromise");
  EXPECT_EQ(status(8), "crl keyCompromise");
}

TEST_F(EvidenceState, AReplayIsRefusedAfterARestartToo) {
  const std::string old = crl_of(root, {.number = 5});
  EXPECT_EQ(world.verdict(ObjectKind::crl, old), "verified");
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2, .entries = {{.serial = 7}}}),
            "verified");
  world.restart();
  EXPECT_EQ(status(7), "seen keyCompromise");
  EXPECT_EQ(world.verdict(ObjectKind::crl, old), "rolled_back");
  EXPECT_EQ(status(8), "unknown");
}

TEST_F(EvidenceState, WhatDisappearedIsStillRevokedAfterARestart) {
  EXPECT_EQ(world.crl(root, {.number = 5, .entries = {{.serial = 7}}}), "verified");
  const std::string next = crl_of(root, {.number = 6, .made_hours_ago = 2});
  EXPECT_EQ(world.verdict(ObjectKind::crl, next), "verified");
  world.restart();
  EXPECT_EQ(world.verdict(ObjectKind::crl, next), "verified");
  EXPECT_EQ(status(7), "seen keyCompromise");
  EXPECT_EQ(status(8), "good");
}

TEST_F(EvidenceState, ADeltaCrlIsJoinedAfterARestartInWhateverOrderTheyCome) {
  const std::string complete = crl_of(
      root, {.number = 5, .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}});
  const std::string delta =
      crl_of(root, {.number = 6,
                    .base = 5,
                    .made_hours_ago = 2,
                    .entries = {{.serial = 7, .reason = CrlReason::remove_from_crl}}});
  EXPECT_EQ(world.verdict(ObjectKind::crl, complete), "verified");
  EXPECT_EQ(world.verdict(ObjectKind::crl, delta), "verified");
  for (const bool delta_first : {true, false}) {
    world.restart();
    EXPECT_EQ(world.verdict(ObjectKind::crl, delta_first ? delta : complete), "verified");
    EXPECT_EQ(world.verdict(ObjectKind::crl, delta_first ? complete : delta), "verified");
    EXPECT_EQ(status(7), "good") << delta_first;
  }
}

TEST_F(EvidenceState, ARevocationByHandIsPublishedDurableAndWinsUntilItIsLifted) {
  EXPECT_EQ(world.crl(root, {.entries = {{.serial = 7}}}), "verified");
  EXPECT_FALSE(
      world.evidence().revoke("nobody", number(7), CrlReason::superseded, "t", {}).value());
  EXPECT_TRUE(world.evidence().revoke("ca0", number(7), CrlReason::superseded, "t", {}).value());
  EXPECT_TRUE(world.evidence().revoke("ca0", number(8), CrlReason::unspecified, "t", {}).value());
  EXPECT_EQ(status(7), "manual superseded");
  world.restart();
  EXPECT_EQ(status(8), "manual unspecified");
  EXPECT_TRUE(world.evidence().unrevoke("ca0", number(8), world.clock.now).value());
  EXPECT_FALSE(world.evidence().unrevoke("ca0", number(8), world.clock.now).value());
  EXPECT_EQ(status(8), "unknown");
  world.state.break_down();
  EXPECT_FALSE(world.evidence().revoke("ca0", number(8), CrlReason::unspecified, "t", {}));
  EXPECT_EQ(status(8), "unknown");
}

TEST_F(EvidenceState, ResettingFloorsAdmitsARestoredCa) {
  EXPECT_EQ(world.crl(root, {.number = 9, .made_hours_ago = 2, .entries = {{.serial = 7}}}),
            "verified");
  EXPECT_EQ(world.crl(root, {.number = 8, .made_hours_ago = 1}), "rolled_back");
  EXPECT_EQ(world.evidence().reset_floors("nobody").value(), std::nullopt);
  EXPECT_EQ(world.evidence().reset_floors("ca0").value(), 1U);
  EXPECT_EQ(world.crl(root, {.number = 8, .made_hours_ago = 1}), "verified");
  EXPECT_EQ(status(7), "good");
}

TEST_F(EvidenceState, WithoutAReadableStateNoAuthorityIsKnown) {
  EvidenceWorld broken;
  broken.state.break_down();
  EXPECT_FALSE(broken.trust({root.certificate()}));
  EXPECT_EQ(broken.evidence().snapshot()->issuers().size(), 0U);
}

TEST_F(EvidenceState, OnALoopNoSignatureIsCheckedAndNoStateIsTouched) {
  const auto other = make_ca("Somebody");
  const auto signer = ocsp_signer(root);
  const auto other_signer = ocsp_signer(other);
  const AnswerWanted wanted{.serial = 7};
  std::size_t calls = 0;
  world.hooked.on_call = [&](std::string_view) { return ++calls > 0; };
  const auto now = [&](ObjectKind kind, std::string body) -> std::string {
    const auto told =
        world.evidence().consider_now(world.request(kind, std::move(body), "http://x.example/x"));
    return told ? EvidenceWorld::word_for(*told) : "off-loop";
  };
  EXPECT_EQ(now(ObjectKind::crl, crl_of(root, {})), "off-loop");
  EXPECT_EQ(now(ObjectKind::crl, crl_of(other, {.issuer = "Somebody"})), "unverified");
  EXPECT_EQ(now(ObjectKind::crl, "<html>"), "malformed");
  EXPECT_EQ(now(ObjectKind::ocsp, answer_of(*signer, *root.certificate(), wanted)), "off-loop");
  EXPECT_EQ(now(ObjectKind::ocsp, answer_of(*other_signer, *other.certificate(), wanted)),
            "unverified");
  EXPECT_EQ(now(ObjectKind::aia, std::string(other.certificate()->der.text())), "off-loop");
  EXPECT_EQ(now(ObjectKind::crl, std::string(1 << 20, '0')), "off-loop");
  EXPECT_EQ(calls, 0U);
}

}  // namespace
}  // namespace revcache::revocation
