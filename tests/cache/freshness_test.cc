// RFC 9111 section 4.2.1 to 4.2.3: lifetime and age from the fields of a response.
#include "cache/freshness.h"

#include <gtest/gtest.h>

#include "tests/cache/messages.h"

namespace revcache::cache::testing {
namespace {

using namespace std::chrono_literals;

FreshnessFacts facts_of(const Lines& lines, std::uint16_t status = 200, int delay = 0) {
  const auto head = head_of(lines, status);
  return freshness_facts(head, http::parse_response_directives(head.fields.view()),
                         kArrival - seconds{delay}, kArrival);
}

struct LifetimeRow {
  std::string_view says;
  Lines lines;
  seconds lifetime{0};
  bool heuristic = false;
  std::uint16_t status = 200;
};

void expect_lifetimes(const std::vector<LifetimeRow>& rows) {
  for (const LifetimeRow& row : rows) {
    const auto facts = facts_of(row.lines, row.status);
    EXPECT_EQ(facts.lifetime, row.lifetime) << row.says;
    EXPECT_EQ(facts.heuristic, row.heuristic) << row.says;
  }
}

constexpr seconds kForever = http::kDeltaSecondsMax;

TEST(FreshnessLifetime, IsTheExplicitOneInOrderOfPrecedence) {
  expect_lifetimes({
      {"4.2.1: max-age", {{"Cache-Control", "max-age=60"}}, 60s},
      {"4.2.1: max-age zero", {{"Cache-Control", "max-age=0"}}, 0s},
      {"4.2.1: s-maxage before max-age", {{"Cache-Control", "max-age=60, s-maxage=10"}}, 10s},
      {"4.2.1: s-maxage before max-age in any order",
       {{"Cache-Control", "s-maxage=10, max-age=60"}},
       10s},
      {"4.2.1: s-maxage zero before max-age", {{"Cache-Control", "max-age=60, s-maxage=0"}}, 0s},
      {"4.2.1: s-maxage alone", {{"Cache-Control", "s-maxage=7"}}, 7s},
      {"5.3: max-age before Expires",
       {{"Cache-Control", "max-age=60"}, {"Date", at(0)}, {"Expires", at(600)}},
       60s},
      {"5.3: max-age before an Expires in the past",
       {{"Cache-Control", "max-age=60"}, {"Date", at(0)}, {"Expires", at(-600)}},
       60s},
      {"5.3: s-maxage before Expires",
       {{"Cache-Control", "s-maxage=9"}, {"Date", at(0)}, {"Expires", at(600)}},
       9s},
      {"4.2.1: Expires minus Date", {{"Date", at(0)}, {"Expires", at(600)}}, 600s},
      {"4.2.1: the origin's clock, not ours", {{"Date", at(-3600)}, {"Expires", at(-3000)}}, 600s},
      {"4.2.1: the origin's clock is ahead", {{"Date", at(3600)}, {"Expires", at(3900)}}, 300s},
      {"RFC 9110 6.6.1: without Date, time of arrival", {{"Expires", at(90)}}, 90s},
      {"RFC 9110 6.6.1: unreadable Date, time of arrival",
       {{"Date", "yesterday"}, {"Expires", at(90)}},
       90s},
      {"5.3: Expires equal to Date", {{"Date", at(0)}, {"Expires", at(0)}}, 0s},
      {"5.3: Expires before Date", {{"Date", at(0)}, {"Expires", at(-1)}}, 0s},
      {"5.3: Expires: 0", {{"Date", at(0)}, {"Expires", "0"}}, 0s},
      {"5.3: Expires: -1", {{"Date", at(0)}, {"Expires", "-1"}}, 0s},
      {"5.3: Expires empty", {{"Date", at(0)}, {"Expires", ""}}, 0s},
      {"5.3: Expires unreadable", {{"Date", at(0)}, {"Expires", "tomorrow"}}, 0s},
      {"4.2.1: two equal Expires",
       {{"Date", at(0)}, {"Expires", at(60)}, {"Expires", at(60)}},
       60s},
      {"4.2.1: two different Expires",
       {{"Date", at(0)}, {"Expires", at(60)}, {"Expires", at(90)}},
       0s},
      {"RFC 9110 5.6.7: Expires as RFC 850 date",
       {{"Date", at(0)}, {"Expires", "Thursday, 15-Jan-26 12:05:00 GMT"}},
       300s},
      {"RFC 9110 5.6.7: Expires as asctime date",
       {{"Date", at(0)}, {"Expires", "Thu Jan 15 12:05:00 2026"}},
       300s},
      {"1.2.2: a far Expires is cut",
       {{"Date", at(0)}, {"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}},
       kForever},
      {"CryptoAPI's CDN: Expires and max-age agree",
       {{"Cache-Control", "public, max-age=3600"}, {"Date", at(0)}, {"Expires", at(3600)}},
       3600s},
  });
}

TEST(FreshnessLifetime, IsZeroWhenItsDirectivesAreMalformedOrContradictory) {
  expect_lifetimes({
      {"4.2.1: not a number", {{"Cache-Control", "max-age=abc"}}, 0s},
      {"4.2.1: negative", {{"Cache-Control", "max-age=-1"}}, 0s},
      {"4.2.1: a fraction", {{"Cache-Control", "max-age=1.5"}}, 0s},
      {"4.2.1: no argument", {{"Cache-Control", "max-age"}}, 0s},
      {"4.2.1: twice, different", {{"Cache-Control", "max-age=60, max-age=90"}}, 0s},
      {"4.2.1: twice, over two lines",
       {{"Cache-Control", "max-age=60"}, {"Cache-Control", "max-age=90"}},
       0s},
      {"4.2.1: a malformed max-age is no reason to fall back on Expires",
       {{"Cache-Control", "max-age=x"}, {"Date", at(0)}, {"Expires", at(600)}},
       0s},
      {"4.2.1: a malformed max-age is no reason to guess",
       {{"Cache-Control", "max-age=x"}, {"Date", at(0)}, {"Last-Modified", at(-864000)}},
       0s},
      {"4.2.1: s-maxage malformed", {{"Cache-Control", "s-maxage=?, max-age=60"}}, 0s},
  });
}

TEST(FreshnessLifetime, ComesFromCdnCacheControlBeforeAllOthers) {
  expect_lifetimes({
      {"RFC 9213 2.2: before Cache-Control",
       {{"CDN-Cache-Control", "max-age=10"}, {"Cache-Control", "max-age=60"}},
       10s},
      {"RFC 9213 2.2: before s-maxage",
       {{"CDN-Cache-Control", "max-age=10"}, {"Cache-Control", "s-maxage=60"}},
       10s},
      {"RFC 9213 2.2: before Expires",
       {{"CDN-Cache-Control", "max-age=10"}, {"Date", at(0)}, {"Expires", at(600)}},
       10s},
      {"RFC 9213 2.2: Expires does not count beside it",
       {{"CDN-Cache-Control", "must-revalidate"}, {"Date", at(0)}, {"Expires", at(600)}},
       0s},
      {"RFC 9213 2.1: not a dictionary, so Cache-Control rules",
       {{"CDN-Cache-Control", "max-age=10,,;"}, {"Cache-Control", "max-age=60"}},
       60s},
  });
}

TEST(FreshnessLifetime, IsGuessedOnlyWhereNothingIsSaidAndTheStatusAllowsIt) {
  const std::string ten_days_ago = at(-864000);
  const Lines unmodified_for_ten_days{{"Date", at(0)}, {"Last-Modified", ten_days_ago}};
  const Lines unmodified_for_1000_s{{"Date", at(0)}, {"Last-Modified", at(-1000)}};
  const Lines marked_public{
      {"Date", at(0)}, {"Last-Modified", at(-1000)}, {"Cache-Control", "public"}};
  expect_lifetimes({
      {"4.2.2: a tenth of the time unmodified", unmodified_for_1000_s, 100s, true},
      {"4.2.2: one day at most", unmodified_for_ten_days, 86400s, true},
      {"4.2.2: one day even after years",
       {{"Date", at(0)}, {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}},
       86400s,
       true},
      {"4.2.2: against Date, not our clock",
       {{"Date", at(-5000)}, {"Last-Modified", at(-6000)}},
       100s,
       true},
      {"4.2.2: without Date, time of arrival", {{"Last-Modified", at(-1000)}}, 100s, true},
      {"4.2.2: modified in the future", {{"Date", at(0)}, {"Last-Modified", at(60)}}, 0s, true},
      {"4.2.2: an unreadable Last-Modified says nothing",
       {{"Date", at(0)}, {"Last-Modified", "long ago"}},
       0s,
       false},
      {"4.2.2: nothing to go by", {{"Date", at(0)}}, 0s, false},
      {"4.2.2: not with explicit freshness",
       {{"Cache-Control", "max-age=5"}, {"Last-Modified", ten_days_ago}},
       5s,
       false},
      {"4.2.2: not with an expired Expires",
       {{"Date", at(0)}, {"Expires", "0"}, {"Last-Modified", ten_days_ago}},
       0s,
       false},
      {"RFC 9110 15.1: 203", unmodified_for_1000_s, 100s, true, 203},
      {"RFC 9110 15.1: 204", unmodified_for_1000_s, 100s, true, 204},
      {"RFC 9110 15.1: 300", unmodified_for_1000_s, 100s, true, 300},
      {"RFC 9110 15.1: 301", unmodified_for_1000_s, 100s, true, 301},
      {"RFC 9110 15.1: 308", unmodified_for_1000_s, 100s, true, 308},
      {"RFC 9110 15.1: 404", unmodified_for_1000_s, 100s, true, 404},
      {"RFC 9110 15.1: 410", unmodified_for_1000_s, 100s, true, 410},
      {"RFC 9110 15.1: 501", unmodified_for_1000_s, 100s, true, 501},
      {"RFC 9110 15.1: not 302", unmodified_for_1000_s, 0s, false, 302},
      {"RFC 9110 15.1: not 500", unmodified_for_1000_s, 0s, false, 500},
      {"4.2.2: public marks any status as cacheable", marked_public, 100s, true, 302},
  });
}

struct AgeRow {
  std::string_view says;
  Lines lines;
  seconds age{0};
  int delay = 0;
};

TEST(InitialAge, IsTheGreaterOfApparentAgeAndCorrectedAgeValue) {
  const std::vector<AgeRow> rows{
      {"4.2.3: nothing known", {}, 0s},
      {"4.2.3: apparent age", {{"Date", at(-30)}}, 30s},
      {"4.2.3: a Date ahead of us is no negative age", {{"Date", at(30)}}, 0s},
      {"4.2.3: Age", {{"Date", at(0)}, {"Age", "45"}}, 45s},
      {"4.2.3: Age beside a smaller apparent age", {{"Date", at(-30)}, {"Age", "45"}}, 45s},
      {"4.2.3: Age beside a greater apparent age", {{"Date", at(-60)}, {"Age", "45"}}, 60s},
      {"4.2.3: the response's delay counts", {{"Date", at(0)}}, 7s, 7},
      {"4.2.3: the delay adds to Age", {{"Date", at(0)}, {"Age", "45"}}, 52s, 7},
      {"4.2.3: the delay does not add to apparent age", {{"Date", at(-60)}, {"Age", "5"}}, 60s, 7},
      {"4.2.3: a clock that stepped back meanwhile", {{"Date", at(0)}, {"Age", "5"}}, 5s, -100},
      {"5.1: the first member of a list", {{"Age", "10, 20"}}, 10s},
      {"5.1: the first of two lines", {{"Age", "10"}, {"Age", "20"}}, 10s},
      {"5.1: no number is ignored", {{"Age", "old"}}, 0s},
      {"5.1: negative is ignored", {{"Age", "-5"}}, 0s},
      {"5.1: a fraction is ignored", {{"Age", "1.5"}}, 0s},
      {"5.1: an empty first member is ignored", {{"Age", ", 5"}}, 0s},
      {"5.1: empty is ignored", {{"Age", ""}}, 0s},
      {"1.2.2: too large", {{"Age", "99999999999999999999"}}, kForever},
      {"1.2.2: beyond 2^31", {{"Age", "4294967296"}}, kForever},
      {"4.2.3: a Date long ago is cut like an Age",
       {{"Date", "Mon, 01 Jan 1900 00:00:00 GMT"}},
       kForever},
  };
  for (const AgeRow& row : rows) {
    EXPECT_EQ(facts_of(row.lines, 200, row.delay).date_offset, row.age) << row.says;
  }
}

TEST(CurrentAge, GrowsWithTheTimeInTheCacheAndIsNeverNegative) {
  const auto facts = facts_of({{"Date", at(0)}, {"Age", "10"}});
  EXPECT_EQ(current_age(facts, kArrival), seconds{10});
  EXPECT_EQ(current_age(facts, kArrival + seconds{5}), seconds{15});
  EXPECT_EQ(current_age(facts, WallTime{kArrival} + std::chrono::milliseconds{1999}), seconds{11});
  EXPECT_EQ(current_age(facts, kArrival - hours{1}), seconds{10}) << "a clock that stepped back";
}

struct FlagRow {
  std::string_view says;
  std::string_view cache_control;
  bool no_cache;
  bool must_revalidate;
  int stale_while_revalidate = 0;
  int stale_if_error = 0;
};

TEST(FreshnessFacts, KeepWhatRestrictsAndWhatExtendsUse) {
  const std::vector<FlagRow> rows{
      {"nothing", "max-age=1", false, false},
      {"5.2.2.4: no-cache", "no-cache", true, false},
      {"5.2.2.4: no-cache for named fields only", "no-cache=\"Set-Cookie\"", false, false},
      {"5.2.2.2: must-revalidate", "must-revalidate", false, true},
      {"5.2.2.8: proxy-revalidate", "proxy-revalidate", false, true},
      {"5.2.2.10: s-maxage", "s-maxage=5", false, true},
      {"RFC 5861 3", "max-age=1, stale-while-revalidate=30", false, false, 30, 0},
      {"RFC 5861 4", "max-age=1, stale-if-error=90", false, false, 0, 90},
      {"all of them", "NO-CACHE, Must-Revalidate, stale-while-revalidate=1, stale-if-error=2", true,
       true, 1, 2},
  };
  for (const FlagRow& row : rows) {
    const auto facts = facts_of({{"Cache-Control", std::string(row.cache_control)}});
    EXPECT_EQ(facts.no_cache, row.no_cache) << row.says;
    EXPECT_EQ(facts.must_revalidate, row.must_revalidate) << row.says;
    EXPECT_EQ(facts.stale_while_revalidate, seconds{row.stale_while_revalidate}) << row.says;
    EXPECT_EQ(facts.stale_if_error, seconds{row.stale_if_error}) << row.says;
    EXPECT_EQ(facts.response_time, WallTime{kArrival}) << row.says;
    EXPECT_FALSE(facts.usable_until) << row.says;
  }
}

}  // namespace
}  // namespace revcache::cache::testing
