// Clients that demand a fresh OCSP answer, by a nonce, of a responder that is silent.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/pki/der_text.h"
#include "tests/revocation/evidence_world.h"
#include "tests/world/ocsp_by_get.h"
#include "tests/world/world.h"

namespace revcache::sim {
namespace {

using pki::der;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::string_view_literals;

constexpr seconds kAttemptTimeout{4};  // upstream.attempt_timeout
constexpr seconds kBetweenProbes{3};   // of a timeout
constexpr milliseconds kAtOnce{100};   // in virtual time: the network's delays

class SilentResponder : public testing::Test {
 protected:
  SilentResponder() {
    world_.scheduler().set_wall(pki::test_now());
    world_.origin().set_body([this](const std::string&, std::uint64_t) {
      return revocation::testing::answer_of(*signer_, *root_.certificate(), wanted_);
    });
  }
  ~SilentResponder() override { world_.drain_and_check(); }

  [[nodiscard]] std::string plain_question() const {
    return path_of_question(revocation::testing::question_of(*root_.certificate(), wanted_));
  }
  // RFC 6960 4.4.1.
  [[nodiscard]] std::string question_with_nonce() const {
    const std::string cert_id = pki::encode_cert_id(
        wanted_.hash, *root_.certificate(), as_bytes(revocation::testing::number(wanted_.serial)));
    const std::string list = der(0x30, {der(0x30, {cert_id})});
    constexpr auto kNonce = "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02"sv;
    const std::string nonce = der(0x30, {kNonce, der(0x04, {der(0x04, {"0123456789abcdef"})})});
    return path_of_question(der(0x30, {der(0x30, {list, der(0xa2, {der(0x30, {nonce})})})}));
  }

  ClientAnswer ask(const std::string& path) {
    const auto before = world_.scheduler().elapsed();
    auto answer = world_.get_now(path);
    took_ = world_.scheduler().elapsed() - before;
    return answer;
  }

  pki::CrlSigner root_ = revocation::testing::make_ca();
  pki::SignerPtr signer_ = revocation::testing::ocsp_signer(root_);
  revocation::testing::AnswerWanted wanted_{.serial = 5};
  World world_{Seed{3}, {.authority = root_.certificate(), .crl_paths = {}}};
  std::chrono::nanoseconds took_{0};
};

TEST_F(SilentResponder, TheFirstWithANonceWaitsAndThoseAfterItGetTheStoredAnswerAtOnce) {
  ASSERT_EQ(word_of(ask(plain_question())), "good");
  world_.silence_origin();
  EXPECT_EQ(word_of(ask(question_with_nonce())), "good");
  EXPECT_GE(took_, kAttemptTimeout);
  for (int i = 0; i < 20; ++i) {
    world_.scheduler().run_for(seconds(2));
    const auto answer = ask(question_with_nonce());
    EXPECT_EQ(word_of(answer), "good");
    EXPECT_LT(took_, kAtOnce);
    EXPECT_NE(answer.cache_status.find("stale-if-error"), std::string::npos) << answer.cache_status;
  }
}

TEST_F(SilentResponder, OnceItIsBackItAnswersTheNonceItself) {
  ASSERT_EQ(word_of(ask(plain_question())), "good");
  world_.silence_origin();
  ask(question_with_nonce());
  world_.bring_origin_back();
  world_.scheduler().run_for(kBetweenProbes);
  ask(question_with_nonce());  // by the copy; its probe finds the responder there
  world_.scheduler().run_for(seconds(1));
  const auto requests = world_.origin().requests();
  const auto answer = ask(question_with_nonce());
  EXPECT_EQ(word_of(answer), "good");
  EXPECT_EQ(world_.origin().requests(), requests + 1);
  EXPECT_NE(answer.cache_status.find("fwd=bypass"), std::string::npos) << answer.cache_status;
}

TEST_F(SilentResponder, WithNothingStoredANonceWaitsForTheResponder) {
  world_.silence_origin();
  EXPECT_NE(ask(question_with_nonce()).status, 200);
  world_.bring_origin_back();
  EXPECT_EQ(word_of(ask(question_with_nonce())), "good");
}

}  // namespace
}  // namespace revcache::sim
