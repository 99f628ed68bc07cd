#include "cache/negative_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::cache {
namespace {

using std::chrono::milliseconds;

NegativeAnswer failure(ErrorCode code) {
  return {.error = {code, Blame::upstream, "detail"}, .response = nullptr};
}

NegativeAnswer refusal(std::uint16_t status) {
  StoredResponse response;
  response.status = status;
  return {.response = std::make_shared<const StoredResponse>(std::move(response))};
}

struct Lifetime {
  const char* cause;
  NegativeAnswer answer;
  milliseconds kept;
};

TEST(NegativeLifetime, IsChosenByCause) {
  const Lifetime table[] = {
      {"a 404 of a CDN is meant", refusal(404), milliseconds(10000)},
      {"so is a 410", refusal(410), milliseconds(10000)},
      {"a 503 may be over soon", refusal(503), milliseconds(2000)},
      {"no address, no connection", failure(ErrorCode::unreachable), milliseconds(3000)},
      {"silence", failure(ErrorCode::timed_out), milliseconds(3000)},
      {"a dead connection", failure(ErrorCode::disconnected), milliseconds(1000)},
      {"a web page for a CRL", failure(ErrorCode::malformed), milliseconds(5000)},
      {"a wrong signature", failure(ErrorCode::untrusted), milliseconds(5000)},
      {"an endless body", failure(ErrorCode::too_large), milliseconds(5000)},
      {"our own rule", failure(ErrorCode::refused), milliseconds(0)},
      {"our own queue", failure(ErrorCode::overloaded), milliseconds(0)},
      {"a loop", failure(ErrorCode::loop_detected), milliseconds(0)},
  };
  for (const auto& row : table) EXPECT_EQ(negative_lifetime(row.answer), row.kept) << row.cause;
}

TEST(NegativeCache, ForgetsWhenTheTimeIsOver) {
  NegativeCache cache;
  const MonotonicTime now{};
  cache.put("key", failure(ErrorCode::timed_out), now);
  ASSERT_TRUE(cache.find("key", now + milliseconds(2999)));
  EXPECT_EQ(cache.find("key", now + milliseconds(2999))->error.code, ErrorCode::timed_out);
  EXPECT_FALSE(cache.find("key", now + milliseconds(3000)));
  EXPECT_FALSE(cache.find("other", now));
}

TEST(NegativeCache, WhatIsOursIsNotKept) {
  NegativeCache cache;
  cache.put("key", failure(ErrorCode::refused), {});
  EXPECT_FALSE(cache.find("key", {}));
}

TEST(NegativeCache, AGoodAnswerErasesTheBadOne) {
  NegativeCache cache;
  cache.put("key", failure(ErrorCode::timed_out), {});
  cache.erase("key");
  EXPECT_FALSE(cache.find("key", {}));
}

TEST(NegativeCache, HoldsNoMoreThanItsLimit) {
  NegativeCache cache;
  const MonotonicTime now{};
  for (std::size_t i = 0; i < NegativeCache::kEntriesMax + 100; ++i) {
    cache.put(std::to_string(i), failure(ErrorCode::timed_out), now);
  }
  EXPECT_TRUE(cache.find("0", now));
  EXPECT_FALSE(cache.find(std::to_string(NegativeCache::kEntriesMax + 50), now));
  // Room is made by what is over.
  const auto later = now + milliseconds(4000);
  cache.put("new", failure(ErrorCode::timed_out), later);
  EXPECT_TRUE(cache.find("new", later));
}

}  // namespace
}  // namespace revcache::cache
