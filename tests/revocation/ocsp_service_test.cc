// The responder: what is said, when it is signed, and what may never be said.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "http/message.h"
#include "revocation/ocsp_signature.h"
#include "tests/revocation/ocsp_world.h"

namespace revcache::revocation::testing {
namespace {

using http::FieldId;

class OcspServiceTest : public OcspWorld {};

TEST_F(OcspServiceTest, WhatTheCrlDoesNotListIsGoodUntilTheValidityEnds) {
  give_crl({.made_hours_ago = 24});
  const auto told = ask_about(7);
  ASSERT_EQ(told.word, "good");
  EXPECT_FALSE(told.at_once);
  const auto& answer = told.response->responses.front();
  EXPECT_EQ(answer.this_update, hours_ago(24)) << "the evidence's own";
  EXPECT_EQ(answer.next_update, std::chrono::floor<std::chrono::seconds>(scheduler_.wall()) + 1h);
  EXPECT_TRUE(
      pki::verify_ocsp_response(told.response, *ca_.certificate(), {}, scheduler_.wall(), {}));
}

TEST_F(OcspServiceTest, NoAnswerOutlivesItsEvidenceNorItsSigner) {
  give_crl({.made_hours_ago = 10, .valid_hours = 11});
  set_policy({.validity = 24h});
  EXPECT_EQ(ask_about(7).response->responses.front().next_update, hours_ago(-1));
  signer_not_after_ = hours_ago(0) + 20min;
  set_policy({.validity = 24h});
  EXPECT_EQ(ask_about(8).response->responses.front().next_update, signer_not_after_);
  advance(20min);
  EXPECT_EQ(ask_about(8).word, "tryLater") << "the signer has ended";
}

TEST_F(OcspServiceTest, TheSecondQuestionMeetsAReadyAnswerOnEveryLoop) {
  give_crl({});
  const auto first = ask_about(7);
  const auto second = ask_about(7);
  const auto other_loop = ask_about(7, 1);
  EXPECT_TRUE(second.at_once);
  EXPECT_TRUE(other_loop.at_once);
  EXPECT_EQ(first.http->body.text(), second.http->body.text());
  EXPECT_EQ(first.http->body.text(), other_loop.http->body.text());
  EXPECT_EQ(signed_answers(), 1U);
}

TEST_F(OcspServiceTest, EqualQuestionsOfAllLoopsShareOneSignature) {
  give_crl({});
  const auto der = request_of(*ca_.certificate(), {});
  std::vector<std::shared_ptr<Told>> told;
  for (std::size_t i = 0; i < 10; ++i) {
    told.push_back(std::make_shared<Told>());
    ask(der, told.back(), i % 2);
  }
  scheduler_.run_until_idle();
  for (const auto& one : told) EXPECT_EQ(one->word, "good");
  EXPECT_EQ(signed_answers(), 1U);
}

TEST_F(OcspServiceTest, ARevocationByHandIsAnsweredAtTheNextQuestion) {
  give_crl({});
  EXPECT_EQ(ask_about(7).word, "good");
  EXPECT_EQ(ask_about(7, 1).word, "good");
  revoke(7);
  for (const std::size_t loop : {0U, 1U}) {
    const auto told = ask_about(7, loop);
    EXPECT_EQ(told.word, "revoked");
    EXPECT_EQ(told.response->responses.front().reason, pki::CrlReason::key_compromise);
  }
  EXPECT_EQ(ask_about(8).word, "good");
}

TEST_F(OcspServiceTest, WhatIsRevokedWhileTheKeySignsIsNotCalledGood) {
  give_crl({});
  auto told = std::make_shared<Told>();
  auto waiter = std::make_shared<Told>();
  const auto der = request_of(*ca_.certificate(), {});
  ask(der, told);
  ask(der, waiter, 1);
  revoke(7);
  scheduler_.run_until_idle();
  EXPECT_EQ(told->word, "revoked");
  EXPECT_EQ(waiter->word, "revoked");
}

TEST_F(OcspServiceTest, WhatEndsWhileTheKeySignsIsNotAnswered) {
  give_crl({.made_hours_ago = 10, .valid_hours = 11});
  advance(1h - 1s);
  auto& profile = loops_[0]->background.profile(net::WorkKind::sign);
  profile.delay_min = profile.delay_max = 2s;
  EXPECT_EQ(ask_about(7).word, "tryLater");
}

TEST_F(OcspServiceTest, ANewerCrlIsWhatTheNextAnswerSpeaksOf) {
  give_crl({.number = 5, .made_hours_ago = 24});
  EXPECT_EQ(ask_about(7).word, "good");
  give_crl({.number = 6, .made_hours_ago = 2});
  EXPECT_EQ(ask_about(7).response->responses.front().this_update, hours_ago(2));
  give_crl({.number = 7, .made_hours_ago = 1, .entries = {{.serial = 7}}});
  EXPECT_EQ(ask_about(7).word, "revoked");
}

TEST_F(OcspServiceTest, WithoutEvidenceTheAnswerIsThePolicys) {
  EXPECT_EQ(ask_about(7).word, "tryLater");
  set_policy({.without_evidence = WithoutEvidence::unknown});
  EXPECT_EQ(ask_about(7).word, "unknown");
  give_crl({.made_hours_ago = 10, .valid_hours = 11});
  set_policy({});
  EXPECT_EQ(ask_about(7).word, "good");
  advance(1h);
  EXPECT_EQ(ask_about(7).word, "tryLater") << "expired evidence is no evidence";
}

TEST_F(OcspServiceTest, WhoeverIsUnknownIsUnauthorized) {
  give_crl({});
  const auto stranger = make_ca("Stranger");
  EXPECT_EQ(ask_now(request_of(*stranger.certificate(), {})).word, "unauthorized");
  const auto der = request_of(*ca_.certificate(), {});
  EXPECT_EQ(ask_now(der, 0, "ca1").word, "unauthorized");
  EXPECT_EQ(ask_now(der, 0, "ca0").word, "good");
}

TEST_F(OcspServiceTest, EveryHashOfACertIdIsAnsweredWithTheSameOctets) {
  give_crl({});
  for (const auto hash : {pki::CertIdHash::sha1, pki::CertIdHash::sha256, pki::CertIdHash::sha384,
                          pki::CertIdHash::sha512}) {
    const auto told = ask_now(request_of(*ca_.certificate(), {.hash = hash}));
    ASSERT_EQ(told.word, "good");
    EXPECT_EQ(as_text(told.response->responses.front().cert_id.der),
              pki::encode_cert_id(hash, *ca_.certificate(), as_bytes(number(7))));
  }
}

TEST_F(OcspServiceTest, AClockThatIsBehindAnswersNothing) {
  give_crl({});
  EXPECT_EQ(ask_about(7).word, "good");
  ASSERT_TRUE(guard_.saw(scheduler_.wall() + 10min));
  EXPECT_EQ(ask_about(7).word, "tryLater") << "not even what is ready";
}

TEST_F(OcspServiceTest, AnUnreadableStateAnswersNothing) {
  give_crl({});
  shared_.state_unreadable = true;
  EXPECT_EQ(ask_about(7).word, "tryLater");
}

// What cannot be made durable is not confirmed; what is known goes on being said until it ends.
TEST_F(OcspServiceTest, AFullDiskTakesNoRevocationAndNoNewCrlAndTheAnswersStand) {
  give_crl({.number = 5, .made_hours_ago = 10, .valid_hours = 12});
  EXPECT_EQ(ask_about(7).word, "good");
  evidence_.hooked.on_call = [](std::string_view) { return false; };
  EXPECT_FALSE(evidence_.evidence().revoke("ca0", number(7), pki::CrlReason::key_compromise, "",
                                           evidence_.clock.now));
  EXPECT_NE(evidence_.crl(ca_, {.number = 6, .made_hours_ago = 1}), "verified");
  publish();
  EXPECT_TRUE(ask_about(7).at_once);
  EXPECT_EQ(ask_about(8).word, "good") << "also one that the journal cannot keep";
  EXPECT_EQ(journal_.not_kept(), 1U);
  advance(2h);
  EXPECT_EQ(ask_about(7).word, "tryLater") << "and not a second longer than the old CRL";
}

TEST_F(OcspServiceTest, ASignerThatMayNotSignAnswersNothing) {
  give_crl({});
  EXPECT_EQ(ask_about(7).word, "good");
  set_policy({}, false);
  EXPECT_EQ(ask_about(7).word, "tryLater");
}

TEST_F(OcspServiceTest, ANonceIsEchoedInASignatureOfItsOwn) {
  give_crl({});
  const auto plain = ask_about(7);
  const auto told = ask_now(request_of(*ca_.certificate(), {.nonce = "0123456789abcdef"}));
  ASSERT_EQ(told.word, "good");
  ASSERT_TRUE(told.response->nonce);
  EXPECT_EQ(as_text(*told.response->nonce), "0123456789abcdef");
  EXPECT_EQ(told.http->fields.find(FieldId::cache_control), "no-store");
  EXPECT_FALSE(told.http->fields.has(FieldId::etag));
  EXPECT_TRUE(ask_about(7).at_once);
  EXPECT_EQ(ask_about(7).http->body.text(), plain.http->body.text());
}

TEST_F(OcspServiceTest, BeyondTheBudgetANonceGetsTheReadyAnswer) {
  give_crl({});
  budget_.set_rate(0);
  const auto told = ask_now(request_of(*ca_.certificate(), {.nonce = "0123456789abcdef"}));
  EXPECT_EQ(told.word, "good");
  EXPECT_FALSE(told.response->nonce);
  EXPECT_EQ(ask_now(request_of(*ca_.certificate(), {.serials = {7, 8}})).word, "tryLater");
}

TEST_F(OcspServiceTest, ANonceOfAnotherLengthThanTheStandardAllowsIsMalformed) {
  give_crl({});
  EXPECT_EQ(ask_now(request_of(*ca_.certificate(), {.nonce = std::string(128, 'n')})).word, "good");
  EXPECT_EQ(ask_now(request_of(*ca_.certificate(), {.nonce = std::string(129, 'n')})).word,
            "malformedRequest");
}

TEST_F(OcspServiceTest, SeveralQuestionsGetOneResponseInTheirOrder) {
  give_crl({.entries = {{.serial = 9}}});
  const auto told = ask_now(request_of(*ca_.certificate(), {.serials = {7, 9, 8}}));
  ASSERT_NE(told.response, nullptr);
  ASSERT_EQ(told.response->responses.size(), 3U);
  EXPECT_EQ(told.response->responses[0].status, pki::OcspCertStatus::good);
  EXPECT_EQ(told.response->responses[1].status, pki::OcspCertStatus::revoked);
  EXPECT_EQ(told.response->responses[2].status, pki::OcspCertStatus::good);
}

TEST_F(OcspServiceTest, OneOfSeveralThatIsRevokedMeanwhileIsRevokedInTheResponse) {
  give_crl({});
  auto told = std::make_shared<Told>();
  ask(request_of(*ca_.certificate(), {.serials = {7, 8}}), told);
  revoke(8);
  scheduler_.run_until_idle();
  ASSERT_NE(told->response, nullptr);
  EXPECT_EQ(told->response->responses[1].status, pki::OcspCertStatus::revoked);
}

TEST_F(OcspServiceTest, WhatIsNoRequestIsMalformed) {
  give_crl({});
  const auto whole = request_of(*ca_.certificate(), {});
  for (const auto& der :
       {std::string(), std::string("x"), whole.substr(0, whole.size() - 1), whole + "x",
        request_of(*ca_.certificate(), {.critical_extension = true})}) {
    EXPECT_EQ(ask_now(der).word, "malformedRequest");
  }
}

TEST_F(OcspServiceTest, PastTheQueueTheAnswerIsTryLaterAndNothingWaits) {
  give_crl({});
  loops_[0]->background.profile(net::WorkKind::sign).queue_max = 2;
  std::vector<std::shared_ptr<Told>> told;
  for (int serial = 10; serial < 20; ++serial) {
    told.push_back(std::make_shared<Told>());
    ask(request_of(*ca_.certificate(), {.serials = {serial}}), told.back());
  }
  scheduler_.run_until_idle();
  std::size_t later = 0;
  for (const auto& one : told) later += one->word == "tryLater" ? 1U : 0U;
  EXPECT_EQ(later, 8U);
  EXPECT_EQ(signatures_.flights(), 0U);
  EXPECT_EQ(ask_about(19).word, "good") << "and nothing of it stays";
}

// RFC 6960 2.3. Whoever waits for a signature hears why there is none.
TEST_F(OcspServiceTest, AKeyThatDoesNotSignIsAnInternalErrorAndOverloadIsNot) {
  give_crl({});
  const auto der = request_of(*ca_.certificate(), {});
  for (const auto& [code, word] : {std::pair{ErrorCode::unreachable, "internalError"},
                                   std::pair{ErrorCode::overloaded, "tryLater"}}) {
    auto& loop = *loops_[0];
    auto now = loop.service.answer({.der = as_bytes(der), .authority = {}, .client = client_});
    ASSERT_TRUE(std::holds_alternative<OcspSignaturePtr>(now));
    auto signature = std::get<OcspSignaturePtr>(std::move(now));
    const std::string key = signature->key();
    ASSERT_EQ(signatures_.join(key, loop.executor, [](const auto&) {}),
              cache::Coalescer::Role::leader);
    auto told = std::make_shared<Told>();
    loop.service.sign(std::move(signature),
                      [told](const OcspResult& result) { *told = told_of(result, false); });
    signatures_.finish(key, {.kind = cache::FlightOutcome::Kind::failed,
                             .error = Error{code, Blame::local, "no"}});
    scheduler_.run_until_idle();
    EXPECT_EQ(told->word, word);
  }
  EXPECT_EQ(ask_about(7).word, "good") << "and nothing of it stays";
}

TEST_F(OcspServiceTest, AClockADayAheadMakesTheEvidenceOldAndNothingElse) {
  give_crl({.made_hours_ago = 24, .valid_hours = 36});
  EXPECT_EQ(ask_about(7).word, "good");
  scheduler_.step_wall(24h);
  EXPECT_EQ(ask_about(7).word, "tryLater");
  scheduler_.step_wall(-24h);
  EXPECT_EQ(ask_about(7).word, "good");
}

TEST_F(OcspServiceTest, WhatIsAskedForIsReadyAgainBeforeItLapses) {
  give_crl({});
  const auto first = ask_about(7);
  for (int minute = 0; minute < 180; ++minute) {
    advance(1min);
    for (auto& loop : loops_) loop->service.renew();
    scheduler_.run_until_idle();
    if (minute % 59 != 58) continue;
    const auto told = ask_about(7);
    EXPECT_EQ(told.word, "good");
    EXPECT_TRUE(told.at_once) << minute;
  }
  EXPECT_LE(signed_answers(), 5U) << "an hour's answer is renewed after three quarters of it";
  EXPECT_NE(ask_about(7).http->body.text(), first.http->body.text());
}

TEST_F(OcspServiceTest, AfterNewEvidenceTheAnswersAreReadyBeforeTheyAreAskedFor) {
  give_crl({.number = 5});
  EXPECT_EQ(ask_about(7).word, "good");
  EXPECT_EQ(ask_about(8).word, "good");
  give_crl({.number = 6, .made_hours_ago = 1, .entries = {{.serial = 8}}});
  loops_[0]->service.renew();
  scheduler_.run_until_idle();
  const auto seven = ask_about(7);
  EXPECT_TRUE(seven.at_once);
  EXPECT_EQ(seven.response->responses.front().this_update, hours_ago(1));
  const auto eight = ask_about(8);
  EXPECT_TRUE(eight.at_once);
  EXPECT_EQ(eight.word, "revoked");
}

TEST_F(OcspServiceTest, WhatNobodyAsksForADayIsLeftToLapse) {
  give_crl({});
  ask_about(7);
  for (int hour = 0; hour < 26; ++hour) {
    for (int quarter = 0; quarter < 4; ++quarter) {
      advance(15min);
      loops_[0]->service.renew();
      scheduler_.run_until_idle();
    }
  }
  const auto before = signed_answers();
  advance(3h);
  loops_[0]->service.renew();
  scheduler_.run_until_idle();
  EXPECT_EQ(signed_answers(), before);
  EXPECT_GT(before, 20U);
}

TEST_F(OcspServiceTest, HttpSaysWhatTheAnswerSays) {
  give_crl({});
  const auto told = ask_about(7);
  const auto& fields = told.http->fields;
  EXPECT_EQ(fields.find(FieldId::content_type), "application/ocsp-response");
  EXPECT_EQ(fields.find(FieldId::cache_control),
            "max-age=3600, public, no-transform, must-revalidate");
  EXPECT_EQ(told.http->last_modified, told.response->produced_at);
  EXPECT_EQ(*told.http->freshness.usable_until, *told.response->responses.front().next_update);
  EXPECT_EQ(told.http->etag.front(), '"') << "strong";
  const auto other = ask_about(8);
  EXPECT_NE(told.http->etag, other.http->etag);
}

TEST_F(OcspServiceTest, AnotherValidityIsAnotherAnswer) {
  give_crl({});
  ask_about(7);
  set_policy({.validity = 10min});
  const auto told = ask_about(7);
  EXPECT_FALSE(told.at_once);
  EXPECT_EQ(told.response->responses.front().next_update,
            std::chrono::floor<std::chrono::seconds>(scheduler_.wall()) + 10min);
}

TEST_F(OcspServiceTest, OnlyTheHostsOfTheAuthorityThatIsAskedAboutAreOurs) {
  give_crl({});
  const auto our_request = request_of(*ca_.certificate(), {});
  const auto stranger_request = request_of(*make_ca("Stranger").certificate(), {});
  const auto ours = pki::parse_ocsp_question(as_bytes(our_request));
  const auto stranger = pki::parse_ocsp_question(as_bytes(stranger_request));
  ASSERT_TRUE(ours && stranger);
  const auto& service = loops_[0]->service;
  EXPECT_TRUE(service.is_ours(*ours, "ocsp.ca.test", 80));
  EXPECT_FALSE(service.is_ours(*ours, "ocsp.ca.test", 8080));
  EXPECT_FALSE(service.is_ours(*ours, "other.test", 80));
  EXPECT_FALSE(service.is_ours(*stranger, "ocsp.ca.test", 80));
}

TEST_F(OcspServiceTest, WhoAsksForEverySerialPushesOutTheOldestOnly) {
  loops_[0] = std::make_unique<Loop>(*this, 2);
  set_policy({});
  give_crl({});
  for (const int serial : {7, 8, 9}) ask_about(serial);
  EXPECT_EQ(loops_[0]->metrics.ready_answers.value(), 2);
  EXPECT_TRUE(ask_about(7).at_once) << "the memory tier has it still";
}

}  // namespace
}  // namespace revcache::revocation::testing
