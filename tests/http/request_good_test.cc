// Requests that must be understood, and what they mean (RFC 9112).
#include <gtest/gtest.h>

#include <string>

#include "http/head_memo.h"
#include "tests/http/transcript.h"

namespace revcache::http {
namespace {

struct Case {
  const char* name;
  std::string input;
  std::string expected;
};

const ParserLimits kLimits;

const Case kGood[] = {
    // CryptoAPI and its kin, DOMAIN of this proxy.
    {"CryptoApiThroughAProxy",
     "GET http://pki.test/current.crl HTTP/1.1\r\nProxy-Connection: Keep-Alive\r\nAccept: */*\r\n"
     "User-Agent: Microsoft-CryptoAPI/10.0\r\nHost: pki.test\r\n\r\n",
     "GET http://pki.test/current.crl 1.1 keep none{Proxy-Connection: Keep-Alive, Accept: */*, "
     "User-Agent: Microsoft-CryptoAPI/10.0, Host: pki.test}"},
    {"CryptoApiRevalidates",
     "GET /c.crl HTTP/1.1\r\nCache-Control: max-age = 3600\r\nIf-None-Match: \"x\"\r\nHost: "
     "h\r\n\r\n",
     "GET /c.crl 1.1 keep none{Cache-Control: max-age = 3600, If-None-Match: \"x\", Host: h}"},
    {"OcspPost", "POST /ocsp HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
     "POST /ocsp 1.1 keep length=3{Host: h, Content-Length: 3} body=abc end"},
    {"OcspGetWithRawBase64", "GET /ocsp/MFEw+T//z== HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /ocsp/MFEw+T//z== 1.1 keep none{Host: h}"},
    {"OcspGetPercentEncoded", "GET /ocsp/MFEw%2BT%2F%3D HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /ocsp/MFEw%2BT%2F%3D 1.1 keep none{Host: h}"},
    // Targets, RFC 9112 3.2.
    {"OriginForm", "GET /a/b?q=1 HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /a/b?q=1 1.1 keep none{Host: h}"},
    {"OriginFormWithDoubleSlash", "GET //a//b HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET //a//b 1.1 keep none{Host: h}"},
    {"AbsoluteForm", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET http://h/ 1.1 keep none{Host: h}"},
    {"AbsoluteFormWithoutPath", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET http://h 1.1 keep none{Host: h}"},
    {"AbsoluteFormHttps", "GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET https://h/ 1.1 keep none{Host: h}"},
    {"AbsoluteFormInUpperCase", "GET HTTP://H/ HTTP/1.1\r\nHost: H\r\n\r\n",
     "GET HTTP://H/ 1.1 keep none{Host: H}"},
    {"AbsoluteFormAndAnotherHost", "GET http://h/ HTTP/1.1\r\nHost: other\r\n\r\n",
     "GET http://h/ 1.1 keep none{Host: other}"},
    {"AbsoluteFormAndEmptyHost", "GET http://h/ HTTP/1.1\r\nHost:\r\n\r\n",
     "GET http://h/ 1.1 keep none{Host: }"},
    {"AbsoluteFormOfAnIpv6Literal", "GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]\r\n\r\n",
     "GET http://[::1]:80/ 1.1 keep none{Host: [::1]}"},
    {"AuthorityForm", "CONNECT h.test:443 HTTP/1.1\r\nHost: h.test:443\r\n\r\n\x16\x03",
     "CONNECT h.test:443 1.1 keep none{Host: h.test:443}"},
    {"AuthorityFormOfIpv6", "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n",
     "CONNECT [::1]:443 1.1 keep none{Host: [::1]:443}"},
    {"AuthorityFormInHttp10", "CONNECT h:443 HTTP/1.0\r\n\r\n", "CONNECT h:443 1.0 close none{}"},
    {"AuthorityFormWithContentLengthZero",
     "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nContent-Length: 0\r\n\r\n",
     "CONNECT h:443 1.1 keep none{Host: h:443, Content-Length: 0}"},
    {"AsteriskForm", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * 1.1 keep none{Host: h}"},
    {"AsteriskFormWithEmptyHost", "OPTIONS * HTTP/1.1\r\nHost: \r\n\r\n",
     "OPTIONS * 1.1 keep none{Host: }"},
    {"EveryCharacterOfAPath", "GET /-._~!$&'()*+,;=:@%41?/[x] HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /-._~!$&'()*+,;=:@%41?/[x] 1.1 keep none{Host: h}"},
    // Methods, RFC 9110 9.1: any token.
    {"Head", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD / 1.1 keep none{Host: h}"},
    {"Put", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
     "PUT / 1.1 keep length=1{Host: h, Content-Length: 1} body=x end"},
    {"Purge", "PURGE / HTTP/1.1\r\nHost: h\r\n\r\n", "PURGE / 1.1 keep none{Host: h}"},
    {"MethodNobodyKnows", "BREW-TEA! / HTTP/1.1\r\nHost: h\r\n\r\n",
     "BREW-TEA! / 1.1 keep none{Host: h}"},
    {"MethodsAreCaseSensitive", "get / HTTP/1.1\r\nHost: h\r\n\r\n",
     "get / 1.1 keep none{Host: h}"},
    {"MethodOfRtspOnHttp", "DESCRIBE / HTTP/1.1\r\nHost: h\r\n\r\n",
     "DESCRIBE / 1.1 keep none{Host: h}"},
    {"MethodOfTheHttp2PrefaceOnHttp11", "PRI /x HTTP/1.1\r\nHost: h\r\n\r\n",
     "PRI /x 1.1 keep none{Host: h}"},
    {"GetWithABody", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
     "GET / 1.1 keep length=2{Host: h, Content-Length: 2} body=hi end"},
    // Versions, RFC 9110 2.5 and RFC 9112 9.3.
    {"Http10WithoutAnyField", "GET http://h/c.crl HTTP/1.0\r\n\r\n",
     "GET http://h/c.crl 1.0 close none{}"},
    {"Http10OriginFormWithoutHost", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0 close none{}"},
    {"Http10KeepAlive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     "GET / 1.0 keep none{Connection: Keep-Alive}"},
    {"Http10ProxyConnection", "GET / HTTP/1.0\r\nProxy-Connection: Keep-Alive\r\n\r\n",
     "GET / 1.0 keep none{Proxy-Connection: Keep-Alive}"},
    {"Http10KeepAliveAmongOthers", "GET / HTTP/1.0\r\nConnection: x, keep-alive\r\n\r\n",
     "GET / 1.0 keep none{Connection: x, keep-alive}"},
    {"Http12CountsAs11", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", "GET / 1.1 keep none{Host: h}"},
    {"Http19CountsAs11", "GET / HTTP/1.9\r\nHost: h\r\n\r\n", "GET / 1.1 keep none{Host: h}"},
    {"ConnectionClose", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
     "GET / 1.1 close none{Host: h, Connection: close}"},
    {"ConnectionCloseInAnyCase", "GET / HTTP/1.1\r\nHost: h\r\nconnection: x , CLOSE\r\n\r\n",
     "GET / 1.1 close none{Host: h, connection: x , CLOSE}"},
    {"CloseWinsOverKeepAlive", "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n",
     "GET / 1.1 close none{Host: h, Connection: keep-alive, close}"},
    {"ConnectionOnSeveralLines",
     "GET / HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: close\r\n\r\n",
     "GET / 1.1 close none{Host: h, Connection: x, Connection: close}"},
    {"CloseAsPartOfAWordIsNothing", "GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n",
     "GET / 1.1 keep none{Host: h, Connection: closed}"},
    {"DataAfterConnectionCloseIsTheNextRequest",
     "GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /1 1.1 close none{Host: h, Connection: close} | GET /2 1.1 keep none{Host: h}"},
    // Upgrade is for one connection and we do not offer it: framing stays as it is (RFC 9110 7.8).
    {"UpgradeChangesNothing",
     "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /2 "
     "HTTP/1.0\r\n\r\n",
     "GET / 1.1 keep none{Host: h, Connection: Upgrade, Upgrade: websocket} | GET /2 1.0 close "
     "none{}"},
    {"UpgradeWithABody",
     "POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: "
     "2\r\n\r\nabGET /2 HTTP/1.0\r\n\r\n",
     "POST / 1.1 keep length=2{Host: h, Connection: Upgrade, Upgrade: h2c, Content-Length: 2} "
     "body=ab end | GET /2 1.0 close none{}"},
    // Fields, RFC 9112 5.
    {"NoSpaceAfterTheColon", "GET / HTTP/1.1\r\nHost:h\r\n\r\n", "GET / 1.1 keep none{Host: h}"},
    {"WhitespaceAroundValues", "GET / HTTP/1.1\r\nHost: \t h \t\r\nA:  b c  \r\n\r\n",
     "GET / 1.1 keep none{Host: h, A: b c}"},
    {"EmptyValues", "GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:   \r\nC: d\r\n\r\n",
     "GET / 1.1 keep none{Host: h, A: , B: , C: d}"},
    {"EmptyValuesOfFieldsThatLlhttpKnows",
     "GET / HTTP/1.1\r\nHost: h\r\nConnection:\r\nUpgrade:\r\nProxy-Connection: \r\n\r\n",
     "GET / 1.1 keep none{Host: h, Connection: , Upgrade: , Proxy-Connection: }"},
    {"OctetsAbove127InValues", "GET / HTTP/1.1\r\nHost: h\r\nA: \xc3\xa4\xff\r\n\r\n",
     "GET / 1.1 keep none{Host: h, A: \xc3\xa4\xff}"},
    {"TabInsideAValue", "GET / HTTP/1.1\r\nHost: h\r\nA: b\tc\r\n\r\n",
     "GET / 1.1 keep none{Host: h, A: b\tc}"},
    {"ColonsInAValue", "GET / HTTP/1.1\r\nHost: h\r\nA: b:c::\r\n\r\n",
     "GET / 1.1 keep none{Host: h, A: b:c::}"},
    {"EveryCharacterOfAName", "GET / HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~9aZ: x\r\n\r\n",
     "GET / 1.1 keep none{Host: h, !#$%&'*+-.^_`|~9aZ: x}"},
    {"ALineOfEachCase", "GET / HTTP/1.1\r\nhOST: h\r\nCONTENT-length: 1\r\n\r\nx",
     "GET / 1.1 keep length=1{hOST: h, CONTENT-length: 1} body=x end"},
    // Host, RFC 9112 3.2.
    {"HostWithPort", "GET / HTTP/1.1\r\nHost: h:8080\r\n\r\n", "GET / 1.1 keep none{Host: h:8080}"},
    {"HostWithEmptyPort", "GET / HTTP/1.1\r\nHost: h:\r\n\r\n", "GET / 1.1 keep none{Host: h:}"},
    {"HostWithTrailingDot", "GET / HTTP/1.1\r\nHost: h.\r\n\r\n", "GET / 1.1 keep none{Host: h.}"},
    {"HostOfIpv4", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
     "GET / 1.1 keep none{Host: 127.0.0.1}"},
    {"HostInHttp10", "GET / HTTP/1.0\r\nHost: h\r\n\r\n", "GET / 1.0 close none{Host: h}"},
    // Bodies, RFC 9112 6 and 7.
    {"ContentLengthZero", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
     "POST / 1.1 keep none{Host: h, Content-Length: 0}"},
    {"ContentLengthWithLeadingZeros", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 002\r\n\r\nab",
     "POST / 1.1 keep length=2{Host: h, Content-Length: 002} body=ab end"},
    {"ContentLengthWithSpaceBehind", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2 \r\n\r\nab",
     "POST / 1.1 keep length=2{Host: h, Content-Length: 2} body=ab end"},
    {"ContentLengthInHttp10", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab",
     "POST / 1.0 close length=2{Content-Length: 2} body=ab end"},
    {"PostWithoutLength", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", "POST / 1.1 keep none{Host: h}"},
    {"Chunked",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
     "chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
     "POST / 1.1 keep chunked{Host: h, Transfer-Encoding: chunked} body=hello! end"},
    {"ChunkedInAnyCase",
     "POST / HTTP/1.1\r\nHost: h\r\ntransfer-encoding:CHUNKED \r\n\r\n1\r\nx\r\n0\r\n\r\n",
     "POST / 1.1 keep chunked{Host: h, transfer-encoding: CHUNKED} body=x end"},
    {"ChunkedAndEmpty", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "POST / 1.1 keep chunked{Host: h, Transfer-Encoding: chunked} end"},
    {"ChunkSizesInBothCases",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0a\r\n0123456789\r\n"
     "0B\r\nabcdefghijk\r\n00\r\n\r\n",
     "POST / 1.1 keep chunked{Host: h, Transfer-Encoding: chunked} body=0123456789abcdefghijk end"},
    {"ChunkExtensionsAreIgnored",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
     "chunked\r\n\r\n1;a=b\r\nx\r\n1;c=\"d\"\r\ny\r\n"
     "0;last\r\n\r\n",
     "POST / 1.1 keep chunked{Host: h, Transfer-Encoding: chunked} body=xy end"},
    {"TrailersAreKept",
     "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: "
     "b\r\nC:\r\n\r\n",
     "POST / 1.1 keep chunked{Host: h, Transfer-Encoding: chunked} body=x end trailers{A: b, C: }"},
    // Empty line before a request line, RFC 9112 2.2.
    {"OneEmptyLineBeforeARequest", "\r\nGET / HTTP/1.0\r\n\r\n", "GET / 1.0 close none{}"},
    {"AnEmptyLineAfterAPost",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx\r\nGET /2 HTTP/1.0\r\n\r\n",
     "POST / 1.1 keep length=1{Host: h, Content-Length: 1} body=x end | GET /2 1.0 close none{}"},
    // Pipelining, RFC 9112 9.3.2.
    {"Pipelined",
     "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
     "GET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
     "GET /1 1.1 keep none{Host: h} | POST /2 1.1 keep length=2{Host: h, Content-Length: 2} "
     "body=ab "
     "end | GET /3 1.1 keep none{Host: h}"},
    {"PipelinedAfterChunked",
     "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: u\r\n\r\n"
     "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
     "POST /1 1.1 keep chunked{Host: h, Transfer-Encoding: chunked} body=x end trailers{T: u} | "
     "GET /2 1.1 keep none{Host: h}"},
    // What is not complete.
    {"PartOfARequestLine", "GET / HT", "…"},
    {"PartOfTheFields", "GET / HTTP/1.1\r\nHost: h\r\n", "…"},
    {"OnlyACarriageReturn", "\r", "…"},
    {"PartOfABody", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab",
     "POST / 1.1 keep length=5{Host: h, Content-Length: 5} body=ab"},
    {"NothingButAnEmptyLine", "\r\n", ""},
};

class GoodRequest : public testing::TestWithParam<Case> {};

TEST_P(GoodRequest, IsUnderstood) {
  EXPECT_EQ(request_transcript(whole(GetParam().input), kLimits), GetParam().expected);
}

TEST_P(GoodRequest, MeansTheSameOctetByOctet) {
  EXPECT_EQ(request_transcript(octets(GetParam().input), kLimits), GetParam().expected);
}

TEST_P(GoodRequest, MeansTheSameWhereverItIsCut) {
  const std::string& input = GetParam().input;
  for (std::size_t at = 0; at <= input.size(); ++at) {
    EXPECT_EQ(request_transcript(cut(input, at), kLimits), GetParam().expected) << "cut at " << at;
  }
}

TEST_P(GoodRequest, MeansTheSameOnceItsHeadIsKnown) {
  const std::string& input = GetParam().input;
  HeadMemo known;
  for (int times = 0; times < 3; ++times) {
    EXPECT_EQ(request_transcript(whole(input), kLimits, &known), GetParam().expected) << times;
  }
  for (std::size_t at = 0; at <= input.size(); ++at) {
    EXPECT_EQ(request_transcript(cut(input, at), kLimits, &known), GetParam().expected)
        << "cut at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, GoodRequest, testing::ValuesIn(kGood),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace revcache::http
