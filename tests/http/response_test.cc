// Responses of origins: framing by RFC 9112 6.3, and what is refused.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/http/transcript.h"

namespace revcache::http {
namespace {

using namespace std::string_literals;

struct Case {
  const char* name;
  std::string input;
  std::string expected;
  std::vector<Method> methods = {Method::get};
};

const ParserLimits kLimits;

std::string ok(const std::string& rest) { return "HTTP/1.1 200 OK\r\n" + rest; }

const Case kResponses[] = {
    // Framing, RFC 9112 6.3.
    {"ContentLength", ok("Content-Length: 3\r\n\r\nabc"),
     "200 1.1 keep length=3 'OK'{Content-Length: 3} body=abc end"},
    {"ContentLengthZero", ok("Content-Length: 0\r\n\r\n"),
     "200 1.1 keep none 'OK'{Content-Length: 0}"},
    {"Chunked", ok("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
     "200 1.1 keep chunked 'OK'{Transfer-Encoding: chunked} body=abc end"},
    {"ChunkedWithTrailers", ok("Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n"),
     "200 1.1 keep chunked 'OK'{Transfer-Encoding: chunked} body=a end trailers{A: b}"},
    {"UntilClose", ok("\r\nabc"), "200 1.1 close until_close 'OK'{} body=abc closed"},
    {"UntilCloseWithoutAnything", ok("\r\n"), "200 1.1 close until_close 'OK'{} closed"},
    {"UntilCloseDespiteKeepAlive", ok("Connection: keep-alive\r\n\r\nabc"),
     "200 1.1 close until_close 'OK'{Connection: keep-alive} body=abc closed"},
    {"HeadHasNoBody",
     ok("Content-Length: 5\r\n\r\n"),
     "200 1.1 keep none 'OK'{Content-Length: 5}",
     {Method::head}},
    {"HeadWithChunkedHasNoBody",
     ok("Transfer-Encoding: chunked\r\n\r\n"),
     "200 1.1 keep none 'OK'{Transfer-Encoding: chunked}",
     {Method::head}},
    {"HeadWithoutLengthKeepsTheConnection", ok("\r\n"), "200 1.1 keep none 'OK'{}", {Method::head}},
    {"NotModifiedHasNoBody",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n",
     "304 1.1 keep none 'Not Modified'{Content-Length: 5, ETag: \"x\"}"},
    {"NoContentHasNoBody", "HTTP/1.1 204 No Content\r\n\r\n", "204 1.1 keep none 'No Content'{}"},
    {"NoContentThatAnnouncesSomeIsNotTrusted",
     "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
     "204 1.1 close none 'No Content'{Content-Length: 5}"},
    {"NoContentWithLengthZero", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
     "204 1.1 keep none 'No Content'{Content-Length: 0}"},
    {"ConnectOpensATunnel", ok("\r\n\x16\x03"), "200 1.1 keep none 'OK'{}", {Method::connect}},
    {"ConnectIgnoresContentLength",
     ok("Content-Length: 5\r\n\r\nabcde"),
     "200 1.1 keep none 'OK'{Content-Length: 5}",
     {Method::connect}},
    {"ConnectRefusedHasABody",
     "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno",
     "403 1.1 keep length=2 'No'{Content-Length: 2} body=no end",
     {Method::connect}},
    {"ResetContentIsFramedLikeOthers", "HTTP/1.1 205 R\r\nContent-Length: 0\r\n\r\n",
     "205 1.1 keep none 'R'{Content-Length: 0}"},
    // Status lines, RFC 9112 4.
    {"EmptyReason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
     "200 1.1 keep none ''{Content-Length: 0}"},
    {"NoReasonAtAll", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
     "200 1.1 keep none ''{Content-Length: 0}"},
    {"ReasonWithSpacesAndUtf8", "HTTP/1.1 200 sehr sch\xc3\xb6n\r\nContent-Length: 0\r\n\r\n",
     "200 1.1 keep none 'sehr sch\xc3\xb6n'{Content-Length: 0}"},
    {"UnknownStatus", "HTTP/1.1 299 ?\r\nContent-Length: 0\r\n\r\n",
     "299 1.1 keep none '?'{Content-Length: 0}"},
    {"StatusOf999", "HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n",
     "999 1.1 keep none '?'{Content-Length: 0}"},
    {"Http12CountsAs11", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
     "200 1.1 keep none 'OK'{Content-Length: 0}"},
    // Persistence, RFC 9112 9.3.
    {"ConnectionClose", ok("Connection: close\r\nContent-Length: 1\r\n\r\na"),
     "200 1.1 close length=1 'OK'{Connection: close, Content-Length: 1} body=a end"},
    {"Http10", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
     "200 1.0 close length=1 'OK'{Content-Length: 1} body=a end"},
    {"Http10KeepAlive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
     "200 1.0 keep length=1 'OK'{Connection: keep-alive, Content-Length: 1} body=a end"},
    {"Http10UntilClose", "HTTP/1.0 200 OK\r\n\r\nabc",
     "200 1.0 close until_close 'OK'{} body=abc closed"},
    {"UpgradeIsOnlyAnAnnouncement",
     ok("Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: "
        "1\r\n\r\na"),
     "200 1.1 keep length=1 'OK'{Upgrade: h2c, Connection: Upgrade, Content-Length: 1} body=a end"},
    // Interim responses, RFC 9110 15.2.
    {"Continue",
     "HTTP/1.1 100 Continue\r\n\r\n" + ok("Content-Length: 1\r\n\r\na"),
     "100 1.1 keep none 'Continue'{} | 200 1.1 keep length=1 'OK'{Content-Length: 1} body=a end",
     {Method::post}},
    {"EarlyHintsTwice",
     "HTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 103 E\r\nLink: b\r\n\r\n" +
         ok("Content-Length: 0\r\n\r\n"),
     "103 1.1 keep none 'E'{Link: a} | 103 1.1 keep none 'E'{Link: b} | 200 1.1 keep none "
     "'OK'{Content-Length: 0}"},
    {"ContinueBeforeAHeadAnswer",
     "HTTP/1.1 100 C\r\n\r\n" + ok("Content-Length: 9\r\n\r\n"),
     "100 1.1 keep none 'C'{} | 200 1.1 keep none 'OK'{Content-Length: 9}",
     {Method::head}},
    {"ClosedAfterContinue", "HTTP/1.1 100 C\r\n\r\n", "100 1.1 keep none 'C'{}"},
    // Pipelines and what nobody asked for.
    {"TwoResponses",
     ok("Content-Length: 1\r\n\r\na") + ok("Content-Length: 1\r\n\r\nb"),
     "200 1.1 keep length=1 'OK'{Content-Length: 1} body=a end | 200 1.1 keep length=1 "
     "'OK'{Content-Length: 1} body=b end",
     {Method::get, Method::get}},
    {"HeadThenGet",
     ok("Content-Length: 1\r\n\r\n") + ok("Content-Length: 1\r\n\r\nb"),
     "200 1.1 keep none 'OK'{Content-Length: 1} | 200 1.1 keep length=1 'OK'{Content-Length: 1} "
     "body=b end",
     {Method::head, Method::get}},
    {"MoreThanWasAnnounced", ok("Content-Length: 1\r\n\r\nab"),
     "200 1.1 keep length=1 'OK'{Content-Length: 1} body=a end ! malformed"},
    {"AResponseWithoutRequest", ok("Content-Length: 0\r\n\r\n") + ok("\r\n"),
     "200 1.1 keep none 'OK'{Content-Length: 0} ! malformed"},
    // Too early an end.
    {"ClosedWithinTheHead", "HTTP/1.1 200 OK\r\nA: b", "! disconnected"},
    {"ClosedWithinTheStatusLine", "HTTP/1.1 2", "! disconnected"},
    {"ClosedWithinALength", ok("Content-Length: 5\r\n\r\nab"),
     "200 1.1 keep length=5 'OK'{Content-Length: 5} body=ab ! disconnected"},
    {"ClosedBeforeALength", ok("Content-Length: 5\r\n\r\n"),
     "200 1.1 keep length=5 'OK'{Content-Length: 5} ! disconnected"},
    {"ClosedWithinChunks", ok("Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
     "200 1.1 keep chunked 'OK'{Transfer-Encoding: chunked} body=ab ! disconnected"},
    {"ClosedBeforeTheLastChunk", ok("Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
     "200 1.1 keep chunked 'OK'{Transfer-Encoding: chunked} body=a ! disconnected"},
    {"ClosedBeforeAnything", "", ""},
    // Refused.
    {"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n", "! malformed"},
    {"Http09", "<html>hello</html>\n", "! malformed"},
    {"Icecast", "ICY 200 OK\r\n\r\n", "! malformed"},
    {"Http20", "HTTP/2.0 200 OK\r\n\r\n", "! malformed"},
    {"Http09Version", "HTTP/0.9 200 OK\r\n\r\n", "! malformed"},
    {"StatusOfTwoDigits", "HTTP/1.1 20 OK\r\n\r\n", "! malformed"},
    {"StatusOfFourDigits", "HTTP/1.1 2000 OK\r\n\r\n", "! malformed"},
    {"StatusBelow100", "HTTP/1.1 099 OK\r\n\r\n", "! malformed"},
    {"StatusOfLetters", "HTTP/1.1 2x0 OK\r\n\r\n", "! malformed"},
    {"SeveralSpaces", "HTTP/1.1  200 OK\r\n\r\n", "! malformed"},
    {"NulInReason", "HTTP/1.1 200 O\0K\r\n\r\n"s, "! malformed"},
    {"CarriageReturnInReason", "HTTP/1.1 200 O\rK\r\n\r\n", "! malformed"},
    {"BareLineFeeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "! malformed"},
    {"EmptyLineFirst", "\r\nHTTP/1.1 200 OK\r\n\r\n", "! malformed"},
    {"SwitchingProtocols", "HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
     "! malformed"},
    {"ObsFold", ok("A: b\r\n c\r\n\r\n"), "! malformed"},
    {"ObsFoldInContentLength", ok("Content-Length:\r\n 5\r\n\r\nabcde"), "! malformed"},
    {"EmptyFieldName", ok(": b\r\n\r\n"), "! malformed"},
    {"SpaceBeforeColon", ok("Content-Length : 5\r\n\r\nabcde"), "! malformed"},
    {"BareLineFeedAsTheEmptyLine", ok("Content-Length: 1\r\n\na"), "! malformed"},
    {"GzipTransferEncoding", ok("Transfer-Encoding: gzip\r\n\r\nabc"), "! malformed"},
    {"GzipThenChunked", ok("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "! malformed"},
    {"TransferEncodingInHttp10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "! malformed"},
    {"TransferEncodingAndContentLength",
     ok("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "! malformed"},
    {"ContentLengthAndTransferEncoding",
     ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "! malformed"},
    {"TwoContentLengths", ok("Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), "! malformed"},
    {"ContentLengthList", ok("Content-Length: 5, 5\r\n\r\nabcde"), "! malformed"},
    {"ContentLengthWithSign", ok("Content-Length: +5\r\n\r\nabcde"), "! malformed"},
    {"ContentLengthThatWraps", ok("Content-Length: 18446744073709551617\r\n\r\na"), "! malformed"},
    {"MalformedContentLengthToHead",
     ok("Content-Length: x\r\n\r\n"),
     "! malformed",
     {Method::head}},
    {"ChunkSizeThatWraps", ok("Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\na\r\n"),
     "200 1.1 keep chunked 'OK'{Transfer-Encoding: chunked} ! malformed"},
    {"ChunkDataWithoutCrlf", ok("Transfer-Encoding: chunked\r\n\r\n1\r\nab0\r\n\r\n"),
     "200 1.1 keep chunked 'OK'{Transfer-Encoding: chunked} body=a ! malformed"},
    {"ContentLengthInTrailers",
     ok("Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n"),
     "200 1.1 keep chunked 'OK'{Transfer-Encoding: chunked} ! malformed"},
    {"HeadTooLong", ok("A: " + std::string(40000, 'b') + "\r\n\r\n"), "! too_large"},
    {"HeadWithoutEnd", "HTTP/1.1 200 " + std::string(40000, 'b'), "! too_large"},
};

class Response : public testing::TestWithParam<Case> {
 protected:
  static void expect(const std::vector<std::string>& pieces) {
    EXPECT_EQ(response_transcript(pieces, GetParam().methods, kLimits), GetParam().expected);
  }
};

TEST_P(Response, GivesItsVerdict) { expect(whole(GetParam().input)); }

TEST_P(Response, GivesTheSameVerdictOctetByOctet) { expect(octets(GetParam().input)); }

TEST_P(Response, GivesTheSameVerdictWhereverItIsCut) {
  const std::string& input = GetParam().input;
  const std::size_t step = 1 + input.size() / 512;
  for (std::size_t at = 0; at <= input.size(); at += step) expect(cut(input, at));
}

INSTANTIATE_TEST_SUITE_P(Table, Response, testing::ValuesIn(kResponses),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ResponseParser, RefusesEndlessInterimResponses) {
  std::string input;
  for (int i = 0; i < 100; ++i) input += "HTTP/1.1 102 P\r\n\r\n";
  EXPECT_TRUE(response_transcript(whole(input), {Method::get}, kLimits).ends_with("! malformed"));
}

TEST(ResponseParser, LetsItsHeadBeMovedFromAndReadsTheNextOne) {
  const ParserLimits limits;
  ResponseParser parser(limits);
  parser.begin(Method::get);
  Step step = parser.feed("HTTP/1.1 200 OK\r\nA: b\r\n\r\nabc");
  ASSERT_EQ(step.kind, StepKind::head);
  const ResponseHead head = std::move(parser.head());
  EXPECT_EQ(head.fields.find("a"), "b");
  EXPECT_EQ(parser.feed("abc").kind, StepKind::body);
  EXPECT_EQ(parser.finish().kind, StepKind::end);
  parser.begin(Method::get);
  step = parser.feed("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(step.kind, StepKind::head);
  EXPECT_EQ(parser.head().status, 404);
  EXPECT_FALSE(parser.head().fields.has(FieldId::other));
}

}  // namespace
}  // namespace revcache::http
