// Clients that demand an answer of the origin (a forced refresh) while it is silent.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <ranges>
#include <string>

#include "cache/silent_origins.h"
#include "pki/asn1_time.h"
#include "tests/pki/crl_factory.h"
#include "tests/world/world.h"

namespace revcache::sim {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kPath = "/current.crl";
const std::string kForced = "Cache-Control: no-cache\r\n";
constexpr seconds kAttemptTimeout{4};  // upstream.attempt_timeout
constexpr seconds kBetweenProbes{3};   // of a timeout
constexpr milliseconds kAtOnce{100};   // in virtual time: the network's delays
constexpr auto kValidity = days(7);

class SilentOrigin : public testing::Test {
 protected:
  SilentOrigin()
      : signer_({.kind = pki::CrlKeyKind::ec, .common_name = "Root", .extensions = {}}),
        world_(Seed{11}, {.authority = signer_.certificate(), .crl_paths = {}}) {
    world_.scheduler().set_wall(pki::test_now());
    world_.origin().set_body([this](const std::string&, std::uint64_t version) {
      return bodies_.try_emplace(version, make_crl(version)).first->second;
    });
    fetched_ = world_.get_now(kPath);
  }
  ~SilentOrigin() override { world_.drain_and_check(); }

  std::string make_crl(std::uint64_t version) {
    const auto made = std::chrono::floor<seconds>(world_.scheduler().wall());
    pki::CrlText text;
    text.this_update = pki::generalized_time_element(pki::generalized_time(made));
    text.next_update = pki::generalized_time_element(pki::generalized_time(made + kValidity));
    const std::string number{'\x01', static_cast<char>(version)};
    text.extensions = pki::extension(pki::id_ce(20), pki::integer(number));
    return signer_.crl(text);
  }

  ClientAnswer ask(const std::string& fields) {
    const auto before = world_.scheduler().elapsed();
    auto answer = world_.get_now(kPath, fields);
    took_ = world_.scheduler().elapsed() - before;
    return answer;
  }
  void expect_copy_at_once(const std::string& fields = kForced) {
    const auto answer = ask(fields);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, fetched_.body);
    EXPECT_LT(took_, kAtOnce);
    EXPECT_TRUE(answer.cache_status.starts_with("revcache; hit;")) << answer.cache_status;
    EXPECT_NE(answer.cache_status.find("stale-if-error"), std::string::npos) << answer.cache_status;
  }

  pki::CrlSigner signer_;
  std::map<std::uint64_t, std::string> bodies_;
  World world_;
  ClientAnswer fetched_;
  std::chrono::nanoseconds took_{0};
};

TEST_F(SilentOrigin, TheFirstWaitsAndThoseAfterItGetTheCopyAtOnce) {
  world_.silence_origin();
  const auto first = ask(kForced);
  EXPECT_EQ(first.body, fetched_.body);
  EXPECT_GE(took_, kAttemptTimeout);
  EXPECT_NE(first.cache_status.find("fwd=request"), std::string::npos) << first.cache_status;
  expect_copy_at_once();
  expect_copy_at_once("Cache-Control: max-age = 0\r\n");
  expect_copy_at_once("Pragma: no-cache\r\n");
}

TEST_F(SilentOrigin, ItsReturnIsNoticedByAProbeThatNobodyWaitsFor) {
  world_.silence_origin();
  ask(kForced);
  for (int i = 0; i < 20; ++i) {
    world_.scheduler().run_for(seconds(2));
    expect_copy_at_once();
  }
  world_.bring_origin_back();
  world_.origin().publish(kPath);
  // The probe under way has to fail first.
  world_.scheduler().run_for(kAttemptTimeout + kBetweenProbes);
  ask(kForced);
  world_.scheduler().run_for(seconds(1));
  const auto answer = ask(kForced);
  EXPECT_EQ(answer.body, bodies_.at(1));
  EXPECT_NE(answer.cache_status.find("fwd=request; fwd-status=304"), std::string::npos)
      << answer.cache_status;
}

TEST_F(SilentOrigin, ClientsThatDemandAnAnswerCauseOneProbeInATime) {
  world_.silence_origin();
  ask(kForced);
  for (int round = 0; round < 3; ++round) {
    world_.scheduler().run_for(kAttemptTimeout + kBetweenProbes);
    const auto before = world_.network().attempts().size();
    int at_once = 0;
    for (int i = 0; i < 1000; ++i) {
      world_.get(
          kPath,
          [&](const ClientAnswer& answer) { at_once += answer.body == fetched_.body ? 1 : 0; },
          kForced);
    }
    world_.scheduler().run_for(kAtOnce);
    EXPECT_EQ(at_once, 1000);
    EXPECT_EQ(std::ranges::count(world_.network().attempts() | std::views::drop(before),
                                 World::origin_address(), &ConnectAttempt::address),
              1);
  }
}

TEST_F(SilentOrigin, WhatIsLongAgoIsFoundOutAnew) {
  world_.silence_origin();
  ask(kForced);
  world_.bring_origin_back();
  world_.scheduler().run_for(cache::SilentOrigins::kRemembered);
  world_.origin().publish(kPath);
  const auto answer = ask(kForced);
  EXPECT_EQ(answer.body, bodies_.at(1));
}

TEST_F(SilentOrigin, PastItsEndTheCopyIsNoAnswer) {
  world_.silence_origin();
  world_.scheduler().run_for(kValidity);
  EXPECT_NE(ask(kForced).status, 200);
  EXPECT_NE(ask(kForced).status, 200);
}

}  // namespace
}  // namespace revcache::sim
