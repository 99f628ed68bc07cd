// What CRLs prove once they are accepted: complete ones, delta CRLs in any order, partitions, what
// disappears, and how much is held.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;

constexpr std::string_view kDeltaUrl = "http://cdp.example/root+.crl";

class EvidenceCrls : public ::testing::Test {
 protected:
  EvidenceCrls() { EXPECT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)})); }
  std::string status(int serial) { return world.status(*root.certificate(), serial); }

  EvidenceWorld world;
  pki::CrlSigner root = make_ca();
};

TEST_F(EvidenceCrls, AbsenceIsGoodUntilNextUpdateAndARevocationForEver) {
  EXPECT_EQ(status(8), "unknown");
  EXPECT_EQ(world.crl(root, {.made_hours_ago = 1, .valid_hours = 3, .entries = {{.serial = 7}}}),
            "verified");
  EXPECT_EQ(status(7), "crl keyCompromise");
  EXPECT_EQ(status(8), "good");
  world.clock.now += 2h;
  EXPECT_EQ(status(8), "unknown");
  EXPECT_EQ(status(7), "crl keyCompromise");
}

TEST_F(EvidenceCrls, WhatDisappearsStaysRevokedAndRaisesAnAlarm) {
  EXPECT_EQ(world.crl(root, {.number = 5, .entries = {{.serial = 7}}}), "verified");
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2}), "verified");
  EXPECT_EQ(status(7), "seen keyCompromise");
  EXPECT_EQ(world.counters.revocations_disappeared.value(), 1U);
}

TEST_F(EvidenceCrls, TheEndOfAHoldIsGood) {
  EXPECT_EQ(world.crl(root, {.number = 5,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(status(7), "crl certificateHold");
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2}), "verified");
  EXPECT_EQ(status(7), "good");
  EXPECT_EQ(world.counters.revocations_lifted.value(), 1U);
}

TEST_F(EvidenceCrls, ADeltaCrlAddsAndLifts) {
  EXPECT_EQ(world.crl(root, {.number = 5,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(
      world.crl(root,
                {.number = 6,
                 .base = 5,
                 .made_hours_ago = 2,
                 .entries = {{.serial = 7, .reason = CrlReason::remove_from_crl}, {.serial = 9}}},
                kDeltaUrl),
      "verified");
  EXPECT_EQ(status(7), "good");
  EXPECT_EQ(status(9), "crl keyCompromise");
}

TEST_F(EvidenceCrls, ADeltaCrlThatIsOverLiftsNothingMore) {
  EXPECT_EQ(world.crl(root, {.number = 5,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(
      world.crl(root,
                {.number = 6,
                 .base = 5,
                 .made_hours_ago = 2,
                 .valid_hours = 4,
                 .entries = {{.serial = 7, .reason = CrlReason::remove_from_crl}, {.serial = 9}}},
                kDeltaUrl),
      "verified");
  world.clock.now += 3h;
  EXPECT_EQ(status(7), "crl certificateHold");  // the complete CRL is still valid, and lists it
  EXPECT_EQ(status(9), "crl keyCompromise");
  EXPECT_EQ(status(8), "good");
}

TEST_F(EvidenceCrls, ADeltaCrlWaitsForItsBase) {
  const CrlWanted delta{
      .number = 6,
      .base = 5,
      .made_hours_ago = 2,
      .entries = {{.serial = 7, .reason = CrlReason::remove_from_crl}, {.serial = 9}}};
  EXPECT_EQ(world.crl(root, delta, kDeltaUrl), "verified");
  EXPECT_EQ(status(9), "seen keyCompromise");
  EXPECT_EQ(status(8), "unknown");
  EXPECT_EQ(world.crl(root, {.number = 5,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(status(9), "crl keyCompromise");
  EXPECT_EQ(status(7), "good");
  EXPECT_EQ(status(8), "good");
}

TEST_F(EvidenceCrls, AHoldThatADeltaCrlStatedBeforeItsBaseEndsWithTheNextCompleteOne) {
  EXPECT_EQ(world.crl(root,
                      {.number = 6,
                       .base = 5,
                       .made_hours_ago = 20,
                       .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}},
                      kDeltaUrl),
            "verified");
  EXPECT_EQ(world.crl(root, {.number = 5, .made_hours_ago = 24}), "verified");
  EXPECT_EQ(status(7), "crl certificateHold");
  EXPECT_EQ(world.crl(root, {.number = 7, .made_hours_ago = 2}), "verified");
  EXPECT_EQ(status(7), "good");
}

TEST_F(EvidenceCrls, ACompleteCrlOlderThanTheDeltaTakesNothingBack) {
  EXPECT_EQ(world.crl(root, {.number = 4,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(world.crl(root,
                      {.number = 6,
                       .base = 4,
                       .made_hours_ago = 2,
                       .entries = {{.serial = 7, .reason = CrlReason::remove_from_crl},
                                   {.serial = 9, .reason = CrlReason::certificate_hold}}},
                      kDeltaUrl),
            "verified");
  // Made before the delta CRL, and fetched after it.
  EXPECT_EQ(world.crl(root, {.number = 5,
                             .made_hours_ago = 3,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(status(7), "good");
  EXPECT_EQ(status(9), "crl certificateHold");
  EXPECT_EQ(world.crl(root, {.number = 7, .made_hours_ago = 1}), "verified");
  EXPECT_EQ(status(7), "good");
  EXPECT_EQ(status(9), "good");
}

TEST_F(EvidenceCrls, ADeltaCrlOlderThanTheCompleteOneNeitherHoldsNorLifts) {
  EXPECT_EQ(world.crl(root, {.number = 7,
                             .made_hours_ago = 1,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(world.crl(root,
                      {.number = 6,
                       .base = 5,
                       .made_hours_ago = 2,
                       .entries = {{.serial = 7, .reason = CrlReason::remove_from_crl},
                                   {.serial = 8, .reason = CrlReason::certificate_hold},
                                   {.serial = 9}}},
                      kDeltaUrl),
            "verified");
  EXPECT_EQ(status(8), "good");
  EXPECT_EQ(status(9), "seen keyCompromise");  // for good, whoever forgot it since
  world.restart();
  EXPECT_EQ(status(7), "seen certificateHold");
}

TEST_F(EvidenceCrls, ADeltaCrlThatFitsIsKeptWhenANewerOneDoesNotFit) {
  EXPECT_EQ(world.crl(root, {.number = 4,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(world.crl(root,
                      {.number = 5,
                       .base = 4,
                       .made_hours_ago = 3,
                       .entries = {{.serial = 7, .reason = CrlReason::remove_from_crl}}},
                      kDeltaUrl),
            "verified");
  EXPECT_EQ(
      world.crl(root, {.number = 7, .base = 6, .made_hours_ago = 1, .entries = {{.serial = 9}}},
                kDeltaUrl),
      "verified");
  EXPECT_EQ(status(7), "good");
  EXPECT_EQ(status(9), "seen keyCompromise");
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2}), "verified");
  EXPECT_EQ(status(9), "crl keyCompromise");
}

std::string partition(std::string_view url) { return pki::issuing_point(pki::point_name(url)); }

TEST_F(EvidenceCrls, OfPartitionsAbsenceIsGoodOnlyWhenEveryConfiguredOneIsHeldAndValid) {
  ASSERT_TRUE(
      world.trust({root.certificate()}, {"http://cdp.example/1.crl", "http://cdp.example/2.crl"}));
  EXPECT_EQ(world.crl(root,
                      {.made_hours_ago = 1,
                       .valid_hours = 4,
                       .entries = {{.serial = 7}},
                       .scope = partition("http://cdp.example/1.crl")},
                      "http://cdp.example/1.crl"),
            "verified");
  EXPECT_EQ(status(7), "crl keyCompromise");
  EXPECT_EQ(status(8), "unknown");
  EXPECT_EQ(
      world.crl(root, {.scope = partition("http://cdp.example/2.crl")}, "http://cdp.example/2.crl"),
      "verified");
  EXPECT_EQ(status(8), "good");
  world.clock.now += 3h;
  EXPECT_EQ(status(8), "unknown");
}

TEST_F(EvidenceCrls, APartitionThatTookAnothersPlaceIsNotWaitedForWhenTheOldOneIsOver) {
  ASSERT_TRUE(world.trust({root.certificate()}, {"http://cdp.example/1.crl"}));
  EXPECT_EQ(world.crl(root,
                      {.made_hours_ago = 2,
                       .valid_hours = 3,
                       .entries = {{.serial = 7}},
                       .scope = partition("http://old.example/1.crl")},
                      "http://cdp.example/1.crl"),
            "verified");
  EXPECT_EQ(
      world.crl(root, {.scope = partition("http://cdp.example/1.crl")}, "http://cdp.example/1.crl"),
      "verified");
  world.clock.now += 2h;
  EXPECT_EQ(
      world.crl(root,
                {.number = 6, .made_hours_ago = 0, .scope = partition("http://cdp.example/1.crl")},
                "http://cdp.example/1.crl"),
      "verified");
  EXPECT_EQ(status(8), "good");
  EXPECT_EQ(status(7), "seen keyCompromise");
}

TEST_F(EvidenceCrls, TheSameCrlAgainIsNoNews) {
  const std::string body = crl_of(root, {.entries = {{.serial = 7}}});
  EXPECT_EQ(world.verdict(ObjectKind::crl, body), "verified");
  const std::size_t changes = world.changes;
  EXPECT_EQ(world.verdict(ObjectKind::crl, body), "verified");
  EXPECT_EQ(world.changes, changes);
}

TEST_F(EvidenceCrls, WithinGraceAnExpiredCrlIsStillUsedAlsoAfterARestart) {
  ASSERT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)}, 2h));
  const std::string body = crl_of(root, {.made_hours_ago = 1, .valid_hours = 2});
  EXPECT_EQ(world.verdict(ObjectKind::crl, body), "verified");
  world.clock.now += 2h;  // nextUpdate was an hour ago
  EXPECT_EQ(status(8), "good");
  world.restart();
  EXPECT_EQ(status(8), "unknown");
  const auto given = world.give(ObjectKind::crl, body);
  ASSERT_TRUE(given.has_value()) << given.error().detail;
  EXPECT_EQ(given->usable_until, WallTime(hours_ago(-3)));
  EXPECT_EQ(status(8), "good");
  world.clock.now += 1h;
  EXPECT_EQ(status(8), "unknown");
  EXPECT_EQ(world.verdict(ObjectKind::crl, body), "expired");
}

TEST_F(EvidenceCrls, BothKeysOfARenewedCaCount) {
  const auto renewed = make_ca();
  ASSERT_TRUE(world.trust({root.certificate(), renewed.certificate()}));
  EXPECT_EQ(world.crl(renewed, {.number = 1, .entries = {{.serial = 8}}}, "http://b.example/b.crl"),
            "verified");
  EXPECT_EQ(world.crl(root, {.number = 9, .entries = {{.serial = 7}}}, "http://a.example/a.crl"),
            "verified");
  EXPECT_EQ(status(7), "crl keyCompromise");
  EXPECT_EQ(status(8), "good");
  EXPECT_EQ(world.status(*renewed.certificate(), 8), "crl keyCompromise");
  EXPECT_EQ(world.status(*renewed.certificate(), 7), "good");
}

TEST_F(EvidenceCrls, AGenuineButPartialCrlIsHandedOnWhicheverKeyIsTriedFirst) {
  const auto renewed = make_ca();
  const std::string indirect = pki::issuing_point(pki::der(0x84, {"\xff"}));
  for (const auto& order : {std::vector{root.certificate(), renewed.certificate()},
                            std::vector{renewed.certificate(), root.certificate()}}) {
    ASSERT_TRUE(world.trust(order));
    EXPECT_EQ(world.crl(root, {.scope = indirect}, "http://other.example/a.crl"), "unverified");
  }
}

TEST(EvidenceBytes, WhatIsOverTheBoundIsNotHeldButItsRevocationsCount) {
  const auto root = make_ca();
  const std::string small = crl_of(root, {.number = 5, .entries = {{.serial = 7}}});
  EvidenceWorld world(Bounds{.bytes = small.size() + 400});
  ASSERT_TRUE(world.trust({root.certificate()}));
  EXPECT_EQ(world.verdict(ObjectKind::crl, small), "verified");
  std::vector<Listed> many;
  for (int serial = 20; serial < 100; ++serial) many.push_back({.serial = serial});
  many.push_back({.serial = 7});
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2, .entries = many}), "verified");
  EXPECT_EQ(world.counters.over_bytes_max.value(), 1U);
  EXPECT_EQ(world.status(*root.certificate(), 7), "crl keyCompromise");
  EXPECT_EQ(world.status(*root.certificate(), 50), "seen keyCompromise");
  EXPECT_EQ(world.status(*root.certificate(), 8), "good");  // by the older one, within its dates
}

TEST(EvidenceBytes, ACrlThatReplacesAnotherDoesNotCountTwice) {
  const auto root = make_ca();
  const std::string first = crl_of(root, {.number = 5});
  EvidenceWorld world(Bounds{.bytes = first.size() + first.size() / 2 + 400});
  ASSERT_TRUE(world.trust({root.certificate()}));
  for (int number = 5; number < 10; ++number) {
    EXPECT_EQ(world.crl(root, {.number = number, .made_hours_ago = 20 - number}), "verified");
  }
  EXPECT_EQ(world.counters.over_bytes_max.value(), 0U);
}

TEST(EvidenceBytes, ADeltaCrlCountsBesideACompleteOneThatComesLater) {
  const auto root = make_ca();
  std::vector<Listed> many;
  for (int serial = 20; serial < 100; ++serial) many.push_back({.serial = serial});
  const std::string delta =
      crl_of(root, {.number = 6, .base = 5, .made_hours_ago = 2, .entries = many});
  const std::string complete = crl_of(root, {.number = 5, .entries = many});
  EvidenceWorld world(Bounds{.bytes = delta.size() + complete.size() / 2 + 2048});
  ASSERT_TRUE(world.trust({root.certificate()}));
  EXPECT_EQ(world.verdict(ObjectKind::crl, crl_of(root, {.number = 4, .made_hours_ago = 30})),
            "verified");
  EXPECT_EQ(
      world.verdict(ObjectKind::crl,
                    crl_of(root, {.number = 6, .base = 4, .made_hours_ago = 2, .entries = many}),
                    kDeltaUrl),
      "verified");
  EXPECT_EQ(world.counters.over_bytes_max.value(), 0U);
  EXPECT_EQ(world.verdict(ObjectKind::crl, complete), "verified");
  EXPECT_EQ(world.counters.over_bytes_max.value(), 1U);
}

}  // namespace
}  // namespace revcache::revocation
