// Every reason for which Evidence refuses a body, or takes it for no evidence, reached and counted.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::Refusal;

constexpr auto kCrl = ObjectKind::crl;
constexpr auto kOcsp = ObjectKind::ocsp;
constexpr std::string_view kOcspUrl = "http://ocsp.example/";

class EvidenceRefusals : public ::testing::Test {
 protected:
  EvidenceRefusals() { EXPECT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)})); }

  std::string crl_with(const std::function<void(pki::CrlText&)>& change) const {
    pki::CrlText text;
    change(text);
    return root.crl(text);
  }
  // Refused, under this name, and counted once.
  void expect_refused(ObjectKind kind, Refusal reason, std::string body,
                      std::string_view url = kUrl, std::string question = {}) {
    const auto before = world.refused(kind, reason);
    EXPECT_EQ(world.verdict(kind, std::move(body), url, std::move(question)),
              pki::to_string(reason));
    EXPECT_EQ(world.refused(kind, reason), before + 1);
  }
  // Handed on as an HTTP object, but counted as no evidence.
  void expect_no_evidence(Refusal reason, std::string body) {
    const auto before = world.refused(kCrl, reason);
    EXPECT_EQ(world.verdict(kCrl, std::move(body), "http://other.example/a.crl"), "unverified")
        << pki::to_string(reason);
    EXPECT_EQ(world.refused(kCrl, reason), before + 1) << pki::to_string(reason);
    EXPECT_EQ(world.status(*root.certificate(), 7), "unknown");
  }

  // Taken and remembered, but not used; counted once.
  void expect_misfit_of(const CrlWanted& delta) {
    const auto before = world.refused(kCrl, Refusal::base_mismatch);
    EXPECT_EQ(world.crl(root, delta, "http://cdp.example/root-delta.crl"), "verified");
    EXPECT_EQ(world.refused(kCrl, Refusal::base_mismatch), before + 1);
  }

  EvidenceWorld world;
  pki::CrlSigner root = make_ca();
  pki::SignerPtr signer = ocsp_signer(root);
};

TEST_F(EvidenceRefusals, ABodyThatIsNoCrlIsMalformed) {
  expect_refused(kCrl, Refusal::malformed, "<html>maintenance</html>");
  const auto given = world.give(kCrl, "<html>");
  ASSERT_FALSE(given.has_value());
  EXPECT_EQ(given.error().code, ErrorCode::malformed);
  EXPECT_EQ(given.error().blame, Blame::upstream);
  expect_refused(kCrl, Refusal::malformed, pki::der(0x30, {pki::integer("\x01")}));
  expect_refused(kOcsp, Refusal::malformed, pki::der(0x30, {pki::integer("\x01")}), kOcspUrl);
  expect_refused(ObjectKind::aia, Refusal::malformed, pki::der(0x30, {}));
}

TEST_F(EvidenceRefusals, AVersionThatDoesNotExistIsRefused) {
  expect_refused(kCrl, Refusal::unsupported_version,
                 crl_with([](pki::CrlText& text) { text.version = pki::integer("\x02"); }));
}

TEST_F(EvidenceRefusals, TwoAlgorithmsInOneCrlAreRefused) {
  const std::string rsa = pki::der(
      0x30, {pki::der(0x06, {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"}), std::string("\x05\x00", 2)});
  expect_refused(kCrl, Refusal::algorithm_mismatch,
                 crl_with([&](pki::CrlText& text) { text.algorithm = rsa; }));
}

TEST_F(EvidenceRefusals, AnAlgorithmThatProvesNothingIsRefused) {
  const std::string sha1 = pki::der(0x30, {pki::der(0x06, {"\x2a\x86\x48\xce\x3d\x04\x01"})});
  const std::string good = crl_with([&](pki::CrlText& text) { text.algorithm = sha1; });
  // Outside as inside: the TBSCertList is the first element of the whole.
  const auto parsed = pki::parsed(good);
  expect_refused(kCrl, Refusal::algorithm_refused, root.sign(as_text(parsed->tbs), sha1));
}

TEST_F(EvidenceRefusals, AForgedSignatureIsRefused) {
  expect_refused(kCrl, Refusal::signature_wrong, make_ca().crl({}));
}

TEST_F(EvidenceRefusals, AUrlThatOwesEvidenceTakesNobodyElses) {
  const auto other = make_ca("Somebody");
  CrlWanted wanted{.issuer = "Somebody"};
  expect_refused(kCrl, Refusal::issuer_unknown, crl_of(other, wanted));
  EXPECT_EQ(world.crl(other, wanted, "http://other.example/a.crl"), "unverified");
  world.evidence().pin({"http://other.example/a.crl"});
  expect_refused(kCrl, Refusal::issuer_unknown, crl_of(other, wanted),
                 "http://other.example/a.crl");
}

TEST_F(EvidenceRefusals, ACaThatMayNotSignCrlsIsNotEntitled) {
  const pki::CrlSigner other(
      {.common_name = "Root", .extensions = ca_extensions(-1, "\x02\x04")});  // keyCertSign only
  ASSERT_TRUE(world.trust({other.certificate()}));
  expect_refused(kCrl, Refusal::issuer_not_entitled, other.crl({}));
}

TEST_F(EvidenceRefusals, ACaWhoseCertificateIsOverIsNotEntitled) {
  const auto ended = issue(root, root,
                           {.subject = "Root",
                            .extensions = ca_extensions(),
                            .not_after = pki::utc_time("261101000000Z")});
  ASSERT_TRUE(world.trust({ended}));
  expect_refused(kCrl, Refusal::issuer_not_entitled, root.crl({}));
  const AnswerWanted wanted{.serial = 7};
  expect_refused(kOcsp, Refusal::issuer_not_entitled, answer_of(*signer, *ended, wanted), kOcspUrl,
                 question_of(*ended, wanted));
}

TEST_F(EvidenceRefusals, AGenuineCrlFromWhichAbsenceProvesNothingIsHandedOnAsNoEvidence) {
  const auto with_extension = [&](const std::string& extension) {
    return crl_with([&](pki::CrlText& text) { text.extensions += extension; });
  };
  expect_no_evidence(Refusal::unknown_critical_extension,
                     with_extension(pki::extension("\x2a\x03", "\x05", true)));
  expect_no_evidence(Refusal::indirect_crl,
                     with_extension(pki::issuing_point(pki::der(0x84, {"\xff"}))));
  expect_no_evidence(Refusal::only_some_reasons,
                     with_extension(pki::issuing_point(pki::der(0x83, {"\x06\x40"}))));
  expect_no_evidence(Refusal::no_next_update,
                     crl_with([](pki::CrlText& text) { text.next_update.clear(); }));
}

TEST_F(EvidenceRefusals, EvidenceOfTomorrowIsRefusedAndSetsNoFloor) {
  expect_refused(kCrl, Refusal::not_yet_valid, crl_of(root, {.number = 9, .made_hours_ago = -1}));
  const AnswerWanted wanted{.serial = 7, .made_hours_ago = -1};
  expect_refused(kOcsp, Refusal::not_yet_valid, answer_of(*signer, *root.certificate(), wanted),
                 kOcspUrl, question_of(*root.certificate(), wanted));
  EXPECT_EQ(world.crl(root, {.number = 5}), "verified");
}

TEST_F(EvidenceRefusals, EvidenceThatIsOverIsRefused) {
  expect_refused(kCrl, Refusal::expired, crl_of(root, {.made_hours_ago = 24, .valid_hours = 24}));
  const AnswerWanted wanted{.serial = 7, .made_hours_ago = 24, .valid_hours = 24};
  expect_refused(kOcsp, Refusal::expired, answer_of(*signer, *root.certificate(), wanted), kOcspUrl,
                 question_of(*root.certificate(), wanted));
}

TEST_F(EvidenceRefusals, WhatIsOlderThanTheNewestSeenIsRolledBack) {
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 5}), "verified");
  expect_refused(kCrl, Refusal::rolled_back, crl_of(root, {.number = 7, .made_hours_ago = 6}));
  expect_refused(kCrl, Refusal::rolled_back, crl_of(root, {.number = 5, .made_hours_ago = 4}));
  const auto& ca = *root.certificate();
  EXPECT_EQ(world.answer(*signer, ca, {.serial = 7, .made_hours_ago = 1}), "verified");
  const AnswerWanted older{.serial = 7, .made_hours_ago = 2};
  expect_refused(kOcsp, Refusal::rolled_back, answer_of(*signer, ca, older), kOcspUrl,
                 question_of(ca, older));
}

TEST_F(EvidenceRefusals, ADeltaCrlWhoseBaseIsNotHeldIsNotUsedAndSaysSo) {
  constexpr std::string_view kDeltaUrl = "http://cdp.example/root+.crl";
  constexpr auto kDelta = ObjectKind::delta_crl;
  const auto give_delta = [&](const std::string& body) {
    const auto before = world.refused(kDelta, Refusal::base_mismatch);
    EXPECT_EQ(world.verdict(kDelta, body, kDeltaUrl), "verified");
    return world.refused(kDelta, Refusal::base_mismatch) - before;
  };
  const auto held = [&]() -> const HeldCrl& { return world.published->issuers()[0].crls.at(0); };
  // Without any complete CRL there is nothing that it could misfit.
  EXPECT_EQ(give_delta(crl_of(root, {.number = 3, .base = 2, .made_hours_ago = 30})), 0U);
  EXPECT_EQ(world.crl(root, {.number = 5}), "verified");

  const std::string ahead = crl_of(
      root, {.number = 7,
             .base = 6,
             .made_hours_ago = 3,
             .entries = {{.serial = 7, .reason = pki::CrlReason::remove_from_crl}, {.serial = 9}}});
  EXPECT_EQ(give_delta(ahead), 1U) << "starts from a complete CRL that is not there";
  EXPECT_EQ(held().delta, nullptr);
  ASSERT_NE(held().waiting_delta, nullptr);
  EXPECT_EQ(pki::may_combine(*held().complete, *held().waiting_delta)->reason,
            Refusal::base_mismatch);
  EXPECT_EQ(world.status(*root.certificate(), 9), "seen keyCompromise");
  EXPECT_EQ(give_delta(ahead), 1U) << "again";

  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 4}), "verified");
  ASSERT_NE(held().delta, nullptr);
  EXPECT_EQ(held().waiting_delta, nullptr);
  EXPECT_EQ(give_delta(ahead), 0U) << "fits now";
}

TEST_F(EvidenceRefusals, ADeltaCrlThatIsNoNewerThanTheCompleteOneIsNotUsedAndSaysSo) {
  EXPECT_EQ(world.crl(root, {.number = 6, .made_hours_ago = 2}), "verified");
  for (const int number : {5, 6}) {
    expect_misfit_of({.number = number, .base = 4, .made_hours_ago = 9 - number});
    const HeldCrl& held = world.published->issuers()[0].crls.at(0);
    EXPECT_EQ(held.delta, nullptr) << number;
    EXPECT_EQ(held.waiting_delta, nullptr) << "it waits for nothing: " << number;
  }
}

TEST_F(EvidenceRefusals, ACompleteCrlThatADeltaCrlIsTooNewForSaysSo) {
  const auto misfits = [&] { return world.refused(ObjectKind::delta_crl, Refusal::base_mismatch); };
  EXPECT_EQ(world.crl(root, {.number = 7, .base = 6, .made_hours_ago = 3}), "verified");
  EXPECT_EQ(misfits(), 0U);
  EXPECT_EQ(world.crl(root, {.number = 5, .made_hours_ago = 5}), "verified");
  EXPECT_EQ(misfits(), 1U);
  EXPECT_EQ(world.crl(root, {.number = 8, .made_hours_ago = 1}), "verified");
  EXPECT_EQ(misfits(), 1U) << "a complete CRL that is newer than the delta misses nothing";
  EXPECT_EQ(world.published->issuers()[0].crls.at(0).waiting_delta, nullptr);
}

TEST_F(EvidenceRefusals, AResponderOfSomebodyElseIsNotAuthorized) {
  const auto other = make_ca("Somebody");
  const AnswerWanted wanted{.serial = 7};
  expect_refused(kOcsp, Refusal::responder_not_authorized,
                 answer_of(*ocsp_signer(other), *root.certificate(), wanted), kOcspUrl,
                 question_of(*root.certificate(), wanted));
}

TEST_F(EvidenceRefusals, ARevokedResponderIsNotAuthorized) {
  const auto holder = make_ca("Responder");
  const auto delegated =
      issue(root, holder,
            {.subject = "Responder",
             .serial = 66,
             .extensions = pki::extension(
                 pki::id_ce(37),
                 pki::der(0x30, {pki::der(0x06, {"\x2b\x06\x01\x05\x05\x07\x03\x09"})}))});
  const auto responder = ocsp_signer(holder, delegated);
  const auto& ca = *root.certificate();
  EXPECT_EQ(world.answer(*responder, ca, {.serial = 7, .made_hours_ago = 3}), "verified");
  EXPECT_EQ(world.crl(root, {.entries = {{.serial = 66}}}), "verified");
  const AnswerWanted wanted{.serial = 7, .made_hours_ago = 2};
  expect_refused(kOcsp, Refusal::responder_not_authorized, answer_of(*responder, ca, wanted),
                 kOcspUrl, question_of(ca, wanted));
}

TEST_F(EvidenceRefusals, AnAnswerToAnotherQuestionIsRefused) {
  const auto& ca = *root.certificate();
  expect_refused(kOcsp, Refusal::cert_id_mismatch, answer_of(*signer, ca, {.serial = 8}), kOcspUrl,
                 question_of(ca, {.serial = 7}));
}

TEST_F(EvidenceRefusals, AnErrorStatusIsServedOnceAndNoEvidence) {
  const std::string body(pki::ocsp_error_response(pki::OcspResponseStatus::try_later));
  const auto given = world.give(kOcsp, body, kOcspUrl);
  ASSERT_TRUE(given.has_value());
  EXPECT_TRUE(given->is_failure);
  EXPECT_FALSE(given->storable);
  EXPECT_EQ(world.refused(kOcsp, Refusal::not_successful), 1U);
}

TEST_F(EvidenceRefusals, NothingIsJudgedByAClockThatIsBehind) {
  EXPECT_EQ(world.crl(root, {.made_hours_ago = 0}), "verified");
  world.clock.now -= 6min;
  expect_refused(kCrl, Refusal::clock_behind, crl_of(root, {.number = 9, .made_hours_ago = 1}));
}

TEST_F(EvidenceRefusals, GoodIsRefusedForWhatAnotherSourceRevokes) {
  EXPECT_EQ(world.crl(root, {.entries = {{.serial = 7}}}), "verified");
  const auto& ca = *root.certificate();
  const AnswerWanted wanted{.serial = 7, .made_hours_ago = 1};
  expect_refused(kOcsp, Refusal::contradicts_revocation, answer_of(*signer, ca, wanted), kOcspUrl,
                 question_of(ca, wanted));
  EXPECT_EQ(world.answer(*signer, ca, {.serial = 8, .made_hours_ago = 1}), "verified");
}

}  // namespace
}  // namespace revcache::revocation
