// OCSP answers beside other evidence: a revocation is remembered, good is believed only where
// nothing newer says otherwise.
#include <gtest/gtest.h>

#include <string>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CertIdHash;
using pki::CrlReason;
using pki::OcspCertStatus;

class EvidenceAnswers : public ::testing::Test {
 protected:
  EvidenceAnswers() { EXPECT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)})); }
  const pki::Certificate& ca() { return *root.certificate(); }
  std::string status(int serial) { return world.status(ca(), serial); }
  std::string good(int made_hours_ago, CertIdHash hash = CertIdHash::sha1) {
    return world.answer(*signer, ca(),
                        {.serial = 7, .made_hours_ago = made_hours_ago, .hash = hash});
  }
  std::string revoked(CrlReason reason, int made_hours_ago, CertIdHash hash = CertIdHash::sha1) {
    return world.answer(*signer, ca(),
                        {.serial = 7,
                         .status = OcspCertStatus::revoked,
                         .reason = reason,
                         .made_hours_ago = made_hours_ago,
                         .hash = hash});
  }

  EvidenceWorld world;
  pki::CrlSigner root = make_ca();
  pki::SignerPtr signer = ocsp_signer(root);
};

TEST_F(EvidenceAnswers, ARevocationIsRememberedOverARestart) {
  EXPECT_EQ(revoked(CrlReason::key_compromise, 3), "verified");
  EXPECT_EQ(status(7), "seen keyCompromise");
  world.restart();
  EXPECT_EQ(status(7), "seen keyCompromise");
  EXPECT_EQ(good(1), "contradicts_revocation");
  EXPECT_EQ(world.crl(root, {}), "verified");
  EXPECT_EQ(status(7), "seen keyCompromise");
}

TEST_F(EvidenceAnswers, ANewerAnswerEndsAHold) {
  EXPECT_EQ(revoked(CrlReason::certificate_hold, 3), "verified");
  EXPECT_EQ(status(7), "seen certificateHold");
  EXPECT_EQ(good(2), "verified");
  EXPECT_EQ(status(7), "good");  // held: there is no CRL
  EXPECT_EQ(world.counters.revocations_lifted.value(), 1U);
  EXPECT_EQ(revoked(CrlReason::certificate_hold, 3), "rolled_back");
}

TEST_F(EvidenceAnswers, AHoldThatBecameARevocationIsNotEndedByGood) {
  EXPECT_EQ(revoked(CrlReason::certificate_hold, 4), "verified");
  EXPECT_EQ(revoked(CrlReason::key_compromise, 3), "verified");
  EXPECT_EQ(status(7), "seen keyCompromise");
  EXPECT_EQ(good(2), "contradicts_revocation");
}

TEST_F(EvidenceAnswers, AHoldInTheCrlThatBecameARevocationIsNotEndedByGood) {
  EXPECT_EQ(world.crl(root, {.entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(revoked(CrlReason::key_compromise, 3), "verified");
  EXPECT_EQ(status(7), "seen keyCompromise");
  EXPECT_EQ(good(2), "contradicts_revocation");
}

TEST_F(EvidenceAnswers, AnAnswerOlderThanTheHoldEndsNothingWhateverHashItAnswers) {
  EXPECT_EQ(revoked(CrlReason::certificate_hold, 2, CertIdHash::sha256), "verified");
  EXPECT_EQ(good(3, CertIdHash::sha1), "contradicts_revocation");
  EXPECT_EQ(status(7), "seen certificateHold");
  EXPECT_EQ(good(1, CertIdHash::sha1), "verified");
  EXPECT_EQ(status(7), "good");
}

TEST_F(EvidenceAnswers, AnAnswerOlderThanTheHoldInADeltaCrlEndsNothing) {
  EXPECT_EQ(world.crl(root, {.number = 5}), "verified");
  EXPECT_EQ(world.crl(root,
                      {.number = 6,
                       .base = 5,
                       .made_hours_ago = 2,
                       .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}},
                      "http://cdp.example/root+.crl"),
            "verified");
  EXPECT_EQ(good(3), "contradicts_revocation");
  EXPECT_EQ(good(1), "verified");
  // Handed on; but the CRL, as long as it lists the serial, wins over good.
  EXPECT_EQ(status(7), "crl certificateHold");
}

TEST_F(EvidenceAnswers, AlsoWhenThatDeltaCrlIsNotAtHandAfterARestart) {
  const std::string complete = crl_of(root, {.number = 5});
  EXPECT_EQ(world.verdict(ObjectKind::crl, complete), "verified");
  EXPECT_EQ(world.crl(root,
                      {.number = 6,
                       .base = 5,
                       .made_hours_ago = 2,
                       .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}},
                      "http://cdp.example/root+.crl"),
            "verified");
  world.restart();
  EXPECT_EQ(world.verdict(ObjectKind::crl, complete), "verified");
  EXPECT_EQ(good(3), "contradicts_revocation");
  EXPECT_EQ(status(7), "seen certificateHold");
}

TEST_F(EvidenceAnswers, AfterARestartAHoldOfACrlIsNotEndedByAnOlderAnswer) {
  EXPECT_EQ(world.crl(root, {.made_hours_ago = 4,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  world.restart();
  EXPECT_EQ(status(7), "seen certificateHold");
  EXPECT_EQ(good(5), "contradicts_revocation");
  EXPECT_EQ(status(7), "seen certificateHold");
}

TEST_F(EvidenceAnswers, AHoldThatAnAnswerStatedEndsWithANewerCrlThatDoesNotListIt) {
  EXPECT_EQ(revoked(CrlReason::certificate_hold, 4), "verified");
  EXPECT_EQ(world.crl(root, {.number = 5, .made_hours_ago = 6}), "verified");
  EXPECT_EQ(status(7), "seen certificateHold");
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2}), "verified");
  EXPECT_EQ(status(7), "good");
}

TEST_F(EvidenceAnswers, WithinOneThisUpdateRevokedWins) {
  EXPECT_EQ(good(3), "verified");
  EXPECT_EQ(revoked(CrlReason::key_compromise, 3), "verified");
  EXPECT_EQ(good(3), "rolled_back");
  EXPECT_EQ(status(7), "seen keyCompromise");
}

TEST_F(EvidenceAnswers, GoodIsRefusedForWhatIsRevokedByHand) {
  ASSERT_TRUE(
      world.evidence().revoke("ca0", number(7), CrlReason::superseded, "t", world.clock.now));
  EXPECT_EQ(good(1), "contradicts_revocation");
  EXPECT_EQ(status(7), "manual superseded");
}

TEST_F(EvidenceAnswers, ARevocationThatWasNotPublishedWhenTheDiskFailedIsPublishedTheNextTime) {
  EXPECT_EQ(world.crl(root, {}), "verified");
  EXPECT_EQ(status(7), "good");
  int after = 0;
  world.hooked.on_call = [&](std::string_view call) {
    if (call == "accept_ocsp") after = 1;
    return after == 0 || call == "accept_ocsp";
  };
  EXPECT_NE(revoked(CrlReason::key_compromise, 1), "verified");
  world.hooked.on_call = nullptr;
  EXPECT_EQ(revoked(CrlReason::key_compromise, 1), "verified");
  EXPECT_EQ(status(7), "seen keyCompromise");
}

TEST_F(EvidenceAnswers, AnAnswerThatContradictsItselfIsRefused) {
  const std::string cert_id = pki::encode_cert_id(CertIdHash::sha1, ca(), as_bytes(number(7)));
  const WallSeconds made = hours_ago(2);
  const std::array answers{
      pki::SingleAnswer{.cert_id_der = as_bytes(cert_id),
                        .status = pki::StatusToSign::good(AnyProof()),
                        .this_update = made,
                        .next_update = made + 9h},
      pki::SingleAnswer{.cert_id_der = as_bytes(cert_id),
                        .status = pki::StatusToSign::revoked(made, CrlReason::superseded),
                        .this_update = made,
                        .next_update = made + 9h}};
  const auto body =
      signer->respond({.responder = nullptr, .produced_at = made, .answers = answers, .nonce = {}},
                      signer->scheme_for({}));
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(good(3), "verified");
  EXPECT_EQ(status(7), "good");
  EXPECT_EQ(world.verdict(ObjectKind::ocsp, *body, "http://ocsp.example/",
                          question_of(ca(), {.serial = 7})),
            "contradicts_revocation");
  EXPECT_EQ(status(7), "unknown");  // nor is good said from what was held before
}

TEST_F(EvidenceAnswers, AnswersOfUnknownCasAreHttpObjects) {
  const auto other = make_ca("Somebody");
  EXPECT_EQ(world.answer(*ocsp_signer(other), *other.certificate(), {.serial = 7}), "unverified");
}

}  // namespace
}  // namespace revcache::revocation
