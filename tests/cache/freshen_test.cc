// RFC 9111 sections 3.2, 4.3.1, 4.3.4 and 4.3.5: validating a stored response upstream.
#include <gtest/gtest.h>

#include "cache/freshness.h"
#include "cache/validation.h"
#include "tests/cache/messages.h"

namespace revcache::cache::testing {
namespace {

struct ValidatorsRow {
  std::string_view says;
  Lines stored;
  Lines request;
  Lines expected;
};

TEST(AddValidators, SendsWhatIsStoredInPlaceOfTheClientsConditions) {
  const Lines client{
      {"Accept", "*/*"},     {"If-None-Match", "\"old\""},    {"If-Modified-Since", at(-9)},
      {"If-Match", "\"x\""}, {"If-Unmodified-Since", at(-9)}, {"If-Range", "\"x\""},
      {"Range", "bytes=0-1"}};
  const std::vector<ValidatorsRow> rows{
      {"4.3.1: both",
       {{"ETag", "\"v1\""}, {"Last-Modified", at(-60)}},
       {},
       {{"If-None-Match", "\"v1\""}, {"If-Modified-Since", at(-60)}}},
      {"4.3.1: only the tag", {{"ETag", "W/\"v1\""}}, {}, {{"If-None-Match", "W/\"v1\""}}},
      {"4.3.1: only the time", {{"Last-Modified", at(-60)}}, {}, {{"If-Modified-Since", at(-60)}}},
      {"RFC 9110 13.1.3: the time in the origin's spelling",
       {{"Last-Modified", "Thu Jan 15 10:00:00 2026"}},
       {},
       {{"If-Modified-Since", "Thu Jan 15 10:00:00 2026"}}},
      {"an unreadable time is no validator", {{"Last-Modified", "now"}}, {}, {}},
      {"none: the request is left alone", {{"Date", at(0)}}, client, client},
      {"the client's would be evaluated first",
       {{"Last-Modified", at(-60)}},
       client,
       {{"Accept", "*/*"}, {"If-Modified-Since", at(-60)}}},
      {"the client's tag is replaced",
       {{"ETag", "\"v1\""}},
       client,
       {{"Accept", "*/*"}, {"If-None-Match", "\"v1\""}}},
  };
  for (const ValidatorsRow& row : rows) {
    auto request = fields_of(row.request);
    add_validators(request, stored_of(row.stored));
    EXPECT_EQ(lines_of(request.view()), row.expected) << row.says;
  }
}

struct MatchRow {
  std::string_view says;
  Lines stored;
  Lines answer;
  bool matches;
};

TEST(CanFreshen, NeedsTheSameStrongValidatorOrACorrespondingWeakOne) {
  const Lines both{{"ETag", "\"v1\""}, {"Last-Modified", at(-60)}};
  const Lines weak{{"ETag", "W/\"v1\""}, {"Last-Modified", at(-60)}};
  const Lines time{{"Last-Modified", at(-60)}};
  const std::vector<MatchRow> rows{
      {"4.3.4: the same strong tag", both, {{"ETag", "\"v1\""}}, true},
      {"4.3.4: another strong tag", both, {{"ETag", "\"v2\""}}, false},
      {"4.3.4: another strong tag, same time",
       both,
       {{"ETag", "\"v2\""}, {"Last-Modified", at(-60)}},
       false},
      {"4.3.4: same strong tag, another time",
       both,
       {{"ETag", "\"v1\""}, {"Last-Modified", at(-1)}},
       true},
      {"4.3.4: a strong tag against a weak one", weak, {{"ETag", "\"v1\""}}, false},
      {"4.3.4: a strong tag against none", time, {{"ETag", "\"v1\""}}, false},
      {"4.3.4: weak against weak", weak, {{"ETag", "W/\"v1\""}}, true},
      {"4.3.4: weak against strong", both, {{"ETag", "W/\"v1\""}}, true},
      {"4.3.4: another weak tag", weak, {{"ETag", "W/\"v2\""}}, false},
      {"4.3.4: a weak tag against none", time, {{"ETag", "W/\"v1\""}}, false},
      {"4.3.4: a weak tag against none, same time",
       time,
       {{"ETag", "W/\"v1\""}, {"Last-Modified", at(-60)}},
       true},
      {"4.3.4: the same time", time, {{"Last-Modified", at(-60)}}, true},
      {"4.3.4: another time", time, {{"Last-Modified", at(-59)}}, false},
      {"4.3.4: the same time in another form",
       {{"Last-Modified", "Thu, 15 Jan 2026 11:59:00 GMT"}},
       {{"Last-Modified", "Thursday, 15-Jan-26 11:59:00 GMT"}},
       true},
      {"4.3.4: a time where only a tag is stored",
       {{"ETag", "\"v1\""}},
       {{"Last-Modified", at(-60)}},
       false},
      {"RFC 9110 15.4.5: a 304 may come without Last-Modified", time, {{"Date", at(0)}}, true},
      {"no validator in the 304: it is about the one that was named", both, {}, true},
      {"an unreadable time is none", time, {{"Last-Modified", "now"}}, true},
      {"an empty tag is none", both, {{"ETag", ""}}, true},
  };
  for (const MatchRow& row : rows) {
    EXPECT_EQ(can_freshen(stored_of(row.stored), head_of(row.answer, 304)), row.matches)
        << row.says;
    EXPECT_FALSE(can_freshen(stored_of(row.stored), head_of(row.answer, 200))) << "only a 304 can";
  }
}

TEST(Freshen, UpdatesFieldsAndFreshnessAndSharesTheBody) {
  auto stored = stored_of({{"Date", at(-7200)},
                           {"Cache-Control", "max-age=60"},
                           {"Age", "30"},
                           {"Cache-Status", "edge; hit"},
                           {"Content-Type", "application/pkix-crl"},
                           {"ETag", "\"v1\""},
                           {"X-Many", "1"},
                           {"X-Last", "z"},
                           {"X-Many", "2"}});
  stored.trust = Trust::verified;
  stored.kind = ObjectKind::crl;
  stored.freshness.usable_until = kArrival + days{7};
  const WallTime sent = kArrival + hours{1};
  const auto fresh = freshen(stored,
                             head_of({{"Date", at(3600)},
                                      {"Cache-Control", "max-age=600, stale-if-error=9"},
                                      {"ETag", "W/\"v1\""},
                                      {"Content-Length", "0"},
                                      {"Content-Type", "text/html"},
                                      {"Content-Encoding", "gzip"},
                                      {"Content-Range", "bytes 0-1/2"},
                                      {"Connection", "close, X-Hop"},
                                      {"X-Hop", "1"},
                                      {"Transfer-Encoding", "chunked"},
                                      {"Set-Cookie", "a=b"},
                                      {"x-many", "3"},
                                      {"X-New", "n"}},
                                     304),
                             sent, sent + seconds{2});
  const Lines expected{{"Cache-Control", "max-age=600, stale-if-error=9"},
                       {"Content-Type", "application/pkix-crl"},
                       {"ETag", "\"v1\""},
                       {"x-many", "3"},
                       {"X-Last", "z"},
                       {"Date", at(3600)},
                       {"X-New", "n"}};
  EXPECT_EQ(lines_of(fresh->fields.view()), expected);
  EXPECT_EQ(fresh->key, stored.key);
  EXPECT_EQ(fresh->status, 200);
  EXPECT_EQ(fresh->trust, Trust::verified);
  EXPECT_EQ(fresh->kind, ObjectKind::crl);
  EXPECT_EQ(fresh->freshness.usable_until, stored.freshness.usable_until);
  EXPECT_EQ(fresh->freshness.lifetime, seconds{600});
  EXPECT_EQ(fresh->freshness.stale_if_error, seconds{9});
  EXPECT_EQ(fresh->freshness.request_time, sent);
  EXPECT_EQ(current_age(fresh->freshness, sent + seconds{2}), seconds{2});
  EXPECT_EQ(fresh->body.text().data(), stored.body.text().data()) << "one body in memory";
  EXPECT_EQ(fresh->body_bytes, 10U);
  EXPECT_NE(fresh->rendered_head.find("Content-Length: 10\r\n"), std::string::npos);
  EXPECT_EQ(fresh->rendered_head.find("max-age=60\r\n"), std::string::npos);
}

TEST(Freshen, CountsFromTheArrivalOfA304WithoutDate) {
  const auto stored = stored_of({{"Date", at(-7200)}, {"Cache-Control", "max-age=60"}});
  const WallTime later = kArrival + hours{1};
  const auto fresh = freshen(stored, head_of({}, 304), later, later);
  EXPECT_EQ(current_age(fresh->freshness, later), seconds{0});
  EXPECT_EQ(fresh->freshness.lifetime, seconds{60});
  EXPECT_EQ(fresh->fields.find("Date"), at(3600));
}

TEST(Freshen, TakesTheAgeOfTheNewAnswer) {
  const auto stored = stored_of({{"Date", at(0)}, {"Age", "50"}, {"Cache-Control", "max-age=60"}});
  const WallTime later = kArrival + hours{1};
  const auto fresh =
      freshen(stored, head_of({{"Date", at(3600)}, {"Age", "7"}}, 304), later, later);
  EXPECT_EQ(current_age(fresh->freshness, later), seconds{7});
}

TEST(Freshen, AdoptsAnEntityTagThatWasMissing) {
  const auto stored = stored_of({{"Date", at(0)}, {"Last-Modified", at(-60)}});
  const auto fresh = freshen(
      stored, head_of({{"ETag", "W/\"v1\""}, {"Last-Modified", at(-60)}}, 304), kArrival, kArrival);
  EXPECT_EQ(fresh->etag, "W/\"v1\"");
}

TEST(Freshen, DropsFieldsThatTheNewAnswerKeepsPrivate) {
  const auto stored = stored_of({{"Date", at(0)}, {"Cache-Control", "max-age=60"}});
  const auto fresh = freshen(
      stored, head_of({{"Cache-Control", "max-age=9, private=\"X-User\""}, {"X-User", "42"}}, 304),
      kArrival, kArrival);
  EXPECT_FALSE(fresh->fields.find("X-User"));
}

TEST(HeadMatches, ComparesEveryValidatorReceivedAndTheLength) {
  const Lines both{{"ETag", "\"v1\""}, {"Last-Modified", at(-60)}};
  const std::vector<MatchRow> rows{
      {"4.3.5: all three",
       both,
       {{"ETag", "\"v1\""}, {"Last-Modified", at(-60)}, {"Content-Length", "10"}},
       true},
      {"4.3.5: the tag", both, {{"ETag", "\"v1\""}}, true},
      {"4.3.5: the time", both, {{"Last-Modified", at(-60)}}, true},
      {"4.3.5: the length", {}, {{"Content-Length", "10"}}, true},
      {"4.3.5: another tag", both, {{"ETag", "\"v2\""}}, false},
      {"4.3.5: another time", both, {{"ETag", "\"v1\""}, {"Last-Modified", at(-1)}}, false},
      {"4.3.5: another length", both, {{"ETag", "\"v1\""}, {"Content-Length", "11"}}, false},
      {"4.3.5: a tag where none is stored", {}, {{"ETag", "\"v1\""}}, false},
      {"4.3.5: a time where none is stored", {}, {{"Last-Modified", at(-60)}}, false},
      {"4.3.5: an unreadable time", both, {{"ETag", "\"v1\""}, {"Last-Modified", "x"}}, false},
      {"nothing received proves nothing", both, {{"Date", at(0)}}, false},
  };
  for (const MatchRow& row : rows) {
    EXPECT_EQ(head_matches(stored_of(row.stored), head_of(row.answer)), row.matches) << row.says;
    EXPECT_FALSE(head_matches(stored_of(row.stored), head_of(row.answer, 404))) << row.says;
  }
}

}  // namespace
}  // namespace revcache::cache::testing
