#include "bench/generator/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::bench {
namespace {

constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nCache-Status: cdn; fwd=miss\r\nX-Other: hit\r\ncache-status: near; hit\r\n"
    "ETag: \"e\"\r\nLast-Modified: Sun, 22 Nov 2026 20:00:00 GMT\r\nEmpty:\r\n"
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

void expect_answer(const Answer& answer) {
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.cache, CacheResult::hit);
  EXPECT_EQ(answer.etag, "\"e\"");
  EXPECT_EQ(answer.last_modified, "Sun, 22 Nov 2026 20:00:00 GMT");
  EXPECT_EQ(answer.body_bytes, 5U);
  EXPECT_EQ(answer.body_hash, XXH3_64bits("abcde", 5));
  EXPECT_TRUE(answer.keeps_alive);
}

TEST(ResponseParser, ReadsAChunkedAnswerWhereverItIsCut) {
  for (std::size_t cut = 1; cut < kChunked.size(); ++cut) {
    ResponseParser parser;
    std::string_view first = kChunked.substr(0, cut);
    std::string_view second = kChunked.substr(cut);
    ASSERT_EQ(parser.feed(first), ResponseParser::Step::need_more) << cut;
    ASSERT_EQ(parser.feed(second), ResponseParser::Step::complete) << cut;
    EXPECT_TRUE(second.empty());
    expect_answer(parser.answer());
  }
}

TEST(ResponseParser, ReadsOneAnswerAfterTheOther) {
  ResponseParser parser;
  for (int at = 0; at < 3; ++at) {
    parser.reset();
    EXPECT_FALSE(parser.begun());
    std::string_view chunk = kChunked;
    ASSERT_EQ(parser.feed(chunk), ResponseParser::Step::complete);
    expect_answer(parser.answer());
  }
}

TEST(ResponseParser, LeavesWhatIsBehindTheAnswer) {
  ResponseParser parser;
  std::string_view chunk = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxmore";
  EXPECT_EQ(parser.feed(chunk), ResponseParser::Step::complete);
  EXPECT_EQ(chunk, "more");
}

TEST(ResponseParser, TakesTheEndOfTheConnectionForTheEndOfABodyWithoutLength) {
  ResponseParser parser;
  std::string_view chunk = "HTTP/1.0 200 OK\r\n\r\nabc";
  EXPECT_EQ(parser.feed(chunk), ResponseParser::Step::need_more);
  EXPECT_EQ(parser.finish(), ResponseParser::Step::complete);
  EXPECT_EQ(parser.answer().body_bytes, 3U);
  EXPECT_FALSE(parser.answer().keeps_alive);
}

TEST(ResponseParser, DoesNotTakeAShortBodyForAWholeOne) {
  ResponseParser parser;
  std::string_view chunk = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
  EXPECT_EQ(parser.feed(chunk), ResponseParser::Step::need_more);
  EXPECT_EQ(parser.finish(), ResponseParser::Step::malformed);
}

TEST(ResponseParser, SkipsAnInterimResponse) {
  ResponseParser parser;
  const std::string text =
      "HTTP/1.1 103 Early Hints\r\nETag: \"no\"\r\n\r\n" + std::string(kChunked);
  std::string_view chunk = text;
  EXPECT_EQ(parser.feed(chunk), ResponseParser::Step::complete);
  expect_answer(parser.answer());
}

TEST(ResponseParser, A304HasNoBody) {
  ResponseParser parser;
  std::string_view chunk = "HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n";
  EXPECT_EQ(parser.feed(chunk), ResponseParser::Step::complete);
  EXPECT_EQ(parser.answer().body_bytes, 0U);
}

struct OcspCase {
  std::string body;
  int status;
};

class OcspStatus : public testing::TestWithParam<OcspCase> {};

TEST_P(OcspStatus, IsReadFromTheFirstOctets) {
  const std::string& body = GetParam().body;
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  ResponseParser parser;
  std::string_view chunk = text;
  ASSERT_EQ(parser.feed(chunk), ResponseParser::Step::complete);
  EXPECT_EQ(parser.answer().ocsp_status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(Table, OcspStatus,
                         testing::Values(OcspCase{std::string("\x30\x03\x0a\x01\x03", 5), 3},
                                         OcspCase{std::string("\x30\x03\x0a\x01\x00", 5), 0},
                                         OcspCase{
                                             std::string("\x30\x82\x01\x00\x0a\x01\x00\xa0", 8), 0},
                                         OcspCase{std::string("\x30\x82\x01", 3), -1},
                                         OcspCase{"<html>", -1}, OcspCase{"", -1}));

}  // namespace
}  // namespace revcache::bench
