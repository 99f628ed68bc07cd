// A revocation by hand against genuine good answers of the CA's own responder that are cached: no
// client gets one any more, wherever it lies and whatever upstream does.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cache/cache_key.h"
#include "tests/revocation/evidence_world.h"
#include "tests/world/ocsp_by_get.h"
#include "tests/world/world.h"

namespace revcache::sim {
namespace {

using pki::CertIdHash;
using pki::OcspCertStatus;
using revocation::testing::AnswerWanted;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kSerial = 5;
constexpr int kNeighbour = 6;

bool is_hit(const ClientAnswer& answer) {
  return answer.cache_status.find("hit") != std::string::npos;
}

class KillSwitch : public testing::TestWithParam<CertIdHash> {
 protected:
  KillSwitch() {
    world_.scheduler().set_wall(pki::test_now());
    world_.origin().set_body([this](const std::string& path, std::uint64_t) {
      const int serial = path == path_of(kNeighbour) ? kNeighbour : kSerial;
      return revocation::testing::answer_of(*signer_, *root_.certificate(),
                                            wanted(serial, upstream_says_));
    });
  }

  static AnswerWanted wanted(int serial, OcspCertStatus status = OcspCertStatus::good) {
    // Newer than what was said before: else it would be taken for a rollback.
    return {.serial = serial,
            .status = status,
            .made_hours_ago = status == OcspCertStatus::good ? 2 : 1,
            .hash = GetParam()};
  }
  [[nodiscard]] std::string path_of(int serial) const {
    return path_of_question(revocation::testing::question_of(*root_.certificate(), wanted(serial)));
  }
  [[nodiscard]] std::string key_of(int serial) const {
    const std::string octets = revocation::testing::number(serial);
    const auto cert_id = pki::encode_cert_id(GetParam(), *root_.certificate(), as_bytes(octets));
    std::string key;
    cache::make_ocsp_key(key, "http://cdn.test", as_bytes(cert_id), {});
    return key;
  }
  std::string ask(int serial = kSerial) { return word_of(world_.get_now(path_of(serial))); }
  // Until the loop has it, which is what `revcache revoke` waits for.
  void revoke() {
    ASSERT_TRUE(world_.evidence().revoke("root", revocation::testing::number(kSerial),
                                         pki::CrlReason::key_compromise, "",
                                         world_.scheduler().wall()));
    world_.scheduler().run_for(milliseconds(1));
  }
  // In memory and on disk, and a hit.
  void cache_good() {
    ASSERT_EQ(ask(), "good");
    world_.scheduler().run_for(seconds(1));
    const auto again = world_.get_now(path_of(kSerial));
    ASSERT_EQ(word_of(again), "good");
    ASSERT_TRUE(is_hit(again)) << again.cache_status;
    ASSERT_TRUE(world_.disk().contains(key_of(kSerial)));
  }
  void expect_gone() {
    world_.scheduler().run_for(seconds(1));
    EXPECT_EQ(world_.cache().memory.find(key_of(kSerial)), nullptr);
    EXPECT_FALSE(world_.disk().contains(key_of(kSerial)));
  }

  pki::CrlSigner root_ = revocation::testing::make_ca();
  pki::SignerPtr signer_ = revocation::testing::ocsp_signer(root_);
  OcspCertStatus upstream_says_ = OcspCertStatus::good;
  World world_{Seed{1}, {.authority = root_.certificate(), .crl_paths = {}}};
};

TEST_P(KillSwitch, AGoodAnswerInMemoryIsNotGivenAfterTheRevocation) {
  cache_good();
  revoke();
  EXPECT_EQ(ask(), "502") << "upstream still says good: that is refused";
  expect_gone();
  EXPECT_EQ(ask(), "502");
  world_.drain_and_check();
}

TEST_P(KillSwitch, AGoodAnswerOnDiskIsNotGivenAfterTheRevocation) {
  cache_good();
  revoke();
  world_.crash_and_restart();
  world_.scheduler().run_for(seconds(1));
  ASSERT_TRUE(world_.disk().contains(key_of(kSerial)));
  EXPECT_EQ(ask(), "502");
  expect_gone();
}

TEST_P(KillSwitch, WithUpstreamSilentTheGoodAnswerIsNoFallBack) {
  cache_good();
  world_.origin().behaviour().hang_up_probability = 1;
  world_.scheduler().run_for(seconds(120));  // max-age is over: only a failure would excuse it
  EXPECT_EQ(ask(), "good");
  revoke();
  EXPECT_EQ(ask(), "502");
  expect_gone();
}

TEST_P(KillSwitch, AGoodAnswerIsNoFallBackForARequestThatIsWaitingWhenTheRevocationComes) {
  cache_good();
  world_.scheduler().run_for(seconds(120));
  world_.origin().behaviour().delay_min = world_.origin().behaviour().delay_max = seconds(1);
  world_.origin().behaviour().error_probability = 1;
  std::vector<std::string> got;
  world_.get(path_of(kSerial), [&](const ClientAnswer& answer) { got.push_back(word_of(answer)); });
  world_.scheduler().run_for(milliseconds(500));
  ASSERT_TRUE(got.empty());
  revoke();
  world_.scheduler().run_for(seconds(20));
  ASSERT_EQ(got.size(), 1U);
  EXPECT_NE(got.front(), "good");
}

TEST_P(KillSwitch, AValidationUnderWayDoesNotMakeTheGoodAnswerFreshAgain) {
  cache_good();
  world_.scheduler().run_for(seconds(120));
  world_.origin().behaviour().delay_min = world_.origin().behaviour().delay_max = seconds(1);
  std::vector<std::string> got;
  world_.get(path_of(kSerial), [&](const ClientAnswer& answer) { got.push_back(word_of(answer)); });
  world_.scheduler().run_for(milliseconds(500));
  ASSERT_TRUE(got.empty());
  revoke();
  // The 304 says nothing of the new answer: it is fetched whole.
  upstream_says_ = OcspCertStatus::revoked;
  world_.scheduler().run_for(seconds(20));
  EXPECT_EQ(world_.origin().not_modified(), 1U);
  EXPECT_EQ(got, std::vector<std::string>{"revoked"});
}

TEST_P(KillSwitch, NobodyWhoWaitsForAFetchGetsGoodOnceTheRevocationIsThere) {
  world_.origin().behaviour().delay_min = world_.origin().behaviour().delay_max = seconds(1);
  std::vector<std::string> got;
  for (int i = 0; i < 20; ++i) {
    world_.get(path_of(kSerial),
               [&](const ClientAnswer& answer) { got.push_back(word_of(answer)); });
  }
  world_.scheduler().run_for(milliseconds(500));
  ASSERT_TRUE(got.empty());
  revoke();
  world_.scheduler().run_for(seconds(20));
  EXPECT_EQ(got, std::vector<std::string>(20, "502"));
  world_.drain_and_check();
}

TEST_P(KillSwitch, WhatUpstreamSaysThenIsGivenAndKept) {
  cache_good();
  revoke();
  upstream_says_ = OcspCertStatus::revoked;
  EXPECT_EQ(ask(), "revoked");
  const auto requests = world_.origin().requests();
  const auto again = world_.get_now(path_of(kSerial));
  EXPECT_EQ(word_of(again), "revoked");
  EXPECT_TRUE(is_hit(again)) << again.cache_status;
  EXPECT_EQ(world_.origin().requests(), requests);
}

TEST_P(KillSwitch, AnswersAboutOthersStayHits) {
  cache_good();
  ASSERT_EQ(ask(kNeighbour), "good");
  revoke();
  const auto neighbour = world_.get_now(path_of(kNeighbour));
  EXPECT_EQ(word_of(neighbour), "good");
  EXPECT_TRUE(is_hit(neighbour)) << neighbour.cache_status;
}

TEST_P(KillSwitch, OnceTheRevocationIsLiftedUpstreamIsBelievedAgain) {
  cache_good();
  revoke();
  EXPECT_EQ(ask(), "502");
  ASSERT_TRUE(world_.evidence().unrevoke("root", revocation::testing::number(kSerial),
                                         world_.scheduler().wall()));
  world_.scheduler().run_for(seconds(60));  // a refusal is remembered for seconds
  EXPECT_EQ(ask(), "good");
}

INSTANTIATE_TEST_SUITE_P(Hashes, KillSwitch, testing::Values(CertIdHash::sha1, CertIdHash::sha256),
                         [](const auto& hash) {
                           return hash.param == CertIdHash::sha1 ? "Sha1" : "Sha256";
                         });

}  // namespace
}  // namespace revcache::sim
