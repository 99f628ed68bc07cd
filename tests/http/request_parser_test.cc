// What the tables of requests do not show: where views point, what is counted, and that llhttp is
// the strict one.
#include <gtest/gtest.h>
#include <llhttp.h>

#include <string>

#include "http/cache_control.h"
#include "http/parser.h"
#include "http/uri.h"
#include "tests/http/allocations.h"
#include "tests/http/transcript.h"

namespace revcache::http {
namespace {

const ParserLimits kLimits;

constexpr std::string_view kSmallGet =
    "GET http://pki.test/current.crl HTTP/1.1\r\nProxy-Connection: Keep-Alive\r\nAccept: */*\r\n"
    "User-Agent: Microsoft-CryptoAPI/10.0\r\nCache-Control: max-age = 3600\r\nHost: "
    "pki.test\r\n\r\n";

// llhttp's packaged header turns strict mode off; everything here passes without it.
TEST(Llhttp, IsCompiledStrict) {
  EXPECT_EQ(LLHTTP_STRICT_MODE, 1);
  for (const char* text : {"GET / HTTP/1.1\r\nX-Abc:\rTransfer-Encoding: chunked\r\n\r\n",
                           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
                           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\rX",
                           "GET / HTTP/1.1\r\nX : a\r\n\r\n", "GET /\t HTTP/1.1\r\n\r\n",
                           "GET /\xc3\xa4 HTTP/1.1\r\n\r\n"}) {
    const llhttp_settings_t settings{};
    llhttp_t llhttp{};
    llhttp_init(&llhttp, HTTP_REQUEST, &settings);
    EXPECT_NE(llhttp_execute(&llhttp, text, std::string_view(text).size()), HPE_OK) << text;
  }
}

TEST(RequestParser, DoesNotCopyAHeadThatLiesInOneChunk) {
  const std::string text(kSmallGet);
  RequestParser parser(kLimits);
  const Step step = parser.feed(text);
  ASSERT_EQ(step.kind, StepKind::head);
  EXPECT_EQ(step.consumed, text.size());
  EXPECT_EQ(parser.head().target.data(), text.data() + 4);
  const auto host = parser.head().fields.find(FieldId::host);
  EXPECT_EQ(host->data(), text.data() + text.size() - 12);
}

TEST(RequestParser, AllocatesNothingForASmallRequest) {
  RequestParser parser(kLimits);
  std::string storage;
  storage.reserve(256);
  const std::size_t before = allocations();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(parser.feed(kSmallGet).kind, StepKind::head);
    const RequestHead& head = parser.head();
    ASSERT_TRUE(parse_absolute_form(head.target, storage));
    ASSERT_TRUE(parse_request_directives(head.fields).max_age);
    ASSERT_TRUE(head.keep_alive);
  }
  EXPECT_EQ(allocations(), before);
}

TEST(RequestParser, ShowsBodiesInPlace) {
  const std::string text = "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc";
  RequestParser parser(kLimits);
  std::string_view chunk = text;
  chunk.remove_prefix(parser.feed(chunk).consumed);
  const Step body = parser.feed(chunk);
  EXPECT_EQ(body.kind, StepKind::body);
  EXPECT_EQ(body.body.data(), text.data() + text.size() - 3);
  EXPECT_EQ(body.body, "abc");
  chunk.remove_prefix(body.consumed);
  ASSERT_FALSE(chunk.empty());
  const Step end = parser.feed(chunk);
  EXPECT_EQ(end.kind, StepKind::end);
  EXPECT_EQ(end.consumed, chunk.size());
}

TEST(RequestParser, TellsWhereItStands) {
  RequestParser parser(kLimits);
  EXPECT_TRUE(parser.between_messages() && !parser.in_head());
  parser.feed("\r\n");
  EXPECT_TRUE(parser.between_messages() && !parser.in_head());
  parser.feed("GE");
  EXPECT_TRUE(!parser.between_messages() && parser.in_head());
  parser.feed("T / HTTP/1.0\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(!parser.between_messages() && !parser.in_head());
  parser.feed("a");
  parser.feed("b");
  EXPECT_FALSE(parser.between_messages());
  EXPECT_EQ(parser.feed("b").kind, StepKind::end);
  EXPECT_TRUE(parser.between_messages());
}

TEST(RequestParser, TakesNothingOfATunnel) {
  RequestParser parser(kLimits);
  std::string_view chunk = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\nGET / HTTP/1.0\r\n\r\n";
  const Step head = parser.feed(chunk);
  ASSERT_EQ(head.kind, StepKind::head);
  chunk.remove_prefix(head.consumed);
  EXPECT_EQ(chunk, "GET / HTTP/1.0\r\n\r\n");
  const Step step = parser.feed(chunk);
  EXPECT_EQ(step.kind, StepKind::need_more);
  EXPECT_EQ(step.consumed, 0U);
}

TEST(RequestParser, KeepsHeadsApartThatShareItsMemory) {
  RequestParser parser(kLimits);
  const std::string first = "GET /1 HTTP/1.0\r\nA: " + std::string(1000, 'a') + "\r\n\r\n";
  parser.feed(first.substr(0, 500));
  ASSERT_EQ(parser.feed(first.substr(500)).kind, StepKind::head);
  EXPECT_EQ(parser.head().fields.find("a")->size(), 1000U);
  parser.release_memory();
  ASSERT_EQ(parser.feed("GET /2 HTTP/1.0\r\nB: c\r\n\r\n").kind, StepKind::head);
  EXPECT_EQ(parser.head().target, "/2");
  EXPECT_EQ(parser.head().fields.size(), 1U);
  EXPECT_TRUE(parser.trailers().empty());
}

TEST(RequestParser, ForgetsTrailersWithTheNextMessage) {
  RequestParser parser(kLimits);
  std::string_view chunk =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n";
  chunk.remove_prefix(parser.feed(chunk).consumed);
  ASSERT_EQ(parser.feed(chunk).kind, StepKind::end);
  EXPECT_EQ(parser.trailers().find("a"), "b");
  ASSERT_EQ(parser.feed("GET / HTTP/1.0\r\n\r\n").kind, StepKind::head);
  EXPECT_TRUE(parser.trailers().empty());
}

TEST(RequestParser, RefusesMoreFramingThanData) {
  std::string text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 1000; ++i) text += "1;" + std::string(200, 'x') + "\r\na\r\n";
  EXPECT_TRUE(request_transcript(whole(text), kLimits).ends_with("! 400"));
}

TEST(RequestParser, TakesManySmallChunksWithoutExtensions) {
  std::string text = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100000; ++i) text += "1\r\na\r\n";
  text += "0\r\n\r\n";
  EXPECT_TRUE(request_transcript(whole(text), kLimits).ends_with("a end"));
}

struct Edge {
  const char* name;
  ParserLimits limits;
  std::string input;
  const char* expected;
};

TEST(RequestParser, TakesWhatIsExactlyAtALimit) {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n";
  const Edge edges[] = {
      {"head", {.header_bytes_max = head.size()}, head, "{Host: h}"},
      {"head", {.header_bytes_max = head.size() - 1}, head, "! 431"},
      {"start line", {.header_bytes_max = 10}, head, "! 431"},
      {"fields", {.fields_max = 1}, head, "{Host: h}"},
      {"fields", {.fields_max = 0}, head, "! 431"},
      {"target", {.target_bytes_max = 1}, head, "{Host: h}"},
      {"target", {.target_bytes_max = 0}, head, "! 414"},
      {"trailers", {.trailer_bytes_max = 8}, chunked, "trailers{A: b}"},
      {"trailers", {.trailer_bytes_max = 7}, chunked, "! 431"},
      {"trailer fields", {.fields_max = 2}, chunked, "trailers{A: b}"},
      {"chunk line", {.chunk_line_bytes_max = 5}, chunked, "trailers{A: b}"},
      {"chunk line", {.chunk_line_bytes_max = 4}, chunked, "! 400"},
  };
  for (const Edge& edge : edges) {
    for (const auto& pieces : {whole(edge.input), octets(edge.input)}) {
      const std::string transcript = request_transcript(pieces, edge.limits);
      EXPECT_TRUE(transcript.ends_with(edge.expected)) << edge.name << ": " << transcript;
    }
  }
}

}  // namespace
}  // namespace revcache::http
