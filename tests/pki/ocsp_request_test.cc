// RFC 6960 4.1 and 4.4, RFC 9654 (nonce), RFC 6960 A.1 (GET).
#include "pki/ocsp_request.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

std::string file(const std::string& name) {
  std::ifstream in(REVCACHE_TESTDATA "/ocsp_request/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

std::string cert_id(const std::string& serial = "\x10") {
  return der(0x30, {der(0x30, {der(0x06, {"\x2b\x0e\x03\x02\x1a"}), "\x05\x00"s}),
                    der(0x04, {std::string(20, 'n')}), der(0x04, {std::string(20, 'k')}),
                    der(0x02, {serial})});
}

// 1.3.6.1.5.5.7.48.1.x
std::string ocsp_oid(char last) {
  return der(0x06, {"\x2b\x06\x01\x05\x05\x07\x30\x01" + std::string(1, last)});
}
std::string extension(const std::string& oid, const std::string& value,
                      const std::string& critical = "") {
  return der(0x30, {oid, critical, der(0x04, {value})});
}
const std::string kCritical = "\x01\x01\xff";
const std::string kOtherOid = der(0x06, {"\x2b\x06\x01"});

std::string nonce(const std::string& octets) { return extension(ocsp_oid(2), der(0x04, {octets})); }
std::string single(const std::string& extensions = "") {
  return der(0x30, {cert_id(), extensions});
}

// requestList, what comes before and behind it in the TBSRequest, and behind that.
std::string request(const std::string& list, const std::string& before = "",
                    const std::string& behind = "", const std::string& signature = "") {
  return der(0x30, {der(0x30, {before, der(0x30, {list}), behind}), signature});
}
std::string with_extensions(const std::string& extensions) {
  return request(single(), "", der(0xa2, {der(0x30, {extensions})}));
}

TEST(OcspRequest, IsReadAsOpensslWritesIt) {
  const std::string der_text = file("good_sha1.der");
  const auto request = parse_ocsp_request(as_bytes(der_text));
  ASSERT_TRUE(request) << request.error().detail;
  ASSERT_EQ(request->requests.size(), 1U);
  EXPECT_EQ(request->requests[0].hash, CertIdHash::sha1);
  EXPECT_EQ(as_text(request->requests[0].serial),
            "\x7f\xed\xcb\xa9\x87\x65\x43\x21\x0f\xed\xcb\xa9\x87\x65\x43\x21");
  EXPECT_FALSE(request->nonce);
  EXPECT_FALSE(request->is_signed);
  EXPECT_TRUE(request->preferred_signature_algorithms.empty());
}

TEST(OcspRequest, KnowsTheShaFamily) {
  const std::string sha256 = file("good_sha256.der");
  EXPECT_EQ(parse_ocsp_request(as_bytes(sha256))->requests[0].hash, CertIdHash::sha256);
  const std::string sha384 = file("good_sha384.der");
  EXPECT_EQ(parse_ocsp_request(as_bytes(sha384))->requests[0].hash, CertIdHash::sha384);
}

TEST(OcspRequest, GivesItsNonce) {
  const std::string der_text = file("good_nonce.der");
  const auto request = parse_ocsp_request(as_bytes(der_text));
  ASSERT_TRUE(request && request->nonce);
  EXPECT_EQ(request->nonce->size(), 16U);
  const auto question = parse_ocsp_question(as_bytes(der_text));
  EXPECT_TRUE(question->has_nonce);
  EXPECT_TRUE(question->single);
}

TEST(OcspRequest, GivesAllItsCertIds) {
  const std::string der_text = file("good_two_requests.der");
  const auto request = parse_ocsp_request(as_bytes(der_text));
  ASSERT_TRUE(request);
  ASSERT_EQ(request->requests.size(), 2U);
  EXPECT_EQ(as_text(request->requests[1].serial), "\x10");
  EXPECT_FALSE(parse_ocsp_question(as_bytes(der_text))->single);
}

TEST(OcspRequest, TellsThatItIsSigned) {
  const std::string der_text = file("good_signed.der");
  EXPECT_TRUE(parse_ocsp_request(as_bytes(der_text))->is_signed);
  EXPECT_FALSE(parse_ocsp_question(as_bytes(der_text))->single);
}

TEST(OcspQuestion, EchoesTheCertIdByteForByte) {
  const std::string der_text = request(single());
  const auto question = parse_ocsp_question(as_bytes(der_text));
  ASSERT_TRUE(question);
  EXPECT_EQ(as_text(question->cert_id.der), cert_id());
  EXPECT_TRUE(question->single);
  EXPECT_FALSE(question->has_nonce);
}

TEST(OcspQuestion, GivesThePreferredSignatureAlgorithms) {
  const std::string algorithms = der(0x30, {der(0x30, {der(0x30, {kOtherOid})})});
  const std::string der_text = with_extensions(extension(ocsp_oid(8), algorithms));
  const auto question = parse_ocsp_question(as_bytes(der_text));
  EXPECT_EQ(as_text(question->preferred_signature_algorithms), algorithms);
  EXPECT_TRUE(question->single);
}

struct Shape {
  const char* name;
  std::string der;
  bool single;
  bool unknown_critical = false;
};

const Shape kGood[] = {
    {"Plain", request(single()), true},
    {"RequestorName", request(single(), der(0xa1, {der(0xa4, {"name"})})), true},
    {"AcceptableResponses", with_extensions(extension(ocsp_oid(4), "x")), true},
    {"UnknownExtension", with_extensions(extension(kOtherOid, "x")), true},
    {"CriticalUnknownExtension", with_extensions(extension(kOtherOid, "x", kCritical)), false,
     true},
    {"CriticalNonce", with_extensions(extension(ocsp_oid(2), der(0x04, {"n"}), kCritical)), false},
    {"SingleRequestExtension",
     request(single(der(0xa0, {der(0x30, {extension(ocsp_oid(7), "x")})}))), true},
    {"CriticalSingleRequestExtension",
     request(single(der(0xa0, {der(0x30, {extension(ocsp_oid(7), "x", kCritical)})}))), false,
     true},
    {"TwoRequests", request(single() + single()), false},
    {"Signed", request(single(), "", "", der(0xa0, {der(0x30, {"signature"})})), false},
    {"NonceOfOneOctet", with_extensions(nonce("n")), true},
    {"NonceOf128Octets", with_extensions(nonce(std::string(128, 'n'))), true},
};

class GoodOcspRequest : public testing::TestWithParam<Shape> {};

TEST_P(GoodOcspRequest, IsRead) {
  const auto whole = parse_ocsp_request(as_bytes(GetParam().der));
  ASSERT_TRUE(whole) << whole.error().detail;
  EXPECT_EQ(whole->has_unknown_critical_extension, GetParam().unknown_critical);
  const auto question = parse_ocsp_question(as_bytes(GetParam().der));
  ASSERT_TRUE(question);
  EXPECT_EQ(question->single, GetParam().single);
}

TEST_P(GoodOcspRequest, IsMalformedWhenCutOrFollowedByMore) {
  const std::string& whole = GetParam().der;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_ocsp_question(as_bytes(whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(parse_ocsp_question(as_bytes(whole + "\0"s)));
}

struct Bad {
  const char* name;
  std::string der;
};

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

const Bad kBad[] = {
    {"Empty", ""},
    {"Html", "<html>"},
    {"NoRequests", request("")},
    {"TooManyRequests", request(repeated(single(), 65))},
    {"ExplicitVersion1", request(single(), der(0xa0, {der(0x02, {"\x00"s})}))},
    {"Version2", request(single(), der(0xa0, {der(0x02, {"\x01"})}))},
    {"EmptyRequestorName", request(single(), der(0xa1, {""}))},
    {"TwoRequestorNames", request(single(), der(0xa1, {der(0xa4, {"a"}), der(0xa4, {"b"})}))},
    {"EmptyExtensions", with_extensions("")},
    {"TooManyExtensions", with_extensions(repeated(extension(kOtherOid, "x"), 33))},
    {"ExplicitNotCritical", with_extensions(extension(kOtherOid, "x", "\x01\x01\x00"s))},
    {"BooleanOf01", with_extensions(extension(kOtherOid, "x", "\x01\x01\x01"))},
    {"ExtensionWithoutValue", with_extensions(der(0x30, {kOtherOid}))},
    {"ExtensionWithMore", with_extensions(der(0x30, {kOtherOid, der(0x04, {"x"}), "\x05\x00"s}))},
    {"ExtensionWithMalformedName", with_extensions(extension(der(0x06, {"\x80"}), "x"))},
    {"EmptyNonce", with_extensions(nonce(""))},
    {"NonceTooLong", with_extensions(nonce(std::string(129, 'n')))},
    {"NonceWithoutOctetString", with_extensions(extension(ocsp_oid(2), "nonce"))},
    {"NonceWithMore", with_extensions(extension(ocsp_oid(2), der(0x04, {"n"}) + "\x05\x00"s))},
    {"TwoNonces", with_extensions(nonce("a") + nonce("b"))},
    {"PreferredAlgorithmsTwice",
     with_extensions(extension(ocsp_oid(8), "x") + extension(ocsp_oid(8), "y"))},
    {"DataBehindExtensions",
     request(single(), "", der(0xa2, {der(0x30, {nonce("n")}), "\x05\x00"s}))},
    {"DataBehindTbsRequest", request(single(), "", "\x05\x00"s)},
    {"DataBehindARequest", request(der(0x30, {cert_id(), "\x05\x00"s}))},
    {"DataBehindTheSignature",
     request(single(), "", "", der(0xa0, {der(0x30, {"s"})}) + "\x05\x00"s)},
    {"SignatureOfNoSequence", request(single(), "", "", der(0xa0, {der(0x04, {"s"})}))},
    {"SerialNotMinimal", request(der(0x30, {cert_id("\x00\x10"s)}))},
    {"IndefiniteLength", "\x30\x80"s + request(single()).substr(2) + "\0\0"s},
    {"TooLong", with_extensions(extension(kOtherOid, std::string(66000, 'x')))},
};

class BadOcspRequest : public testing::TestWithParam<Bad> {};

TEST_P(BadOcspRequest, IsMalformed) {
  const auto whole = parse_ocsp_request(as_bytes(GetParam().der));
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().code, ErrorCode::malformed);
  EXPECT_EQ(whole.error().blame, Blame::client);
  EXPECT_FALSE(parse_ocsp_question(as_bytes(GetParam().der)));
}

INSTANTIATE_TEST_SUITE_P(Table, GoodOcspRequest, testing::ValuesIn(kGood),
                         [](const auto& row) { return std::string(row.param.name); });
INSTANTIATE_TEST_SUITE_P(Table, BadOcspRequest, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace revcache::pki
