// What a hit sends, and the encoding of docs/formats.md, section "Stored response head".
#include "cache/stored_response.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/cache/messages.h"

namespace revcache::cache::testing {
namespace {

TEST(Finish, RendersTheHeadInReceivedOrderWithLengthAndVia) {
  const auto stored = stored_of({{"Date", at(0)},
                                 {"Content-Type", "application/pkix-crl"},
                                 {"content-length", "10"},
                                 {"ETag", "\"v1\""},
                                 {"X-Odd", ""},
                                 {"Via", "1.1 edge"},
                                 {"Cache-Status", "edge; hit"},
                                 {"Age", "5"},
                                 {"Via", "1.0 mid"},
                                 {"Cache-Control", "max-age=60"}});
  EXPECT_EQ(stored.rendered_head,
            "HTTP/1.1 200 OK\r\n"
            "Date: Thu, 15 Jan 2026 12:00:00 GMT\r\n"
            "Content-Type: application/pkix-crl\r\n"
            "ETag: \"v1\"\r\n"
            "X-Odd: \r\n"
            "Via: 1.1 edge\r\n"
            "Cache-Status: edge; hit\r\n"
            "Via: 1.0 mid\r\n"
            "Cache-Control: max-age=60\r\n"
            "Content-Length: 10\r\n"
            "Via: 1.1 revcache\r\n");
}

TEST(Finish, RendersForA304WhatACacheNeedsToUpdateItsCopy) {
  // RFC 9110 15.4.5: Cache-Control, Content-Location, Date, ETag, Expires, Vary.
  const auto stored = stored_of({{"Content-Type", "application/pkix-crl"},
                                 {"Cache-Control", "max-age=60"},
                                 {"CDN-Cache-Control", "max-age=90"},
                                 {"Content-Location", "/current.crl"},
                                 {"Date", at(0)},
                                 {"ETag", "\"v1\""},
                                 {"Expires", at(60)},
                                 {"Vary", "Accept"},
                                 {"Last-Modified", at(-3600)},
                                 {"Server", "x"},
                                 {"Age", "5"},
                                 {"Via", "1.1 edge"}});
  EXPECT_EQ(stored.rendered_not_modified,
            "HTTP/1.1 304 Not Modified\r\n"
            "Cache-Control: max-age=60\r\n"
            "CDN-Cache-Control: max-age=90\r\n"
            "Content-Location: /current.crl\r\n"
            "Date: Thu, 15 Jan 2026 12:00:00 GMT\r\n"
            "ETag: \"v1\"\r\n"
            "Expires: Thu, 15 Jan 2026 12:01:00 GMT\r\n"
            "Vary: Accept\r\n"
            "Last-Modified: Thu, 15 Jan 2026 11:00:00 GMT\r\n"
            "Via: 1.1 edge\r\n"
            "Via: 1.1 revcache\r\n");
}

TEST(Finish, AddsTheDateThatTheOriginDidNotSend) {
  for (const Lines& lines : {Lines{}, Lines{{"Date", "yesterday"}}}) {
    const auto stored = stored_of(lines);
    EXPECT_EQ(stored.date, kArrival) << "RFC 9110 6.6.1";
    EXPECT_EQ(lines_of(stored.fields.view()), (Lines{{"Date", at(0)}}));
  }
  EXPECT_EQ(stored_of({{"Date", at(-9)}}).date, kArrival - seconds{9});
}

TEST(Finish, ExtractsTheValidators) {
  const auto stored = stored_of({{"ETag", "W/\"v1\""}, {"Last-Modified", at(-60)}});
  EXPECT_EQ(stored.etag, "W/\"v1\"");
  EXPECT_EQ(stored.last_modified, kArrival - seconds{60});
  const auto none = stored_of({{"Last-Modified", "now"}});
  EXPECT_EQ(none.etag, "");
  EXPECT_FALSE(none.last_modified);
}

TEST(Finish, LetsNoConnectionSpecificFieldThrough) {
  StoredResponse response;
  response.fields = fields_of({{"Date", at(0)},
                               {"Connection", "X-Hop"},
                               {"X-Hop", "1"},
                               {"Transfer-Encoding", "chunked"},
                               {"Keep-Alive", "timeout=5"}});
  EXPECT_EQ(finish(std::move(response))->rendered_head,
            "HTTP/1.1 200 OK\r\nDate: Thu, 15 Jan 2026 12:00:00 GMT\r\nContent-Length: 0\r\n"
            "Via: 1.1 revcache\r\n");
}

TEST(Finish, SendsNoContentLengthWith204) {
  const auto stored = stored_of({{"Date", at(0)}}, "", 204);
  EXPECT_EQ(stored.rendered_head.find("Content-Length"), std::string::npos) << "RFC 9110 8.6";
}

TEST(Finish, TakesTheLengthOfABodyOnDiskAsGiven) {
  StoredResponse response;
  response.on_disk = true;
  response.body_bytes = 5'000'000'000;
  const auto stored = finish(std::move(response));
  EXPECT_NE(stored->rendered_head.find("Content-Length: 5000000000\r\n"), std::string::npos);
}

TEST(Finish, IsTheSameWhenRepeated) {
  const auto once = stored_of({{"ETag", "\"v1\""}, {"Via", "1.1 edge"}});
  StoredResponse copy(once);
  const auto twice = finish(std::move(copy));
  EXPECT_EQ(twice->rendered_head, once.rendered_head);
  EXPECT_EQ(twice->rendered_not_modified, once.rendered_not_modified);
  EXPECT_EQ(lines_of(twice->fields.view()), lines_of(once.fields.view()));
}

TEST(MemoryBytes, CoversBodyFieldsAndRenderedHeads) {
  const auto small = stored_of({{"Date", at(0)}}, "");
  const auto large = stored_of({{"Date", at(0)}}, std::string(100'000, 'x'));
  EXPECT_GE(large.memory_bytes(), small.memory_bytes() + 100'000);
  const auto wordy = stored_of({{"Date", at(0)}, {"X-Long", std::string(1000, 'x')}}, "");
  EXPECT_GE(wordy.memory_bytes(), small.memory_bytes() + 2000);
  EXPECT_GE(small.memory_bytes(), sizeof(StoredResponse));
}

// An entry in which every member has a value of its own.
StoredResponse rich() {
  auto stored = stored_of({{"Date", at(0)},
                           {"Cache-Control", "max-age=60, must-revalidate, stale-if-error=7"},
                           {"ETag", "\"v1\""},
                           {"Last-Modified", at(-60)},
                           {"X-Octets", "\xe4\xf6 \t!"},
                           {"X-Empty", ""}});
  stored.kind = ObjectKind::delta_crl;
  stored.trust = Trust::verified;
  stored.vary = {{"accept", "a,b"}, {"cookie", "\x01"}};
  stored.on_disk = true;
  stored.body_bytes = 123'456'789'012;
  stored.generation = 42;
  stored.freshness.request_time -= std::chrono::milliseconds{1};
  stored.freshness.date_offset = seconds{3};
  stored.freshness.heuristic = true;
  stored.freshness.no_cache = true;
  stored.freshness.stale_while_revalidate = seconds{5};
  stored.freshness.usable_until = WallTime{kArrival} + std::chrono::milliseconds{1234};
  return stored;
}

void expect_same(const StoredResponse& left, const StoredResponse& right) {
  EXPECT_EQ(left.key, right.key);
  EXPECT_EQ(left.kind, right.kind);
  EXPECT_EQ(left.trust, right.trust);
  EXPECT_EQ(left.status, right.status);
  EXPECT_EQ(lines_of(left.fields.view()), lines_of(right.fields.view()));
  EXPECT_EQ(left.vary, right.vary);
  EXPECT_EQ(left.vary_index, right.vary_index);
  EXPECT_EQ(left.etag, right.etag);
  EXPECT_EQ(left.last_modified, right.last_modified);
  EXPECT_EQ(left.date, right.date);
  EXPECT_EQ(left.body_bytes, right.body_bytes);
  EXPECT_EQ(left.on_disk, right.on_disk);
  EXPECT_EQ(left.generation, right.generation);
  EXPECT_EQ(left.freshness.request_time, right.freshness.request_time);
  EXPECT_EQ(left.freshness.response_time, right.freshness.response_time);
  EXPECT_EQ(left.freshness.date_offset, right.freshness.date_offset);
  EXPECT_EQ(left.freshness.lifetime, right.freshness.lifetime);
  EXPECT_EQ(left.freshness.heuristic, right.freshness.heuristic);
  EXPECT_EQ(left.freshness.no_cache, right.freshness.no_cache);
  EXPECT_EQ(left.freshness.must_revalidate, right.freshness.must_revalidate);
  EXPECT_EQ(left.freshness.stale_while_revalidate, right.freshness.stale_while_revalidate);
  EXPECT_EQ(left.freshness.stale_if_error, right.freshness.stale_if_error);
  EXPECT_EQ(left.freshness.usable_until, right.freshness.usable_until);
}

TEST(HeadEncoding, GivesBackWhatWasPutIn) {
  for (const StoredResponse& stored : {rich(), stored_of({}), StoredResponse()}) {
    const auto decoded = decode_head(encode_head(stored));
    ASSERT_TRUE(decoded) << decoded.error().detail;
    expect_same(*decoded, stored);
    EXPECT_EQ(encode_head(*decoded), encode_head(stored));
  }
}

TEST(HeadEncoding, HoldsEveryTimeThatADateOrACertificateCanName) {
  auto stored = rich();
  const WallSeconds first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
  const WallSeconds last = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - seconds{1};
  stored.date = first;
  stored.last_modified = last;
  stored.freshness.response_time = first;
  stored.freshness.usable_until = last;  // 99991231235959Z, RFC 5280 4.1.2.5
  const auto decoded = decode_head(encode_head(stored));
  ASSERT_TRUE(decoded);
  expect_same(*decoded, stored);
}

TEST(HeadEncoding, LeadsToTheSameBytesOnTheWire) {
  const auto stored = stored_of({{"ETag", "\"v1\""}, {"Via", "1.1 edge"}, {"Age", "3"}});
  auto decoded = decode_head(encode_head(stored));
  ASSERT_TRUE(decoded);
  decoded->body = stored.body;
  const auto again = finish(std::move(*decoded));
  EXPECT_EQ(again->rendered_head, stored.rendered_head);
  EXPECT_EQ(again->rendered_not_modified, stored.rendered_not_modified);
}

// Of the description in docs/formats.md: a change of it needs a new version.
TEST(HeadEncoding, IsTheOneThatIsWrittenDown) {
  const auto bytes = encode_head(StoredResponse());
  EXPECT_EQ(bytes.size(), 4U + 1 + 3 + 2 + 9 * 8 + 2 * 8 + 4 * 4 + 8);
  EXPECT_EQ(bytes.substr(0, 5), std::string("RVCH\x01"));
  EXPECT_EQ(bytes[5], static_cast<char>(ObjectKind::other));
  EXPECT_EQ(bytes.substr(8, 2), "\xc8" + std::string(1, '\0')) << "status 200, little endian";
}

TEST(HeadEncoding, RefusesEverySingleDamagedOctet) {
  const auto bytes = encode_head(rich());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ flip);
      const auto decoded = decode_head(damaged);
      ASSERT_FALSE(decoded) << "octet " << i;
      EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
      EXPECT_EQ(decoded.error().blame, Blame::local);
    }
  }
}

TEST(HeadEncoding, RefusesEveryTruncationAndEveryAddition) {
  const auto bytes = encode_head(rich());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_head(bytes.substr(0, length))) << length;
  }
  EXPECT_FALSE(decode_head(bytes + '\0'));
  EXPECT_FALSE(decode_head(bytes + bytes));
  EXPECT_FALSE(decode_head('\0' + bytes));
}

// Heads with a right checksum: what somebody who can write to the directory could make.
TEST(HeadEncoding, RefusesValuesThatWouldHarmThoughTheChecksumIsRight) {
  const auto refused = [](auto&& change) {
    StoredResponse stored = rich();
    change(stored);
    return !decode_head(encode_head(stored));
  };
  using Change = StoredResponse&;
  EXPECT_FALSE(refused([](Change) {})) << "unchanged";
  EXPECT_TRUE(refused([](Change s) { s.fields.add("X", "a\r\nSet-Cookie: b=c"); }));
  EXPECT_TRUE(refused([](Change s) { s.fields.add("X", std::string(1, '\0')); }));
  EXPECT_TRUE(refused([](Change s) { s.fields.add("X Y", "a"); }));
  EXPECT_TRUE(refused([](Change s) { s.fields.add("", "a"); }));
  EXPECT_TRUE(refused([](Change s) { s.etag = "\"a\"\n"; }));
  EXPECT_TRUE(refused([](Change s) { s.status = 99; }));
  EXPECT_TRUE(refused([](Change s) { s.status = 1000; }));
  EXPECT_TRUE(refused([](Change s) { s.kind = static_cast<ObjectKind>(kObjectKinds); }));
  EXPECT_TRUE(refused([](Change s) { s.trust = static_cast<Trust>(2); }));
  EXPECT_TRUE(refused([](Change s) { s.freshness.lifetime = seconds{-1}; }));
  EXPECT_TRUE(refused([](Change s) { s.freshness.lifetime = seconds::max(); }));
  EXPECT_TRUE(refused([](Change s) { s.freshness.date_offset = seconds::min(); }));
  EXPECT_TRUE(refused([](Change s) { s.freshness.response_time = WallTime::max(); }));
  EXPECT_TRUE(refused([](Change s) { s.freshness.usable_until = WallTime::min(); }));
  EXPECT_TRUE(refused([](Change s) { s.date = WallSeconds::max(); }));
}

}  // namespace
}  // namespace revcache::cache::testing
