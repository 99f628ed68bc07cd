// CAs that nobody configured: learned from what passes, kept over a reload and a restart, dropped
// with what vouched for them.
#include <gtest/gtest.h>

#include <string>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;

constexpr std::string_view kAiaUrl = "http://aia.example/sub.cer";
constexpr std::string_view kSubUrl = "http://cdp.example/sub.crl";

class EvidenceIssuers : public ::testing::Test {
 protected:
  EvidenceIssuers() { EXPECT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)})); }
  std::string learn(const pki::CertificatePtr& certificate) {
    return world.verdict(ObjectKind::aia, std::string(certificate->der.text()), kAiaUrl);
  }
  std::string sub_crl(int number = 5, int hours = 24, std::vector<Listed> entries = {}) {
    return world.crl(
        sub,
        {.number = number, .made_hours_ago = hours, .entries = std::move(entries), .issuer = "Sub"},
        kSubUrl);
  }
  std::string root_crl(int number, int hours, std::vector<Listed> entries = {}) {
    return world.crl(root,
                     {.number = number, .made_hours_ago = hours, .entries = std::move(entries)});
  }

  EvidenceWorld world;
  pki::CrlSigner root = make_ca();
  pki::CrlSigner sub = make_ca("Sub");
  pki::CertificatePtr sub_certificate =
      issue(root, sub, {.subject = "Sub", .serial = 66, .extensions = ca_extensions()});
};

TEST_F(EvidenceIssuers, ACaThatChainsToAnAuthorityIsLearned) {
  EXPECT_EQ(sub_crl(), "unverified");
  EXPECT_EQ(learn(sub_certificate), "verified");
  EXPECT_EQ(sub_crl(), "verified");
  EXPECT_EQ(world.status(*sub_certificate, 7), "good");
  EXPECT_EQ(world.published->find(pki::key_hash(*sub_certificate))->authority, "ca0");
}

TEST_F(EvidenceIssuers, HavingBeenFetchedByAiaMakesNobodyTrusted) {
  EXPECT_EQ(learn(sub.certificate()), "unverified");
  EXPECT_EQ(sub_crl(), "unverified");
}

TEST_F(EvidenceIssuers, ACertificateWithAKnownKeyButAForgedSignatureIsNotVerified) {
  const auto forged = issue(sub, root, {.subject = "Root", .extensions = ca_extensions()});
  EXPECT_EQ(learn(forged), "unverified");
}

TEST_F(EvidenceIssuers, NoCaBelowOneWhosePathMayNotBeLonger) {
  const auto third = make_ca("Third");
  const auto short_path =
      issue(root, sub, {.subject = "Sub", .serial = 66, .extensions = ca_extensions(0)});
  EXPECT_EQ(learn(short_path), "verified");
  EXPECT_EQ(sub_crl(), "verified");
  learn(issue(sub, third, {.subject = "Third", .extensions = ca_extensions()}));
  EXPECT_EQ(world.crl(third, {.issuer = "Third"}, "http://third.example/a.crl"), "unverified");
}

TEST_F(EvidenceIssuers, NoCaWithACriticalExtensionThatNobodyUnderstands) {
  learn(issue(root, sub,
              {.subject = "Sub",
               .extensions = ca_extensions() + pki::extension("\x2a\x03", "\x05", true)}));
  EXPECT_EQ(sub_crl(), "unverified");
}

TEST_F(EvidenceIssuers, ALearnedCaAndItsCrlsOutliveAReload) {
  learn(sub_certificate);
  EXPECT_EQ(sub_crl(5, 24, {{.serial = 7}}), "verified");
  ASSERT_TRUE(world.reload());
  EXPECT_EQ(world.status(*sub_certificate, 8), "good");
  EXPECT_EQ(world.status(*sub_certificate, 7), "crl keyCompromise");
}

TEST_F(EvidenceIssuers, ALearnedCaOutlivesARestartAndItsCrlCountsOnceItIsThereAgain) {
  learn(sub_certificate);
  const std::string body = crl_of(sub, {.entries = {{.serial = 7}}, .issuer = "Sub"});
  EXPECT_EQ(world.verdict(ObjectKind::crl, body, kSubUrl), "verified");
  world.restart();
  EXPECT_EQ(world.status(*sub_certificate, 7), "seen keyCompromise");
  EXPECT_EQ(world.status(*sub_certificate, 8), "unknown");
  EXPECT_EQ(world.verdict(ObjectKind::crl, body, kSubUrl), "verified");
  EXPECT_EQ(world.status(*sub_certificate, 8), "good");
}

TEST_F(EvidenceIssuers, AfterAReloadThatFailsEverythingIsAsBefore) {
  learn(sub_certificate);
  const std::string body = crl_of(sub, {.issuer = "Sub"});
  EXPECT_EQ(world.verdict(ObjectKind::crl, body, kSubUrl), "verified");
  EXPECT_EQ(root_crl(5, 24), "verified");
  // Each call in turn is the first that fails.
  for (int good_calls = 0; good_calls < 12; ++good_calls) {
    int calls = 0;
    world.hooked.on_call = [&](std::string_view) { return calls++ < good_calls; };
    const bool reloaded = world.reload().has_value();
    world.hooked.on_call = nullptr;
    const auto known = world.evidence().snapshot();
    ASSERT_EQ(known->issuers().size(), 2U) << good_calls;
    EXPECT_EQ(world.status(*sub_certificate, 8), "good");
    EXPECT_EQ(world.status(*root.certificate(), 8), "good");
    EXPECT_EQ(world.verdict(ObjectKind::crl, body, kSubUrl), "verified");
    if (reloaded) return;
  }
  FAIL() << "no reload succeeded";
}

TEST_F(EvidenceIssuers, WhatWasLearnedUnderAnAuthorityGoesWithIt) {
  learn(sub_certificate);
  EXPECT_EQ(sub_crl(), "verified");
  const auto other = make_ca("Other");
  ASSERT_TRUE(world.trust({other.certificate()}));
  EXPECT_EQ(world.published->issuers().size(), 1U);
  // And so does what its URLs owed.
  EXPECT_EQ(sub_crl(), "unverified");
  EXPECT_EQ(world.evidence().dates_of(kSubUrl), std::nullopt);
}

TEST_F(EvidenceIssuers, ARevokedCaIsDroppedWithAllThatItVouchedFor) {
  const auto third = make_ca("Third");
  const auto third_certificate =
      issue(sub, third, {.subject = "Third", .serial = 5, .extensions = ca_extensions()});
  learn(sub_certificate);
  EXPECT_EQ(learn(third_certificate), "verified");
  EXPECT_EQ(root_crl(5, 24), "verified");
  EXPECT_EQ(world.published->issuers().size(), 3U);
  EXPECT_EQ(root_crl(6, 2, {{.serial = 66}}), "verified");
  EXPECT_EQ(world.published->issuers().size(), 1U);
  EXPECT_EQ(learn(sub_certificate), "unverified");
  EXPECT_NE(sub_crl(), "verified");
}

TEST_F(EvidenceIssuers, AnOcspAnswerThatRevokesACaDropsItToo) {
  learn(sub_certificate);
  EXPECT_EQ(world.answer(*ocsp_signer(root), *root.certificate(),
                         {.serial = 66, .status = pki::OcspCertStatus::revoked}),
            "verified");
  EXPECT_EQ(world.published->issuers().size(), 1U);
}

TEST_F(EvidenceIssuers, ACaWhoseHoldEndsVouchesAgain) {
  learn(sub_certificate);
  EXPECT_EQ(root_crl(5, 24, {{.serial = 66, .reason = CrlReason::certificate_hold}}), "verified");
  EXPECT_EQ(world.published->issuers().size(), 1U);
  EXPECT_EQ(root_crl(6, 2), "verified");
  EXPECT_EQ(world.published->issuers().size(), 2U);
  EXPECT_EQ(sub_crl(), "verified");
}

TEST_F(EvidenceIssuers, ARevocationByHandDropsACaAndLiftingItBringsItBack) {
  learn(sub_certificate);
  ASSERT_TRUE(
      world.evidence().revoke("ca0", number(66), CrlReason::superseded, "t", world.clock.now));
  EXPECT_EQ(world.published->issuers().size(), 1U);
  ASSERT_TRUE(world.evidence().unrevoke("ca0", number(66), world.clock.now));
  EXPECT_EQ(world.published->issuers().size(), 2U);
}

TEST_F(EvidenceIssuers, ANewerCertificateForAKnownKeyReplacesTheOneThatEnds) {
  const auto ends = issue(root, sub,
                          {.subject = "Sub",
                           .serial = 65,
                           .extensions = ca_extensions(),
                           .not_after = pki::utc_time("261122130000Z")});
  learn(ends);
  EXPECT_EQ(learn(sub_certificate), "verified");
  world.clock.now += 2h;
  EXPECT_EQ(sub_crl(), "verified");
}

TEST_F(EvidenceIssuers, ACaBelowOneWhoseCertificateIsOverCountsNoMore) {
  const auto third = make_ca("Third");
  const auto ends = issue(root, sub,
                          {.subject = "Sub",
                           .serial = 65,
                           .extensions = ca_extensions(),
                           .not_after = pki::utc_time("261122130000Z")});
  learn(ends);
  EXPECT_EQ(learn(issue(sub, third, {.subject = "Third", .extensions = ca_extensions()})),
            "verified");
  const CrlWanted wanted{.issuer = "Third"};
  EXPECT_EQ(world.crl(third, wanted, "http://third.example/a.crl"), "verified");
  world.clock.now += 2h;
  EXPECT_EQ(world.crl(third, wanted, "http://third.example/a.crl"), "issuer_not_entitled");
}

TEST(EvidenceIssuersBound, NoMoreAreLearnedThanTheLimitSays) {
  EvidenceWorld world(Bounds{.issuers = 2});
  const auto root = make_ca();
  ASSERT_TRUE(world.trust({root.certificate()}));
  for (const char* name : {"A", "B", "C"}) {
    const auto sub = make_ca(name);
    const auto certificate = issue(root, sub, {.subject = name, .extensions = ca_extensions()});
    world.give(ObjectKind::aia, std::string(certificate->der.text()), kAiaUrl);
  }
  EXPECT_EQ(world.published->issuers().size(), 2U);
  EXPECT_EQ(world.counters.issuers_over_max.value(), 2U);
}

}  // namespace
}  // namespace revcache::revocation
