// Requests that must be refused, with the status that says why. Whatever would let two parsers
// disagree about where a message ends is here (RFC 9112 section 11).
#include <gtest/gtest.h>

#include <string>

#include "http/head_memo.h"
#include "tests/http/transcript.h"

namespace revcache::http {
namespace {

using namespace std::string_literals;

struct Case {
  const char* name;
  std::string input;
  const char* expected;  // the end of the transcript
};

const ParserLimits kLimits;

std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

std::string chunked(const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

std::string target(const std::string& text) {
  return "GET " + text + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

const Case kBad[] = {
    // Request line, RFC 9112 3.
    {"SeveralSpacesAfterTheMethod", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"SeveralSpacesBeforeTheVersion", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"TabAfterTheMethod", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"SpaceBeforeTheMethod", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"SpaceAfterTheVersion", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "! 400"},
    {"FourWords", "GET / x HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"BareLineFeedAfterTheRequestLine", "GET / HTTP/1.1\nHost: h\r\n\r\n", "! 400"},
    {"BareCarriageReturnInTheRequestLine", "GET / HTTP/1.1\rHost: h\r\n\r\n", "! 400"},
    {"TwoEmptyLinesBeforeARequest", "\r\n\r\nGET / HTTP/1.0\r\n\r\n", "! 400"},
    {"BareLineFeedBeforeARequest", "\nGET / HTTP/1.0\r\n\r\n", "! 400"},
    {"CarriageReturnBeforeARequest", "\rGET / HTTP/1.0\r\n\r\n", "! 400"},
    {"NoMethod", "/ HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"MethodOfNoToken", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"MethodWithoutEnd", std::string(100, 'A'), "! 400"},
    {"NoTarget", "GET HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"EmptyTarget", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"TlsClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, "! 400"},
    {"SocksGreeting", "\x05\x01\x00"s, "! 400"},
    {"ZeroOctets", "\0\0\0\0"s, "! 400"},
    // Versions.
    {"Http09", "GET /\r\n", "! 400"},
    {"Http09Spelt", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", "! 505"},
    {"Http20", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "! 505"},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "! 505"},
    {"Http30", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", "! 505"},
    {"Rtsp", "OPTIONS / RTSP/1.0\r\nHost: h\r\n\r\n", "! 400"},
    {"Icecast", "SOURCE / ICE/1.0\r\nHost: h\r\n\r\n", "! 400"},
    {"VersionInLowerCase", "GET / http/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"VersionOfTwoDigits", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", "! 400"},
    {"VersionWithLeadingZero", "GET / HTTP/01.1\r\nHost: h\r\n\r\n", "! 400"},
    {"VersionWithoutMinor", "GET / HTTP/1\r\nHost: h\r\n\r\n", "! 400"},
    // Targets, RFC 3986 appendix A.
    {"FragmentInTarget", target("/a#b"), "! 400"},
    {"QuoteInTarget", target("/a\"b"), "! 400"},
    {"PipeInTarget", target("/a|b"), "! 400"},
    {"BracesInTarget", target("/{a}"), "! 400"},
    {"BackslashInTarget", target("/a\\b"), "! 400"},
    {"AngleBracketsInTarget", target("/<a>"), "! 400"},
    {"CaretInTarget", target("/a^b"), "! 400"},
    {"BacktickInTarget", target("/a`b"), "! 400"},
    {"TabInTarget", target("/a\tb"), "! 400"},
    {"NulInTarget", target("/a\0b"s), "! 400"},
    {"ControlInTarget", target("/a\x01"), "! 400"},
    {"DeleteInTarget", target("/a\x7f"), "! 400"},
    {"OctetAbove127InTarget", target("/\xc3\xa4"), "! 400"},
    {"TargetOfNoForm", target("host/path"), "! 400"},
    {"TargetWithSchemeOfNoForm", target("1http://h/"), "! 400"},
    {"AsteriskWithGet", target("*"), "! 400"},
    {"AuthorityFormWithGet", target("[::1]:80"), "! 400"},
    {"ConnectWithoutPort", "CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"ConnectWithEmptyPort", "CONNECT h: HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"ConnectToAPath", "CONNECT /x HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"ConnectToAUri", "CONNECT http://h:80/ HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"ConnectWithUserinfo", "CONNECT u@h:443 HTTP/1.1\r\nHost: h\r\n\r\n", "! 400"},
    {"ConnectWithABody", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nContent-Length: 5\r\n\r\nabcde",
     "! 400"},
    {"ConnectWithAChunkedBody",
     "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nTransfer-Encoding: chunked\r\n\r\n", "! 400"},
    // Host, RFC 9112 3.2.
    {"NoHost", "GET / HTTP/1.1\r\n\r\n", "! 400"},
    {"NoHostButAbsoluteForm", "GET http://h/ HTTP/1.1\r\n\r\n", "! 400"},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "! 400"},
    {"TwoHostsInHttp10", "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", "! 400"},
    {"TwoHostsInAbsoluteForm", "GET http://h/ HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n", "! 400"},
    {"EmptyHostInOriginForm", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "! 400"},
    {"HostList", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "! 400"},
    {"HostWithUserinfo", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "! 400"},
    {"HostWithPath", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", "! 400"},
    {"HostThatIsAUri", "GET / HTTP/1.1\r\nHost: http://h\r\n\r\n", "! 400"},
    {"HostWithSpace", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "! 400"},
    {"HostPercentEncoded", "GET / HTTP/1.1\r\nHost: %68\r\n\r\n", "! 400"},
    {"HostPortOutOfRange", "GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", "! 400"},
    {"HostPortOfNoDigits", "GET / HTTP/1.1\r\nHost: h:8o\r\n\r\n", "! 400"},
    {"HostOfDecimalAddress", "GET / HTTP/1.1\r\nHost: 2130706433\r\n\r\n", "! 400"},
    {"HostOfHexAddress", "GET / HTTP/1.1\r\nHost: 0x7f000001\r\n\r\n", "! 400"},
    {"HostOfUnclosedBracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "! 400"},
    {"MalformedHostInAbsoluteForm", "GET http://h/ HTTP/1.1\r\nHost: a b\r\n\r\n", "! 400"},
    {"MalformedHostInHttp10", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", "! 400"},
    // Field lines, RFC 9112 5.
    {"SpaceBeforeTheColon", get("X : a\r\n"), "! 400"},
    {"TabBeforeTheColon", get("X\t: a\r\n"), "! 400"},
    {"SpaceBeforeTheColonOfContentLength", get("Content-Length : 0\r\n"), "! 400"},
    {"SpaceBeforeTheFirstField", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "! 400"},
    {"EmptyFieldName", get(": a\r\n"), "! 400"},
    {"LineWithoutColon", get("abc\r\n"), "! 400"},
    {"ObsFold", get("A: b\r\n c\r\n"), "! 400"},
    {"ObsFoldWithTab", get("A: b\r\n\tc\r\n"), "! 400"},
    {"ObsFoldAfterAnEmptyValue", get("A:\r\n c\r\n"), "! 400"},
    {"ObsFoldOfNothing", get("A: b\r\n \r\n"), "! 400"},
    {"ObsFoldOfNothingAfterAnEmptyValue", get("A:\r\n \r\n"), "! 400"},
    {"ObsFoldInTransferEncoding",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "! 400"},
    {"ObsFoldInContentLength", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 5\r\n\r\nabcde",
     "! 400"},
    {"ObsFoldInHost", "GET / HTTP/1.1\r\nHost:\r\n h\r\n\r\n", "! 400"},
    {"ObsFoldInConnection", get("Connection: x\r\n close\r\n"), "! 400"},
    {"BareLineFeedAfterAField", get("A: b\nC: d\r\n"), "! 400"},
    {"BareLineFeedAsTheEmptyLine", "GET / HTTP/1.1\r\nHost: h\r\n\nGET /2 HTTP/1.0\r\n\r\n",
     "! 400"},
    {"BareLineFeedsThroughout", "GET / HTTP/1.1\nHost: h\n\n", "! 400"},
    {"CarriageReturnInAValue", get("A: b\rC: d\r\n"), "! 400"},
    {"CarriageReturnAfterAnEmptyValue", get("A:\rTransfer-Encoding: chunked\r\n"), "! 400"},
    {"TwoCarriageReturns", get("A: b\r\r\n"), "! 400"},
    {"NulInAValue", get("A: b\0c\r\n"s), "! 400"},
    {"NulInAName", get("A\0: b\r\n"s), "! 400"},
    {"ControlInAValue", get("A: \x01\r\n"), "! 400"},
    {"DeleteInAValue", get("A: \x7f\r\n"), "! 400"},
    {"OctetAbove127InAName", get("\xc3\xa4: b\r\n"), "! 400"},
    {"SeparatorInAName", get("A(b): c\r\n"), "! 400"},
    // Content-Length, RFC 9112 6.2 and 6.3.
    {"TwoContentLengths", get("Content-Length: 5\r\nContent-Length: 6\r\n"), "! 400"},
    {"TheSameContentLengthTwice", get("Content-Length: 5\r\nContent-Length: 5\r\n"), "! 400"},
    {"ContentLengthList", get("Content-Length: 5, 5\r\n"), "! 400"},
    {"ContentLengthWithPlus", get("Content-Length: +5\r\n"), "! 400"},
    {"ContentLengthWithMinus", get("Content-Length: -5\r\n"), "! 400"},
    {"ContentLengthInHex", get("Content-Length: 0x5\r\n"), "! 400"},
    {"ContentLengthWithAPoint", get("Content-Length: 5.0\r\n"), "! 400"},
    {"ContentLengthWithSpaceInside", get("Content-Length: 5 5\r\n"), "! 400"},
    {"EmptyContentLength", get("Content-Length:\r\n"), "! 400"},
    {"ContentLengthOf2To63", get("Content-Length: 9223372036854775808\r\n"), "! 400"},
    {"ContentLengthOf2To64", get("Content-Length: 18446744073709551616\r\n"), "! 400"},
    {"ContentLengthThatWraps", get("Content-Length: 18446744073709551621\r\n"), "! 400"},
    {"ContentLengthOfManyDigits", get("Content-Length: " + std::string(200, '9') + "\r\n"),
     "! 400"},
    // Transfer-Encoding, RFC 9112 6.1 and 6.3.
    {"ContentLengthThenTransferEncoding",
     get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "! 400"},
    {"TransferEncodingThenContentLength",
     get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "! 400"},
    {"GzipBeforeChunked", get("Transfer-Encoding: gzip, chunked\r\n"), "! 501"},
    {"GzipBeforeChunkedOnTwoLines",
     get("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), "! 400"},
    {"GzipAlone", get("Transfer-Encoding: gzip\r\n"), "! 400"},
    {"ChunkedThenGzip", get("Transfer-Encoding: chunked, gzip\r\n"), "! 400"},
    {"ChunkedTwice", get("Transfer-Encoding: chunked, chunked\r\n"), "! 400"},
    {"ChunkedOnTwoLines", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
     "! 400"},
    {"Identity", get("Transfer-Encoding: identity\r\n"), "! 400"},
    {"ChunkedMisspelt", get("Transfer-Encoding: xchunked\r\n"), "! 400"},
    {"ChunkedInQuotes", get("Transfer-Encoding: \"chunked\"\r\n"), "! 400"},
    {"ChunkedWithParameter", get("Transfer-Encoding: chunked;q=1\r\n"), "! 400"},
    {"ChunkedWithVerticalTab",
     get("Transfer-Encoding: \x0b"
         "chunked\r\n"),
     "! 400"},
    {"EmptyTransferEncoding", get("Transfer-Encoding:\r\n"), "! 400"},
    {"TransferEncodingWithComma", get("Transfer-Encoding: ,chunked\r\n"), "! 400"},
    {"TransferEncodingInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "! 400"},
    {"TransferEncodingInHttp10WithKeepAlive",
     "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "! 400"},
    // Chunks, RFC 9112 7.1.
    {"ChunkSizeOfNoDigits", chunked("g\r\n"), "! 400"},
    {"EmptyChunkSize", chunked("\r\n"), "! 400"},
    {"ChunkSizeWithMinus", chunked("-1\r\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkSizeWithPlus", chunked("+1\r\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkSizeWithPrefix", chunked("0x1\r\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkSizeWithSpace", chunked("1 \r\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkSizeThatWraps", chunked("10000000000000001\r\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkSizeOf2To63", chunked("8000000000000000\r\nx"), "! 400"},
    {"ChunkSizeWithBareLineFeed", chunked("1\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkSizeWithBareCarriageReturn", chunked("1\rx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkDataTooLong", chunked("1\r\nxy\r\n0\r\n\r\n"), "! 400"},
    {"ChunkDataWithBareLineFeed", chunked("1\r\nx\n0\r\n\r\n"), "! 400"},
    {"ChunkDataWithBareCarriageReturn", chunked("1\r\nx\r0\r\n\r\n"), "! 400"},
    {"LastChunkWithBareCarriageReturn", chunked("0\r\n\rX"), "! 400"},
    {"LastChunkWithBareLineFeed", chunked("0\r\n\n"), "! 400"},
    {"ChunkExtensionWithBareLineFeed", chunked("1;a\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkExtensionWithQuotedLineFeed", chunked("1;a=\"\n\"\r\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkExtensionWithControl", chunked("1;a\x01\r\nx\r\n0\r\n\r\n"), "! 400"},
    {"ChunkExtensionTooLong", chunked("1;" + std::string(300, 'a') + "\r\nx\r\n0\r\n\r\n"),
     "! 400"},
    {"ChunkSizeOfTooManyZeros", chunked(std::string(300, '0') + "1\r\nx\r\n0\r\n\r\n"), "! 400"},
    // Trailers, RFC 9110 6.5.1.
    {"ContentLengthInTrailers", chunked("0\r\nContent-Length: 5\r\n\r\n"), "! 400"},
    {"TransferEncodingInTrailers", chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), "! 400"},
    {"HostInTrailers", chunked("0\r\nHost: other\r\n\r\n"), "! 400"},
    {"ConnectionInTrailers", chunked("0\r\nConnection: close\r\n\r\n"), "! 400"},
    {"TrailerInTrailers", chunked("0\r\nTrailer: x\r\n\r\n"), "! 400"},
    {"ContentEncodingInTrailers", chunked("0\r\nContent-Encoding: gzip\r\n\r\n"), "! 400"},
    {"ObsFoldInTrailers", chunked("0\r\nA: b\r\n c\r\n\r\n"), "! 400"},
    {"ObsFoldAtTheStartOfTrailers", chunked("0\r\n A: b\r\n\r\n"), "! 400"},
    {"EmptyNameInTrailers", chunked("0\r\n: b\r\n\r\n"), "! 400"},
    {"BareLineFeedAtTheEndOfTrailers", chunked("0\r\nA: b\r\n\n"), "! 400"},
    {"SpaceBeforeTheColonInTrailers", chunked("0\r\nA : b\r\n\r\n"), "! 400"},
    {"TrailersTooLong", chunked("0\r\nA: " + std::string(5000, 'b') + "\r\n\r\n"), "! 431"},
    // Limits.
    {"TargetTooLong", target("/" + std::string(8 * 1024, 'a')), "! 414"},
    {"TargetTooLongAndNotComplete", "GET /" + std::string(9 * 1024, 'a'), "! 414"},
    {"TargetLongerThanTheWholeHeadMayBe", "GET /" + std::string(64 * 1024, 'a'), "! 414"},
    {"FieldTooLong", get("A: " + std::string(33 * 1024, 'b') + "\r\n"), "! 431"},
    {"FieldNameTooLong", get(std::string(33 * 1024, 'b')), "! 431"},
    {"FieldsTooLongTogether",
     [] {
       std::string fields;
       for (int i = 0; i < 90; ++i) fields += "A: " + std::string(400, 'b') + "\r\n";
       return get(fields);
     }(),
     "! 431"},
    {"TooManyFields",
     [] {
       std::string fields;
       for (int i = 0; i < 100; ++i) fields += "A: b\r\n";
       return get(fields);
     }(),
     "! 431"},
    // Two faults: whichever is told, it must not depend on how the octets are cut.
    {"TooManyFieldsAndAMalformedName",
     [] {
       std::string fields;
       for (int i = 0; i < 99; ++i) fields += "A: b\r\n";
       return get(fields + "C\x0b: d\r\n");
     }(),
     "! 400"},
    {"TargetTooLongAndNoVersion", "GET /" + std::string(9 * 1024, 'a') + "\r\nHost: h\r\n\r\n",
     "! 414"},
    {"SpacesBeyondTheLongestTarget",
     "GET /" + std::string(9 * 1024, ' ') + "HTTP/1.1\r\nHost: h\r\n\r\n", "! 414"},
    // What a second request behind the first one may not do.
    {"GarbageAfterARequest", get("") + "garbage\r\n\r\n", "! 400"},
    {"ABodyNobodyAnnounced", "GET / HTTP/1.1\r\nHost: h\r\n\r\na=b&c=d\r\n\r\n", "! 400"},
};

class BadRequest : public testing::TestWithParam<Case> {};

void expect_refused(const std::string& transcript, const Case& row) {
  EXPECT_TRUE(transcript.ends_with(row.expected)) << transcript;
}

TEST_P(BadRequest, IsRefused) {
  expect_refused(request_transcript(whole(GetParam().input), kLimits), GetParam());
}

TEST_P(BadRequest, IsRefusedOctetByOctet) {
  expect_refused(request_transcript(octets(GetParam().input), kLimits), GetParam());
}

TEST_P(BadRequest, IsRefusedWhereverItIsCut) {
  const std::string& input = GetParam().input;
  const std::size_t step = 1 + input.size() / 512;
  for (std::size_t at = 0; at <= input.size(); at += step) {
    expect_refused(request_transcript(cut(input, at), kLimits), GetParam());
  }
}

TEST_P(BadRequest, IsRefusedAgainAndAgain) {
  HeadMemo known;
  for (int times = 0; times < 3; ++times) {
    expect_refused(request_transcript(whole(GetParam().input), kLimits, &known), GetParam());
  }
}

// What follows the place of the fault does not matter: no second message comes out of it.
TEST_P(BadRequest, IsRefusedForGood) {
  RequestParser parser(kLimits);
  std::string_view chunk = GetParam().input;
  Step step;
  while (!chunk.empty() && step.kind != StepKind::malformed) {
    step = parser.feed(chunk);
    chunk.remove_prefix(step.consumed);
  }
  ASSERT_EQ(step.kind, StepKind::malformed);
  EXPECT_EQ(parser.feed("GET / HTTP/1.0\r\n\r\n").kind, StepKind::malformed);
  EXPECT_FALSE(parser.error().detail.empty());
  EXPECT_EQ(parser.error().blame, Blame::client);
}

INSTANTIATE_TEST_SUITE_P(Table, BadRequest, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace revcache::http
