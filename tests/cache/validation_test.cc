// RFC 9110 sections 13 and 14: what a conditional or range request gets from a stored response.
#include "cache/validation.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <ostream>

#include "cache/byte_range.h"
#include "tests/cache/messages.h"

namespace revcache::cache {

std::ostream& operator<<(std::ostream& out, Reply reply) {
  constexpr std::array<std::string_view, 5> kNames{"full", "not_modified", "precondition_failed",
                                                   "partial", "range_not_satisfiable"};
  return out << kNames[static_cast<std::size_t>(reply)];
}

namespace testing {
namespace {

using http::Method;

const std::string kModified = at(-3600);  // one hour before the response was made

// A 200 of ten octets with a strong entity-tag and a modification time.
StoredResponse strong() {
  return stored_of({{"Date", at(0)}, {"ETag", "\"v1\""}, {"Last-Modified", kModified}});
}
StoredResponse weak() {
  return stored_of({{"Date", at(0)}, {"ETag", "W/\"v1\""}, {"Last-Modified", kModified}});
}
StoredResponse bare() { return stored_of({{"Date", at(0)}}); }

struct Row {
  std::string_view says;
  Lines request;
  Reply reply;
  Method method = Method::get;
};

void expect_replies(const StoredResponse& stored, Role role, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto request = fields_of(row.request);
    const auto plan = plan_reply(row.method, request.view(), stored, kArrival, role);
    EXPECT_EQ(plan.reply, row.reply) << row.says;
  }
}

TEST(PlanReply, AnswersIfNoneMatchByWeakComparison) {
  using enum Reply;
  expect_replies(
      strong(), Role::cache,
      {
          {"no condition", {}, full},
          {"13.1.2: the tag", {{"If-None-Match", "\"v1\""}}, not_modified},
          {"13.1.2: the tag, for HEAD", {{"If-None-Match", "\"v1\""}}, not_modified, Method::head},
          {"13.1.2: its weak form", {{"If-None-Match", "W/\"v1\""}}, not_modified},
          {"13.1.2: another tag", {{"If-None-Match", "\"v2\""}}, full},
          {"13.1.2: in a list", {{"If-None-Match", "\"v0\", \"v1\""}}, not_modified},
          {"13.1.2: in a list without spaces",
           {{"If-None-Match", "\"v0\",\"v1\",\"v2\""}},
           not_modified},
          {"13.1.2: on a second line",
           {{"If-None-Match", "\"v0\""}, {"If-None-Match", "\"v1\""}},
           not_modified},
          {"13.1.2: not in a list", {{"If-None-Match", "\"v0\", \"v2\""}}, full},
          {"13.1.2: empty elements", {{"If-None-Match", ", ,\"v1\","}}, not_modified},
          {"13.1.2: *", {{"If-None-Match", "*"}}, not_modified},
          {"8.8.3: a comma inside a tag does not separate",
           {{"If-None-Match", "\"v0,\"v1\"\""}},
           full},
          {"8.8.3: opaque: no unquoting", {{"If-None-Match", "v1"}}, full},
          {"8.8.3: case matters", {{"If-None-Match", "\"V1\""}}, full},
          {"8.8.3: W/ is upper case", {{"If-None-Match", "w/\"v1\""}}, full},
          {"an unclosed quote", {{"If-None-Match", "\"v1"}}, full},
          {"empty", {{"If-None-Match", ""}}, full},
          {"only the weak prefix", {{"If-None-Match", "W/"}}, full},
      });
  expect_replies(weak(), Role::cache,
                 {
                     {"13.1.2: both weak", {{"If-None-Match", "W/\"v1\""}}, not_modified},
                     {"13.1.2: strong against weak", {{"If-None-Match", "\"v1\""}}, not_modified},
                 });
  expect_replies(
      bare(), Role::cache,
      {
          {"13.1.2: nothing to compare with", {{"If-None-Match", "\"v1\""}}, full},
          {"13.1.2: an empty tag does not match a missing one", {{"If-None-Match", ""}}, full},
          {"13.1.2: * matches any stored response", {{"If-None-Match", "*"}}, not_modified},
      });
}

TEST(PlanReply, AnswersIfModifiedSinceOnlyWithoutIfNoneMatch) {
  using enum Reply;
  expect_replies(
      strong(), Role::cache,
      {
          {"13.1.3: the same time", {{"If-Modified-Since", kModified}}, not_modified},
          {"13.1.3: for HEAD", {{"If-Modified-Since", kModified}}, not_modified, Method::head},
          {"13.1.3: later", {{"If-Modified-Since", at(-60)}}, not_modified},
          {"13.1.3: one second earlier", {{"If-Modified-Since", at(-3601)}}, full},
          {"13.1.3: in the future", {{"If-Modified-Since", at(86400)}}, not_modified},
          {"13.1.3: not a date", {{"If-Modified-Since", "yesterday"}}, full},
          {"13.1.3: empty", {{"If-Modified-Since", ""}}, full},
          {"13.1.3: two lines", {{"If-Modified-Since", at(0)}, {"If-Modified-Since", at(0)}}, full},
          {"13.1.3: RFC 850 date",
           {{"If-Modified-Since", "Thursday, 15-Jan-26 11:30:00 GMT"}},
           not_modified},
          {"13.1.3: asctime date", {{"If-Modified-Since", "Thu Jan 15 10:00:00 2026"}}, full},
          {"13.1.3: ignored beside If-None-Match that does not match",
           {{"If-None-Match", "\"v2\""}, {"If-Modified-Since", at(0)}},
           full},
          {"13.1.3: ignored beside If-None-Match that matches",
           {{"If-None-Match", "\"v1\""}, {"If-Modified-Since", at(-7200)}},
           not_modified},
          {"13.1.3: ignored for other methods", {{"If-Modified-Since", at(0)}}, full, Method::post},
      });
  expect_replies(bare(), Role::cache,
                 {
                     {"RFC 9111 4.3.2: Date stands for Last-Modified",
                      {{"If-Modified-Since", at(0)}},
                      not_modified},
                     {"RFC 9111 4.3.2: before Date", {{"If-Modified-Since", at(-1)}}, full},
                 });
}

TEST(PlanReply, LeavesTheConditionsOfAnOriginServerToIt) {
  using enum Reply;
  expect_replies(
      strong(), Role::cache,
      {
          {"RFC 9111 4.3.2: If-Match", {{"If-Match", "\"v2\""}}, full},
          {"RFC 9111 4.3.2: If-Unmodified-Since", {{"If-Unmodified-Since", at(-7200)}}, full},
          {"RFC 9111 4.3.2: If-None-Match on POST",
           {{"If-None-Match", "\"v1\""}},
           full,
           Method::post},
          {"the others still count",
           {{"If-Match", "\"v2\""}, {"If-None-Match", "\"v1\""}},
           not_modified},
      });
}

TEST(PlanReply, FollowsTheWholePrecedenceForResourcesOfOurOwn) {
  using enum Reply;
  expect_replies(
      strong(), Role::origin_server,
      {
          {"13.1.1: the tag", {{"If-Match", "\"v1\""}}, full},
          {"13.1.1: in a list", {{"If-Match", "\"v0\", \"v1\""}}, full},
          {"13.1.1: *", {{"If-Match", "*"}}, full},
          {"13.1.1: another", {{"If-Match", "\"v2\""}}, precondition_failed},
          {"13.1.1: strong comparison only", {{"If-Match", "W/\"v1\""}}, precondition_failed},
          {"13.1.1: not a tag", {{"If-Match", "v1"}}, precondition_failed},
          {"13.1.1: for HEAD", {{"If-Match", "\"v2\""}}, precondition_failed, Method::head},
          {"13.1.4: not modified since", {{"If-Unmodified-Since", kModified}}, full},
          {"13.1.4: modified since", {{"If-Unmodified-Since", at(-3601)}}, precondition_failed},
          {"13.1.4: not a date", {{"If-Unmodified-Since", "x"}}, full},
          {"13.1.4: two lines",
           {{"If-Unmodified-Since", at(-7200)}, {"If-Unmodified-Since", at(-7200)}},
           full},
          {"13.2.2: If-Match before If-Unmodified-Since",
           {{"If-Match", "\"v1\""}, {"If-Unmodified-Since", at(-7200)}},
           full},
          {"13.2.2: If-Match before If-None-Match",
           {{"If-Match", "\"v2\""}, {"If-None-Match", "\"v1\""}},
           precondition_failed},
          {"13.2.2: If-Match holds, then If-None-Match",
           {{"If-Match", "\"v1\""}, {"If-None-Match", "\"v1\""}},
           not_modified},
          {"13.2.2: If-Unmodified-Since, then If-Modified-Since",
           {{"If-Unmodified-Since", at(0)}, {"If-Modified-Since", at(0)}},
           not_modified},
          {"13.1.2: 412 for other methods",
           {{"If-None-Match", "\"v1\""}},
           precondition_failed,
           Method::post},
          {"13.1.3: ignored for other methods", {{"If-Modified-Since", at(0)}}, full, Method::post},
          {"13.2.2: If-Match before Range",
           {{"If-Match", "\"v2\""}, {"Range", "bytes=0-1"}},
           precondition_failed},
      });
  expect_replies(
      weak(), Role::origin_server,
      {
          {"13.1.1: a weak tag never matches", {{"If-Match", "W/\"v1\""}}, precondition_failed},
      });
  expect_replies(
      bare(), Role::origin_server,
      {
          {"13.1.1: * matches what exists", {{"If-Match", "*"}}, full},
          {"13.1.4: without a modification time", {{"If-Unmodified-Since", at(-7200)}}, full},
      });
}

TEST(PlanReply, IgnoresConditionsAndRangesUnlessTheStoredStatusIs200) {
  for (const int status : {204, 301, 404, 410, 503}) {
    const auto stored =
        stored_of({{"Date", at(0)}, {"ETag", "\"v1\""}}, "", static_cast<std::uint16_t>(status));
    expect_replies(stored, Role::origin_server,
                   {
                       {"13.2.1: If-None-Match", {{"If-None-Match", "\"v1\""}}, Reply::full},
                       {"13.2.1: If-Match", {{"If-Match", "\"v2\""}}, Reply::full},
                       {"14.2: Range", {{"Range", "bytes=0-0"}}, Reply::full},
                   });
  }
}

TEST(PlanReply, GivesARangeOnlyWhenIfRangeHolds) {
  using enum Reply;
  const Line range{"Range", "bytes=0-3"};
  expect_replies(
      strong(), Role::cache,
      {
          {"14.2: Range", {range}, partial},
          {"14.2: ignored for HEAD", {range}, full, Method::head},
          {"14.2: ignored for POST", {range}, full, Method::post},
          {"14.2: two Range lines", {range, range}, full},
          {"13.1.5: the tag", {range, {"If-Range", "\"v1\""}}, partial},
          {"13.1.5: another tag", {range, {"If-Range", "\"v2\""}}, full},
          {"13.1.5: strong comparison only", {range, {"If-Range", "W/\"v1\""}}, full},
          {"13.1.5: a list is no validator", {range, {"If-Range", "\"v1\", \"v2\""}}, full},
          {"13.1.5: the time", {range, {"If-Range", kModified}}, partial},
          {"13.1.5: an earlier time", {range, {"If-Range", at(-3601)}}, full},
          {"13.1.5: exactly that time, not a later one", {range, {"If-Range", at(-3599)}}, full},
          {"13.1.5: neither tag nor date", {range, {"If-Range", "v1"}}, full},
          {"13.1.5: two lines", {range, {"If-Range", "\"v1\""}, {"If-Range", "\"v1\""}}, full},
          {"13.1.5: without Range", {{"If-Range", "\"v2\""}}, full},
          {"13.1.5: unsatisfiable, but another version",
           {{"Range", "bytes=90-"}, {"If-Range", "\"v2\""}},
           full},
          {"13.2.2: If-None-Match before Range",
           {range, {"If-None-Match", "\"v1\""}},
           not_modified},
          {"13.2.2: If-None-Match lets Range through",
           {range, {"If-None-Match", "\"v2\""}},
           partial},
          {"13.2.2: If-Modified-Since before Range",
           {range, {"If-Modified-Since", at(0)}},
           not_modified},
          {"14.2: unsatisfiable", {{"Range", "bytes=10-"}}, range_not_satisfiable},
      });
  expect_replies(weak(), Role::cache,
                 {
                     {"13.1.5: weak against weak", {range, {"If-Range", "W/\"v1\""}}, full},
                 });
  expect_replies(
      stored_of({{"Date", at(0)}, {"Last-Modified", at(-1)}}), Role::cache,
      {
          {"8.8.2.2: modified one second before Date", {range, {"If-Range", at(-1)}}, partial},
      });
  expect_replies(
      stored_of({{"Date", at(0)}, {"Last-Modified", at(0)}}), Role::cache,
      {
          {"8.8.2.2: modified in the second of Date", {range, {"If-Range", at(0)}}, full},
      });
  expect_replies(bare(), Role::cache,
                 {
                     {"13.1.5: Date is no stand-in here", {range, {"If-Range", at(0)}}, full},
                 });
}

struct RangeRow {
  std::string_view value;
  std::uint64_t length;
  RangeOutcome outcome;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

TEST(ByteRange, IsOneRangeOfBytesOrIgnored) {
  using enum RangeOutcome;
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  const std::vector<RangeRow> rows{
      {"bytes=0-0", 10, satisfiable, 0, 0},
      {"bytes=0-9", 10, satisfiable, 0, 9},
      {"bytes=2-5", 10, satisfiable, 2, 5},
      {"bytes=5-100", 10, satisfiable, 5, 9},
      {"bytes=9-", 10, satisfiable, 9, 9},
      {"bytes=0-", 10, satisfiable, 0, 9},
      {"bytes=-3", 10, satisfiable, 7, 9},
      {"bytes=-10", 10, satisfiable, 0, 9},
      {"bytes=-11", 10, satisfiable, 0, 9},
      {"BYTES=0-1", 10, satisfiable, 0, 1},
      {"bytes= 0-1 ", 10, satisfiable, 0, 1},
      {"bytes=,0-1,", 10, satisfiable, 0, 1},
      {"bytes=00-01", 10, satisfiable, 0, 1},
      {"bytes=0-99999999999999999999999", 10, satisfiable, 0, 9},
      {"bytes=-99999999999999999999999", 10, satisfiable, 0, 9},
      {"bytes=0-", kMax, satisfiable, 0, kMax - 1},
      {"bytes=10-", 10, unsatisfiable},
      {"bytes=10-20", 10, unsatisfiable},
      {"bytes=99999999999999999999999-", 10, unsatisfiable},
      {"bytes=-0", 10, unsatisfiable},
      {"bytes=0-", 0, unsatisfiable},
      {"bytes=0-0", 0, unsatisfiable},
      {"bytes=-5", 0, ignored},
      {"bytes=5-4", 10, ignored},
      {"bytes=0-1,3-4", 10, ignored},
      {"bytes=20-,30-", 10, ignored},
      {"bytes=-", 10, ignored},
      {"bytes=", 10, ignored},
      {"bytes", 10, ignored},
      {"", 10, ignored},
      {"=0-1", 10, ignored},
      {"items=0-1", 10, ignored},
      {"bytes =0-1", 10, ignored},
      {"bytes=0 - 1", 10, ignored},
      {"bytes=+0-1", 10, ignored},
      {"bytes=0x0-1", 10, ignored},
      {"bytes=--1", 10, ignored},
      {"bytes=0-1-2", 10, ignored},
      {"bytes=a-b", 10, ignored},
      {"bytes=0-1;x", 10, ignored},
  };
  for (const RangeRow& row : rows) {
    const auto range = parse_byte_range(row.value, row.length);
    EXPECT_EQ(static_cast<int>(range.outcome), static_cast<int>(row.outcome)) << row.value;
    EXPECT_EQ(range.first, row.first) << row.value;
    EXPECT_EQ(range.last, row.last) << row.value;
  }
}

TEST(PlanReply, TellsWhichOctetsToSend) {
  const auto request = fields_of({{"Range", "bytes=-4"}});
  const auto plan = plan_reply(Method::get, request.view(), strong(), kArrival);
  EXPECT_EQ(plan.reply, Reply::partial);
  EXPECT_EQ(plan.first, 6U);
  EXPECT_EQ(plan.last, 9U);
}

TEST(EntityTags, CompareAsTheStandardsTableSays) {
  // RFC 9110 8.8.3.2, table 3.
  EXPECT_FALSE(strong_match("W/\"1\"", "W/\"1\""));
  EXPECT_TRUE(weak_match("W/\"1\"", "W/\"1\""));
  EXPECT_FALSE(strong_match("W/\"1\"", "W/\"2\""));
  EXPECT_FALSE(weak_match("W/\"1\"", "W/\"2\""));
  EXPECT_FALSE(strong_match("W/\"1\"", "\"1\""));
  EXPECT_TRUE(weak_match("W/\"1\"", "\"1\""));
  EXPECT_TRUE(strong_match("\"1\"", "\"1\""));
  EXPECT_TRUE(weak_match("\"1\"", "\"1\""));
  EXPECT_FALSE(strong_match("", ""));
  EXPECT_FALSE(weak_match("", ""));
}

}  // namespace
}  // namespace testing
}  // namespace revcache::cache
