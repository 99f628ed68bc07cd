// Good answers of an authority's own responder: held as evidence while they last and nothing
// contradicts them; gone for good when something did.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CertIdHash;
using pki::CrlReason;
using pki::OcspCertStatus;

class EvidenceHeldAnswers : public ::testing::Test {
 protected:
  EvidenceHeldAnswers() { EXPECT_TRUE(world.trust({root.certificate()})); }
  const pki::Certificate& ca() { return *root.certificate(); }
  std::string status(int serial = 7) { return world.status(ca(), serial); }
  std::string good(int made_hours_ago, CertIdHash hash = CertIdHash::sha1, int valid_hours = 48) {
    return world.answer(
        *signer, ca(),
        {.serial = 7, .made_hours_ago = made_hours_ago, .valid_hours = valid_hours, .hash = hash});
  }
  std::string says(OcspCertStatus what, int made_hours_ago, CertIdHash hash = CertIdHash::sha1,
                   CrlReason reason = CrlReason::certificate_hold) {
    return world.answer(*signer, ca(),
                        {.serial = 7,
                         .status = what,
                         .reason = reason,
                         .made_hours_ago = made_hours_ago,
                         .hash = hash});
  }
  static AnswerWanted wanted(int serial, int valid_hours) {
    return {.serial = serial, .made_hours_ago = 1, .valid_hours = valid_hours};
  }

  EvidenceWorld world;
  pki::CrlSigner root = make_ca();
  pki::SignerPtr signer = ocsp_signer(root);
};

TEST_F(EvidenceHeldAnswers, GoodIsSaidUntilNextUpdate) {
  EXPECT_EQ(status(), "unknown");
  EXPECT_EQ(good(1), "verified");
  EXPECT_EQ(status(), "good");
  EXPECT_EQ(status(8), "unknown");
  world.clock.now = WallTime(hours_ago(1) + 48h) - 1ms;
  EXPECT_EQ(status(), "good");
  world.clock.now += 1ms;
  EXPECT_EQ(status(), "unknown");
}

TEST_F(EvidenceHeldAnswers, NamesItsSource) {
  const auto body = answer_of(*signer, ca(), wanted(7, 48));
  EXPECT_EQ(world.verdict(ObjectKind::ocsp, body, "http://ocsp.example/", {}), "verified");
  const auto answer =
      world.published->find(pki::key_hash(ca()))->answers->find(as_bytes(number(7)));
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->url, "http://ocsp.example/");
  EXPECT_EQ(answer->hash, pki::sha256(as_bytes(body)));
  EXPECT_EQ(answer->this_update, hours_ago(1));
  EXPECT_EQ(answer->next_update, hours_ago(-47));
  EXPECT_EQ(answer->responder_serial, "");
}

TEST_F(EvidenceHeldAnswers, OnlyNewsIsPublished) {
  const auto body = answer_of(*signer, ca(), wanted(7, 48));
  const auto give = [&] { return world.verdict(ObjectKind::ocsp, body, "http://ocsp.example/"); };
  EXPECT_EQ(give(), "verified");
  const std::size_t changes = world.changes;
  EXPECT_EQ(give(), "verified");
  EXPECT_EQ(good(1), "verified");  // signed anew, the same dates
  EXPECT_EQ(good(1, CertIdHash::sha256), "verified");
  EXPECT_EQ(world.changes, changes);
  EXPECT_EQ(good(0), "verified");
  EXPECT_EQ(world.changes, changes + 1);
  EXPECT_EQ(good(2, CertIdHash::sha384), "verified");  // older
  EXPECT_EQ(world.changes, changes + 1);
}

TEST_F(EvidenceHeldAnswers, WhereTheCrlProvesAsMuchNothingIsHeld) {
  EXPECT_EQ(world.crl(root, {.made_hours_ago = 24, .valid_hours = 30}), "verified");
  const std::size_t changes = world.changes;
  EXPECT_EQ(good(1, CertIdHash::sha1, 7), "verified");
  EXPECT_EQ(world.changes, changes);
  EXPECT_EQ(good(1, CertIdHash::sha256, 8), "verified");
  EXPECT_EQ(good(1, CertIdHash::sha256, 8), "verified");
  EXPECT_EQ(world.changes, changes + 1);
  world.clock.now = WallTime(hours_ago(-6));
  EXPECT_EQ(status(), "good");  // after the CRL's end
  EXPECT_EQ(status(8), "unknown");
}

TEST_F(EvidenceHeldAnswers, UnknownOrRevokedEndsIt) {
  EXPECT_EQ(good(4), "verified");
  EXPECT_EQ(says(OcspCertStatus::unknown, 3), "verified");
  EXPECT_EQ(status(), "unknown");
  EXPECT_EQ(good(2), "verified");
  EXPECT_EQ(status(), "good");
  EXPECT_EQ(says(OcspCertStatus::revoked, 1), "verified");
  EXPECT_EQ(status(), "seen certificateHold");
}

TEST_F(EvidenceHeldAnswers, WhateverHashItsCertIdHasTheNewestAnswerCounts) {
  EXPECT_EQ(good(3), "verified");
  EXPECT_EQ(says(OcspCertStatus::unknown, 4, CertIdHash::sha256), "verified");  // older
  EXPECT_EQ(status(), "good");
  EXPECT_EQ(says(OcspCertStatus::unknown, 2, CertIdHash::sha256), "verified");
  EXPECT_EQ(status(), "unknown");
  EXPECT_EQ(good(3), "verified");  // nor is it held again
  EXPECT_EQ(status(), "unknown");
  EXPECT_EQ(good(1), "verified");
  EXPECT_EQ(status(), "good");
}

TEST_F(EvidenceHeldAnswers, OlderThanAnUnknownThatCameFirstItIsNotHeld) {
  EXPECT_EQ(says(OcspCertStatus::unknown, 2, CertIdHash::sha256), "verified");
  EXPECT_EQ(good(3), "verified");
  EXPECT_EQ(status(), "unknown");
  world.restart();
  EXPECT_EQ(good(3), "verified");
  EXPECT_EQ(status(), "unknown");
}

TEST_F(EvidenceHeldAnswers, DoesNotComeBackWhenAManualRevocationIsLifted) {
  EXPECT_EQ(good(2), "verified");
  ASSERT_TRUE(
      world.evidence().revoke("ca0", number(7), CrlReason::superseded, "t", world.clock.now));
  EXPECT_EQ(status(), "manual superseded");
  ASSERT_TRUE(world.evidence().unrevoke("ca0", number(7), world.clock.now));
  EXPECT_EQ(status(), "unknown");
  EXPECT_EQ(good(2), "verified");  // what the CA says now
  EXPECT_EQ(status(), "good");
}

TEST_F(EvidenceHeldAnswers, DoesNotComeBackWhenAHoldInTheCrlEnds) {
  EXPECT_EQ(good(5), "verified");
  EXPECT_EQ(world.crl(root, {.number = 5,
                             .made_hours_ago = 4,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(status(), "crl certificateHold");
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 3, .valid_hours = 4}), "verified");
  EXPECT_EQ(status(), "good");
  world.clock.now += 1h;
  EXPECT_EQ(status(), "unknown");
}

TEST_F(EvidenceHeldAnswers, IsNotHeldWhileACrlRevokesWhatItSays) {
  EXPECT_EQ(world.crl(root, {.number = 5,
                             .made_hours_ago = 4,
                             .entries = {{.serial = 7, .reason = CrlReason::certificate_hold}}}),
            "verified");
  EXPECT_EQ(good(2), "verified");
  EXPECT_EQ(status(), "crl certificateHold");
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 1, .valid_hours = 2}), "verified");
  EXPECT_EQ(status(), "good");
  world.clock.now += 1h;
  EXPECT_EQ(status(), "unknown");
}

TEST_F(EvidenceHeldAnswers, IsGoneEvenWhenTheRevocationCannotBeRecorded) {
  EXPECT_EQ(good(2), "verified");
  world.hooked.on_call = [](std::string_view call) { return call != "accept_ocsp"; };
  EXPECT_NE(says(OcspCertStatus::revoked, 1), "verified");
  EXPECT_EQ(status(), "unknown");
}

TEST_F(EvidenceHeldAnswers, AReloadKeepsThemButNotWhatIsDeclaredRevoked) {
  EXPECT_EQ(good(2), "verified");
  EXPECT_EQ(world.answer(*signer, ca(), wanted(8, 48)), "verified");
  ASSERT_TRUE(world.reload());
  EXPECT_EQ(status(), "good");
  TrustedAuthority declaring;
  declaring.name = "ca0";
  declaring.certificate = root.certificate();
  declaring.declared = {{.serial = number(7), .reason = CrlReason::key_compromise}};
  ASSERT_TRUE(world.evidence().set_authorities({declaring}, world.clock.now));
  EXPECT_EQ(status(), "manual keyCompromise");
  ASSERT_TRUE(world.reload());
  EXPECT_EQ(status(), "unknown");
  EXPECT_EQ(status(8), "good");
}

TEST_F(EvidenceHeldAnswers, ARestartForgetsThemUntilTheyComeAgain) {
  EXPECT_EQ(good(2), "verified");
  world.restart();
  EXPECT_EQ(status(), "unknown");
  EXPECT_EQ(good(2), "verified");
  EXPECT_EQ(status(), "good");
}

TEST_F(EvidenceHeldAnswers, PastTheBoundTheFirstToEndGoes) {
  EvidenceWorld small({.answers = 2});
  ASSERT_TRUE(small.trust({root.certificate()}));
  EXPECT_EQ(small.answer(*signer, ca(), wanted(1, 5)), "verified");
  EXPECT_EQ(small.answer(*signer, ca(), wanted(2, 9)), "verified");
  EXPECT_EQ(small.answer(*signer, ca(), wanted(3, 7)), "verified");
  EXPECT_EQ(small.status(ca(), 1), "unknown");
  EXPECT_EQ(small.status(ca(), 2), "good");
  EXPECT_EQ(small.status(ca(), 3), "good");
  const std::size_t changes = small.changes;
  EXPECT_EQ(small.answer(*signer, ca(), wanted(4, 3)), "verified");
  EXPECT_EQ(small.changes, changes);
}

TEST_F(EvidenceHeldAnswers, OfCasThatNobodyConfiguredNothingIsHeld) {
  const auto sub = make_ca("Sub");
  const auto certificate =
      issue(root, sub, {.subject = "Sub", .serial = 66, .extensions = ca_extensions()});
  EXPECT_EQ(world.verdict(ObjectKind::aia, std::string(certificate->der.text()),
                          "http://aia.example/sub.cer"),
            "verified");
  EXPECT_EQ(world.answer(*ocsp_signer(sub, certificate), *certificate, wanted(7, 48)), "verified");
  EXPECT_EQ(world.status(*certificate, 7), "unknown");
}

class DelegatedResponder : public EvidenceHeldAnswers {
 protected:
  pki::SignerPtr responder(std::string_view extensions = {},
                           std::string not_after = pki::utc_time("360101000000Z")) {
    const std::string usage = pki::extension(
        pki::id_ce(37), pki::der(0x30, {pki::der(0x06, {"\x2b\x06\x01\x05\x05\x07\x03\x09"})}));
    return ocsp_signer(holder, issue(root, holder,
                                     {.subject = "Responder",
                                      .serial = 66,
                                      .extensions = usage + std::string(extensions),
                                      .not_after = std::move(not_after)}));
  }
  pki::CrlSigner holder = make_ca("Responder");
};

TEST_F(DelegatedResponder, ItsAnswersGoWhenItIsRevoked) {
  EXPECT_EQ(world.answer(*responder(), ca(), wanted(7, 48)), "verified");
  EXPECT_EQ(world.answer(*signer, ca(), wanted(8, 48)), "verified");
  EXPECT_EQ(status(7), "good");
  ASSERT_TRUE(world.evidence().revoke("ca0", std::string(1, 66), CrlReason::key_compromise, "t",
                                      world.clock.now));
  EXPECT_EQ(status(7), "unknown");
  EXPECT_EQ(status(8), "good");
}

TEST_F(DelegatedResponder, ItsAnswersDoNotOutliveItsCertificate) {
  const auto soon = responder({}, pki::utc_time("261122130000Z"));  // in an hour
  EXPECT_EQ(world.answer(*soon, ca(), wanted(7, 48)), "verified");
  EXPECT_EQ(status(), "good");
  world.clock.now += 1h;
  EXPECT_EQ(status(), "unknown");
}

TEST_F(DelegatedResponder, ThatNeedsNoCheckIsNotRemembered) {
  const std::string no_check =
      pki::extension("\x2b\x06\x01\x05\x05\x07\x30\x01\x05", std::string("\x05\x00", 2));
  EXPECT_EQ(world.answer(*responder(no_check), ca(), wanted(7, 48)), "verified");
  const auto answers = world.published->find(pki::key_hash(ca()))->answers;
  ASSERT_NE(answers, nullptr);
  EXPECT_EQ(answers->find(as_bytes(number(7)))->responder_serial, "");
}

TEST_F(EvidenceHeldAnswers, OfTwoAnswersInOneResponseTheNewestCounts) {
  const WallSeconds old = hours_ago(3);
  const auto sha1 = pki::encode_cert_id(CertIdHash::sha1, ca(), as_bytes(number(7)));
  const auto sha256 = pki::encode_cert_id(CertIdHash::sha256, ca(), as_bytes(number(7)));
  const std::array answers{pki::SingleAnswer{.cert_id_der = as_bytes(sha1),
                                             .status = pki::StatusToSign::good(AnyProof()),
                                             .this_update = old,
                                             .next_update = old + 9h},
                           pki::SingleAnswer{.cert_id_der = as_bytes(sha256),
                                             .status = pki::StatusToSign::unknown(),
                                             .this_update = old + 1h,
                                             .next_update = old + 9h}};
  const auto body = signer->respond(
      {.responder = nullptr, .produced_at = old + 1h, .answers = answers, .nonce = {}},
      signer->scheme_for({}));
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(good(4), "verified");
  EXPECT_EQ(status(), "good");
  EXPECT_EQ(world.verdict(ObjectKind::ocsp, *body, "http://ocsp.example/",
                          question_of(ca(), {.serial = 7})),
            "verified");
  EXPECT_EQ(status(), "unknown");
}

TEST_F(EvidenceHeldAnswers, AnAuthorityKnowsWhichAuthorityIssuedIt) {
  const auto below = make_ca("Issuing");
  const auto issued =
      issue(root, below, {.subject = "Issuing", .serial = 7, .extensions = ca_extensions()});
  ASSERT_TRUE(world.trust({issued, root.certificate()}));
  const Snapshot& known = *world.published;
  const pki::KeyHash key = pki::key_hash(ca());
  EXPECT_EQ(known.find(pki::key_hash(*issued))->issued_by, key);
  EXPECT_EQ(known.find(key)->issued_by, key);
  ASSERT_TRUE(world.trust({issued}));
  EXPECT_EQ(world.published->issuers()[0].issued_by, pki::KeyHash{});
}

}  // namespace
}  // namespace revcache::revocation
