// RFC 9211: Cache-Status, and Age of RFC 9111 section 5.1.
#include "cache/cache_status.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

namespace revcache::cache {
namespace {

using std::chrono::seconds;

std::string rendered(const CacheStatus& status) {
  std::array<char, kCacheStatusBytesMax + 8> buffer{};
  buffer.fill('#');
  const std::size_t size = render_cache_status(status, buffer.data());
  EXPECT_LE(size, kCacheStatusBytesMax);
  EXPECT_EQ(buffer[size], '#') << "nothing is written past the end";
  return {buffer.data(), size};
}

CacheStatus forwarded(Forwarded why) {
  CacheStatus status;
  status.forwarded = why;
  return status;
}

struct Row {
  CacheStatus status;
  std::string_view field;
};

TEST(CacheStatusField, SaysWhatHappenedInTheSyntaxOfTheStandard) {
  using F = Forwarded;
  const std::vector<Row> rows{
      {{}, "Cache-Status: revcache\r\n"},
      {{.hit = true}, "Cache-Status: revcache; hit\r\n"},
      {{.hit = true, .ttl = seconds{123}}, "Cache-Status: revcache; hit; ttl=123\r\n"},
      {{.hit = true, .ttl = seconds{0}}, "Cache-Status: revcache; hit; ttl=0\r\n"},
      {{.hit = true, .ttl = seconds{-5}}, "Cache-Status: revcache; hit; ttl=-5\r\n"},
      {{.hit = true, .ttl = seconds{-412}, .detail = "stale-if-error"},
       "Cache-Status: revcache; hit; ttl=-412; detail=stale-if-error\r\n"},
      {{.hit = true, .collapsed = true}, "Cache-Status: revcache; hit; collapsed\r\n"},
      {forwarded(F::bypass), "Cache-Status: revcache; fwd=bypass\r\n"},
      {forwarded(F::method), "Cache-Status: revcache; fwd=method\r\n"},
      {forwarded(F::uri_miss), "Cache-Status: revcache; fwd=uri-miss\r\n"},
      {forwarded(F::vary_miss), "Cache-Status: revcache; fwd=vary-miss\r\n"},
      {forwarded(F::miss), "Cache-Status: revcache; fwd=miss\r\n"},
      {forwarded(F::request), "Cache-Status: revcache; fwd=request\r\n"},
      {forwarded(F::stale), "Cache-Status: revcache; fwd=stale\r\n"},
      {forwarded(F::partial), "Cache-Status: revcache; fwd=partial\r\n"},
      {{.forwarded = F::stale, .forward_status = 304, .ttl = seconds{60}, .stored = true},
       "Cache-Status: revcache; fwd=stale; fwd-status=304; ttl=60; stored\r\n"},
      {{.forwarded = F::uri_miss, .forward_status = 200, .stored = true, .collapsed = true},
       "Cache-Status: revcache; fwd=uri-miss; fwd-status=200; stored; collapsed\r\n"},
      {{.forwarded = F::uri_miss, .detail = "negative"},
       "Cache-Status: revcache; fwd=uri-miss; detail=negative\r\n"},
      {{.detail = "negative"}, "Cache-Status: revcache; detail=negative\r\n"},
      // 2.2: what was answered by the cache did not go forward.
      {{.hit = true, .forwarded = F::stale, .forward_status = 200},
       "Cache-Status: revcache; hit\r\n"},
      // 2.3: a status without a reason to have gone forward means nothing.
      {{.forward_status = 200}, "Cache-Status: revcache\r\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(rendered(row.status), row.field);
}

TEST(CacheStatusField, FitsItsBoundAtItsLongest) {
  const std::string detail(32, 'd');
  const auto field = rendered({.forwarded = Forwarded::vary_miss,
                               .forward_status = 65535,
                               .ttl = seconds{std::numeric_limits<std::int64_t>::min()},
                               .stored = true,
                               .collapsed = true,
                               .detail = detail});
  EXPECT_TRUE(field.ends_with("; stored; collapsed; detail=" + detail + "\r\n"));
}

TEST(CacheStatusFieldDeathTest, RefusesADetailThatIsNoToken) {
  EXPECT_DEATH(rendered({.detail = "two words"}), "is_sf_token");
  EXPECT_DEATH(rendered({.detail = "x\r\nSet-Cookie: a=b"}), "is_sf_token");
  EXPECT_DEATH(rendered({.detail = "1st"}), "is_sf_token");
  const std::string too_long(200, 'd');
  EXPECT_DEATH(rendered({.detail = too_long}), "kDetailBytesMax");
}

TEST(AgeField, IsANonNegativeDeltaSeconds) {
  const auto age = [](seconds value) {
    std::array<char, 32> buffer{};
    return std::string(buffer.data(), render_age(value, buffer.data()));
  };
  EXPECT_EQ(age(seconds{0}), "Age: 0\r\n");
  EXPECT_EQ(age(seconds{42}), "Age: 42\r\n");
  EXPECT_EQ(age(seconds{-1}), "Age: 0\r\n");
  EXPECT_EQ(age(seconds{2147483648}), "Age: 2147483648\r\n");
  EXPECT_EQ(age(seconds{2147483649}), "Age: 2147483648\r\n") << "RFC 9111 1.2.2";
  EXPECT_EQ(age(seconds::max()), "Age: 2147483648\r\n");
  EXPECT_EQ(age(seconds::min()), "Age: 0\r\n");
}

}  // namespace
}  // namespace revcache::cache
