#include "revocation/admission.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "tests/revocation/evidence_world.h"
#include "tests/sim/sim_loop.h"

namespace revcache::revocation {
namespace {

using namespace testing;

class AdmissionOnALoop : public ::testing::Test {
 protected:
  AdmissionOnALoop() { EXPECT_TRUE(world.trust({root.certificate()})); }

  // At once, else not before admit() has returned.
  std::string admit(cache::AdmissionRequest request) {
    std::optional<std::string> told;
    std::size_t times = 0;
    Admission admission(world.evidence(), background, executor, known, clock);
    if (const auto now = admission.admit_now(request)) return EvidenceWorld::word_for(*now);
    admission.admit(std::move(request), [&](Result<cache::Admitted> given) {
      ++times;
      if (!given && given.error().code == ErrorCode::overloaded) {
        told = "overloaded";
      } else {
        told = EvidenceWorld::word_for(given);
      }
    });
    EXPECT_FALSE(told.has_value());
    went_off_loop = background.in_flight(net::WorkKind::parse) > 0;
    scheduler.run_until_idle();
    EXPECT_EQ(times, 1U);
    return told.value_or("nothing");
  }

  EvidenceWorld world;
  pki::CrlSigner root = make_ca();
  sim::SimScheduler scheduler{1};
  sim::SimExecutor executor{scheduler};
  sim::SimBackgroundWork background{scheduler};
  LoopSnapshot known{background};
  StillClock clock;
  bool went_off_loop = false;
};

TEST_F(AdmissionOnALoop, WhatASignatureProvesIsJudgedOffTheLoop) {
  EXPECT_EQ(admit(world.request(ObjectKind::crl, crl_of(root, {}))), "verified");
  EXPECT_TRUE(went_off_loop);
}

TEST_F(AdmissionOnALoop, WhatCanBeToldAtOnceIsToldWithinTheCall) {
  const auto other = make_ca("Somebody");
  Admission admission(world.evidence(), background, executor, known, clock);
  const auto told_now = [&](std::string body) {
    const auto told = admission.admit_now(world.request(ObjectKind::crl, std::move(body)));
    return told ? EvidenceWorld::word_for(*told) : "later";
  };
  EXPECT_EQ(told_now("<html>"), "malformed");
  EXPECT_EQ(told_now(crl_of(other, {.issuer = "Somebody"})), "unverified");
  EXPECT_EQ(told_now(crl_of(root, {})), "later");
}

TEST_F(AdmissionOnALoop, WithAFullQueueTheAnswerIsOverloaded) {
  background.profile(net::WorkKind::parse).queue_max = 0;
  EXPECT_EQ(admit(world.request(ObjectKind::crl, crl_of(root, {}))), "overloaded");
}

TEST_F(AdmissionOnALoop, AContentTypeMakesTheKindDefiniteButNeverWeaker) {
  Admission admission(world.evidence(), background, executor, known, clock);
  http::ResponseHead head;
  head.status = 200;
  head.fields.add("Content-Type", "application/pkix-crl");
  EXPECT_EQ(admission.kind_of_response(ObjectKind::other, head), ObjectKind::crl);
  EXPECT_EQ(admission.kind_of_response(ObjectKind::delta_crl, head), ObjectKind::delta_crl);
  head.status = 404;
  EXPECT_EQ(admission.kind_of_response(ObjectKind::other, head), ObjectKind::other);
}

}  // namespace
}  // namespace revcache::revocation
