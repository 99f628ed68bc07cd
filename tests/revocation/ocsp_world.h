// Two loops that answer OCSP questions, over one Evidence and in virtual time: what a client gets,
// and what had to be signed for it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/coalescer.h"
#include "cache/memory_tier.h"
#include "pki/ocsp_request.h"
#include "pki/ocsp_response.h"
#include "revocation/decision_journal.h"
#include "revocation/ocsp_service.h"
#include "tests/revocation/evidence_world.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::revocation::testing {

struct QuestionWanted {
  std::vector<int> serials{7};
  std::string nonce = {};
  bool critical_extension = false;
  pki::CertIdHash hash = pki::CertIdHash::sha1;
};

// RFC 6960 4.1.1.
inline std::string request_of(const pki::Certificate& issuer, const QuestionWanted& wanted) {
  std::string requests;
  for (const int serial : wanted.serials) {
    requests +=
        pki::der(0x30, {pki::encode_cert_id(wanted.hash, issuer, as_bytes(number(serial)))});
  }
  std::string extensions;
  if (!wanted.nonce.empty()) {
    extensions +=
        pki::extension("\x2b\x06\x01\x05\x05\x07\x30\x01\x02", pki::der(0x04, {wanted.nonce}));
  }
  if (wanted.critical_extension) {
    extensions += pki::extension("\x2a\x03\x04", "\x05\x00", true);
  }
  std::string tbs = pki::der(0x30, {requests});
  if (!extensions.empty()) tbs += pki::der(0xa2, {pki::der(0x30, {extensions})});
  return pki::der(0x30, {pki::der(0x30, {tbs})});
}

// What a client was told.
struct Told {
  std::string word;  // "good", "revoked", "unknown", or the error status: "tryLater"
  bool at_once = false;
  pki::ParsedOcspResponsePtr response;
  cache::StoredResponsePtr http;
};

class OcspWorld : public ::testing::Test {
 protected:
  struct Loop {
    Loop(OcspWorld& world, std::size_t ready_max)
        : background(world.scheduler_),
          executor(world.scheduler_),
          snapshot(background),
          service({.shared = world.shared_,
                   .snapshot = snapshot,
                   .clock = world.scheduler_,
                   .background = background,
                   .executor = executor,
                   .metrics = metrics,
                   .log = world.evidence_.log},
                  {.ready_answers_max = ready_max, .hash_seed = 5}) {}
    sim::SimBackgroundWork background;
    sim::SimExecutor executor;
    metrics::LoopMetrics metrics;
    LoopSnapshot snapshot;
    OcspService service;
  };

  OcspWorld() {
    scheduler_.set_wall(evidence_.clock.now);
    EXPECT_TRUE(guard_.load());
    EXPECT_TRUE(evidence_.trust({ca_.certificate()}, {std::string(kUrl)}));
    for (int i = 0; i < 2; ++i) loops_.push_back(std::make_unique<Loop>(*this, 4096));
    set_policy({});
    publish();
  }

  // The CA's own key signs.
  void set_policy(AnswerPolicy policy, bool may_sign = true) {
    auto table = std::make_shared<ResponderTable>();
    SigningAuthority authority;
    authority.name = "ca0";
    authority.key = pki::key_hash(*ca_.certificate());
    authority.policy = std::move(policy);
    authority.signer_name = "own";
    authority.signer = signer_;
    authority.may_sign = may_sign;
    authority.signer_not_after = signer_not_after_;
    authority.signer_hash = pki::sha256(signer_->certificate()->der.bytes());
    authority.responder_hosts = {"ocsp.ca.test"};
    table->authorities.push_back(std::move(authority));
    for (auto& loop : loops_) loop->service.apply(table);
  }

  // What Publisher does.
  void publish() {
    for (auto& loop : loops_) loop->snapshot.receive(evidence_.published);
  }
  void give_crl(const CrlWanted& wanted) {
    EXPECT_EQ(evidence_.crl(ca_, wanted), "verified");
    publish();
  }
  void revoke(int serial) {
    EXPECT_TRUE(evidence_.evidence().revoke("ca0", number(serial), pki::CrlReason::key_compromise,
                                            "", evidence_.clock.now));
    publish();
  }
  void advance(std::chrono::seconds by) {
    scheduler_.run_for(by);
    evidence_.clock.now = scheduler_.wall();
  }

  // Asks and waits for nothing: `told` is filled when the answer is there.
  void ask(const std::string& der, std::shared_ptr<Told> told, std::size_t loop = 0,
           std::string_view authority = {}) {
    auto& service = loops_[loop]->service;
    auto now = service.answer({.der = as_bytes(der), .authority = authority, .client = client_});
    if (auto* signature = std::get_if<OcspSignaturePtr>(&now)) {
      return service.sign(std::move(*signature),
                          [told](const OcspResult& result) { *told = told_of(result, false); });
    }
    if (const auto* reply = std::get_if<OcspReply>(&now)) {
      *told = told_of(*reply, true);
    } else {
      *told = told_of(std::get<pki::OcspResponseStatus>(now), true);
    }
  }
  Told ask_now(const std::string& der, std::size_t loop = 0, std::string_view authority = {}) {
    auto told = std::make_shared<Told>();
    ask(der, told, loop, authority);
    scheduler_.run_until_idle();
    return *told;
  }
  Told ask_about(int serial, std::size_t loop = 0) {
    return ask_now(request_of(*ca_.certificate(), {.serials = {serial}}), loop);
  }
  std::size_t signed_answers() {
    const auto kept = evidence_.state.decisions(100000);
    return kept ? kept->size() : 0;
  }

  static Told told_of(const OcspResult& result, bool at_once) {
    Told told{.word = {}, .at_once = at_once, .response = nullptr, .http = nullptr};
    if (const auto* status = std::get_if<pki::OcspResponseStatus>(&result)) {
      told.word = pki::to_string(*status);
      return told;
    }
    told.http = std::get<OcspReply>(result).response;
    const auto parsed = pki::parse_ocsp_response(told.http->body);
    EXPECT_TRUE(parsed);
    if (!parsed) return told;
    told.response = *parsed;
    told.word = pki::to_string(told.response->responses.front().status);
    return told;
  }

  sim::SimScheduler scheduler_;
  EvidenceWorld evidence_;
  pki::CrlSigner ca_ = make_ca();
  pki::SignerPtr signer_ = ocsp_signer(ca_);
  WallSeconds signer_not_after_ =
      std::chrono::floor<std::chrono::seconds>(pki::test_now()) + std::chrono::days(300);
  IpAddress client_ = *IpAddress::parse("10.0.0.1");
  ClockGuard guard_{evidence_.state, scheduler_};
  cache::MemoryTier memory_{std::uint64_t{8} << 20U, 3};
  cache::Coalescer signatures_{100, 3};
  NonceBudget budget_{1000};
  DecisionJournal journal_{evidence_.hooked, evidence_.log};
  OcspShared shared_{.memory = memory_,
                     .signatures = signatures_,
                     .nonce_budget = budget_,
                     .clock_guard = guard_,
                     .journal = journal_};
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace revcache::revocation::testing
