// RFC 6960 A.1: the GET form, in every spelling that clients use.
#include <gtest/gtest.h>

#include <string>

#include "pki/ocsp_request.h"
#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

std::string base64(const std::string& text, std::string_view last_two, bool padded) {
  std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  alphabet += last_two;
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    for (count += 8; count >= 6;) {
      count -= 6;
      out += alphabet[bits >> count & 0x3fU];
    }
  }
  if (count > 0) out += alphabet[bits << (6 - count) & 0x3fU];
  while (padded && out.size() % 4 != 0) out += '=';
  return out;
}

std::string replaced(std::string text, char from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, 1, to);
  }
  return text;
}

// Hashes of 0xff and 0xfb octets give runs of "/" and "+" in base64; `serial` moves the end.
std::string request(char hash_octet, std::size_t serial_bytes) {
  const std::string hash = der(0x04, {std::string(20, hash_octet)});
  const std::string id = der(0x30, {der(0x30, {der(0x06, {"\x2b\x0e\x03\x02\x1a"}), "\x05\x00"s}),
                                    hash, hash, der(0x02, {std::string(serial_bytes, '\x11')})});
  return der(0x30, {der(0x30, {der(0x30, {der(0x30, {id})})})});
}

void expect_found(const std::string& prefix, const std::string& spelling,
                  const std::string& der_text) {
  std::string found;
  const auto path = decode_ocsp_get_path(prefix + spelling, found);
  ASSERT_TRUE(path) << prefix + spelling;
  EXPECT_EQ(path->prefix, prefix.size());
  EXPECT_EQ(as_text(path->question.cert_id.der),
            as_text(parse_ocsp_question(as_bytes(der_text))->cert_id.der));
  EXPECT_EQ(found, der_text);
}

TEST(OcspGetPath, IsFoundInEverySpelling) {
  for (const char octet : {'\xff', '\xfb', 'a'}) {
    for (std::size_t serial_bytes = 1; serial_bytes <= 20; ++serial_bytes) {
      const std::string der_text = request(octet, serial_bytes);
      for (const bool padded : {true, false}) {
        const std::string standard = base64(der_text, "+/", padded);
        const std::string encoded =
            replaced(replaced(replaced(standard, '/', "%2F"), '+', "%2B"), '=', "%3D");
        for (const char* prefix : {"/", "/ocsp/", "/ocsp/authority/", "/a//", "//"}) {
          expect_found(prefix, standard, der_text);
          expect_found(prefix, encoded, der_text);
          expect_found(prefix, replaced(encoded, 'M', "%4d"), der_text);
          expect_found(prefix, replaced(standard, '=', "%3d"), der_text);
          expect_found(prefix, base64(der_text, "-_", padded), der_text);
        }
      }
    }
  }
}

TEST(OcspGetPath, KeepsSlashesOfTheBase64Together) {
  const std::string text = base64(request('\xff', 3), "+/", true);
  ASSERT_TRUE(text.contains("//////"));
  expect_found("/ocsp/", text, request('\xff', 3));
}

struct Row {
  const char* name;
  std::string path;
};

const std::string kGood = base64(request('a', 16), "+/", true);

const Row kNoRequests[] = {
    {"Empty", ""},
    {"Root", "/"},
    {"CrlPath", "/pki/current.crl"},
    {"WordsOfBase64Letters", "/one/two/three/four"},
    {"CutOff", "/ocsp/" + kGood.substr(0, kGood.size() - 5)},
    {"FollowedByMore", "/ocsp/" + kGood + "AAAA"},
    {"FollowedByASlash", "/ocsp/" + kGood + "/"},
    {"FollowedByAQuery", "/ocsp/" + kGood + "?x=1"},
    {"WithoutASlash", kGood},
    {"BehindAnEncodedSlashOnly", "ocsp%2F" + kGood},
    {"TooMuchPadding", "/ocsp/" + replaced(kGood, '=', "") + "==="},
    {"WrongPadding", "/ocsp/" + base64(request('a', 2), "+/", false) + "="},
    {"PaddingInTheMiddle", "/ocsp/" + kGood.substr(0, 8) + "=" + kGood.substr(8)},
    {"CharacterOfNoAlphabet", "/ocsp/" + replaced(kGood, 'M', "!")},
    {"MalformedEscape", "/ocsp/" + replaced(kGood, 'M', "%4")},
    {"EscapeOfNoHex", "/ocsp/" + replaced(kGood, 'M', "%4g")},
    {"EscapedZero", "/ocsp/" + kGood + "%00"},
    {"OtherDer", "/ocsp/" + base64(der(0x30, {der(0x04, {"not a request"})}), "+/", true)},
    {"OnlySlashes", std::string(8000, '/')},
    {"ManyCandidates",
     [] {
       // Each tail has the length that its first octets announce, and is no request.
       std::string tail;
       for (int i = 0; i < 100; ++i) {
         const std::size_t size = (tail.size() + 8) * 6 / 8 - 4;
         const std::string head = {
             '\x30', '\x82', static_cast<char>(size >> 8U), static_cast<char>(size & 0xffU),
             'x',    'x'};
         tail.insert(0, "/" + base64(head, "+/", false));
       }
       return tail;
     }()},
};

class NoOcspGetPath : public testing::TestWithParam<Row> {};

TEST_P(NoOcspGetPath, IsNoRequest) {
  std::string found;
  EXPECT_FALSE(decode_ocsp_get_path(GetParam().path, found));
}

INSTANTIATE_TEST_SUITE_P(Table, NoOcspGetPath, testing::ValuesIn(kNoRequests),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(OcspGetPath, NeedsNoMemoryOnceTheBufferHasGrown) {
  const std::string path = "/ocsp/" + kGood;
  std::string found;
  ASSERT_TRUE(decode_ocsp_get_path(path, found));
  const char* const before = found.data();
  ASSERT_TRUE(decode_ocsp_get_path(path, found));
  EXPECT_EQ(found.data(), before);
}

}  // namespace
}  // namespace revcache::pki
