#include "cache/silent_origins.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace revcache::cache {
namespace {

using namespace std::chrono_literals;

const std::string kOrigin = "http://cdn.example";
const Error kSilent{ErrorCode::timed_out, Blame::upstream, "no answer"};

class SilentOriginsTest : public ::testing::Test {
 protected:
  // "": nothing is known; "silent"; "probe": silent, and whoever asks is to look.
  std::string ask(const std::string& origin = kOrigin) {
    const auto silence = origins.find(origin, now);
    if (!silence) return "";
    return silence->probe_is_due ? "probe" : "silent";
  }

  SilentOrigins origins;
  MonotonicTime now{1h};
};

TEST_F(SilentOriginsTest, OnlySilenceThatUpstreamIsToBlameForCounts) {
  const struct {
    ErrorCode code;
    Blame blame;
    bool counts;
  } rows[] = {
      {ErrorCode::timed_out, Blame::upstream, true},
      {ErrorCode::unreachable, Blame::upstream, true},
      {ErrorCode::disconnected, Blame::upstream, true},
      {ErrorCode::malformed, Blame::upstream, false},
      {ErrorCode::untrusted, Blame::upstream, false},
      {ErrorCode::refused, Blame::upstream, false},
      {ErrorCode::loop_detected, Blame::upstream, false},
      {ErrorCode::overloaded, Blame::local, false},
      {ErrorCode::disconnected, Blame::local, false},
      {ErrorCode::timed_out, Blame::client, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(to_string(row.code)) + " " + std::string(to_string(row.blame)));
    origins.note_failure(kOrigin, Error{row.code, row.blame, {}}, now);
    EXPECT_EQ(!ask().empty(), row.counts);
    origins.note_answer(kOrigin);
  }
}

TEST_F(SilentOriginsTest, EveryNowAndThenOneIsToLook) {
  EXPECT_EQ(ask(), "");
  origins.note_failure(kOrigin, kSilent, now);
  EXPECT_EQ(ask(), "silent") << "it was asked this moment";
  now += 3s;
  EXPECT_EQ(ask(), "probe");
  EXPECT_EQ(ask(), "silent");
  now += 2s;
  EXPECT_EQ(ask(), "silent");
  now += 1s;
  EXPECT_EQ(ask(), "probe");
}

TEST_F(SilentOriginsTest, AnAnswerEndsIt) {
  origins.note_failure(kOrigin, kSilent, now);
  origins.note_failure("http://other.example", kSilent, now);
  origins.note_answer(kOrigin);
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(ask("http://other.example"), "silent");
}

TEST_F(SilentOriginsTest, WhatIsOldIsForgottenUnlessItHappensAgain) {
  origins.note_failure(kOrigin, kSilent, now);
  now += SilentOrigins::kRemembered - 1s;
  EXPECT_EQ(ask(), "probe");
  origins.note_failure(kOrigin, kSilent, now);
  now += SilentOrigins::kRemembered - 1s;
  EXPECT_EQ(ask(), "probe");
  now += 1s;
  EXPECT_EQ(ask(), "");
}

TEST_F(SilentOriginsTest, IsBounded) {
  for (std::size_t i = 0; i < SilentOrigins::kEntriesMax; ++i) {
    origins.note_failure("http://" + std::to_string(i) + ".example", kSilent, now);
  }
  origins.note_failure(kOrigin, kSilent, now);
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(ask("http://0.example"), "silent");
  now += SilentOrigins::kRemembered;
  origins.note_failure(kOrigin, kSilent, now);
  EXPECT_EQ(ask(), "silent");
}

}  // namespace
}  // namespace revcache::cache
