// RFC 6960 4.1.1; the DER of X.690.
#include "pki/cert_id.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

const std::string kSha1 = "\x2b\x0e\x03\x02\x1a";
const std::string kSha256 = "\x60\x86\x48\x01\x65\x03\x04\x02\x01";
const std::string kSha384 = "\x60\x86\x48\x01\x65\x03\x04\x02\x02";
const std::string kSha512 = "\x60\x86\x48\x01\x65\x03\x04\x02\x03";
const std::string kMd5 = "\x2a\x86\x48\x86\xf7\x0d\x02\x05";
const std::string kNull = "\x05\x00"s;

std::string algorithm(const std::string& oid, const std::string& parameters = kNull) {
  return der(0x30, {der(0x06, {oid}), parameters});
}

std::string cert_id(const std::string& algorithm_der, std::size_t hash_bytes,
                    const std::string& serial = "\x10") {
  return der(0x30, {algorithm_der, der(0x04, {std::string(hash_bytes, 'n')}),
                    der(0x04, {std::string(hash_bytes, 'k')}), der(0x02, {serial})});
}

struct Good {
  const char* name;
  std::string der;
  CertIdHash hash;
  std::size_t hash_bytes;
  std::string serial;
};

const Good kGood[] = {
    {"Sha1", cert_id(algorithm(kSha1), 20), CertIdHash::sha1, 20, "\x10"},
    {"Sha1WithoutParameters", cert_id(algorithm(kSha1, ""), 20), CertIdHash::sha1, 20, "\x10"},
    {"Sha256", cert_id(algorithm(kSha256), 32), CertIdHash::sha256, 32, "\x10"},
    {"Sha384", cert_id(algorithm(kSha384), 48), CertIdHash::sha384, 48, "\x10"},
    {"Sha512", cert_id(algorithm(kSha512), 64), CertIdHash::sha512, 64, "\x10"},
    {"AnotherHash", cert_id(algorithm(kMd5), 16), CertIdHash::other, 16, "\x10"},
    {"AnotherHashWithParameters", cert_id(algorithm(kMd5, der(0x02, {"\x05"})), 16),
     CertIdHash::other, 16, "\x10"},
    {"SerialWithLeadingZero", cert_id(algorithm(kSha1), 20, "\x00\xff"s), CertIdHash::sha1, 20,
     "\x00\xff"s},
    {"SerialOfZero", cert_id(algorithm(kSha1), 20, "\x00"s), CertIdHash::sha1, 20, "\x00"s},
    {"NegativeSerial", cert_id(algorithm(kSha1), 20, "\x80\x01"), CertIdHash::sha1, 20, "\x80\x01"},
    {"SerialOf64Octets", cert_id(algorithm(kSha1), 20, std::string(64, 'a')), CertIdHash::sha1, 20,
     std::string(64, 'a')},
};

class GoodCertId : public testing::TestWithParam<Good> {};

TEST_P(GoodCertId, IsRead) {
  const Good& row = GetParam();
  const auto id = parse_cert_id(as_bytes(row.der));
  ASSERT_TRUE(id) << id.error().detail;
  EXPECT_EQ(as_text(id->der), row.der);
  EXPECT_EQ(id->hash, row.hash);
  EXPECT_EQ(as_text(id->issuer_name_hash), std::string(row.hash_bytes, 'n'));
  EXPECT_EQ(as_text(id->issuer_key_hash), std::string(row.hash_bytes, 'k'));
  EXPECT_EQ(as_text(id->serial), row.serial);
}

TEST_P(GoodCertId, IsMalformedWithoutItsLastOctetsOrWithMore) {
  const std::string& whole = GetParam().der;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_cert_id(as_bytes(whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(parse_cert_id(as_bytes(whole + '\0')));
}

struct Bad {
  const char* name;
  std::string der;
  const char* detail;
};

const Bad kBad[] = {
    {"Nothing", "", "a CertID was expected at offset 0"},
    {"NoSequence", der(0x31, {"x"}), "a CertID was expected at offset 0"},
    {"HashOfTheWrongLength", cert_id(algorithm(kSha1), 32), "a hash of the wrong length"},
    {"Sha256OfTheWrongLength", cert_id(algorithm(kSha256), 20), "a hash of the wrong length"},
    {"EmptyHash", cert_id(algorithm(kMd5), 0), "a hash of the wrong length"},
    {"HashOf65Octets", cert_id(algorithm(kMd5), 65), "a hash of the wrong length"},
    {"SerialNotMinimal", cert_id(algorithm(kSha1), 20, "\x00\x10"s), "shortest form"},
    {"NegativeSerialNotMinimal", cert_id(algorithm(kSha1), 20, "\xff\x80"), "shortest form"},
    {"EmptySerial", cert_id(algorithm(kSha1), 20, ""), "shortest form"},
    {"SerialTooLong", cert_id(algorithm(kSha1), 20, std::string(65, 'a')), "too long"},
    {"ParametersOfSha1", cert_id(algorithm(kSha1, der(0x02, {"\x05"})), 20),
     "parameters of a hash"},
    {"NullWithContent", cert_id(algorithm(kSha1, der(0x05, {"x"})), 20), "parameters of a hash"},
    {"TwoParameters", cert_id(algorithm(kSha1, kNull + kNull), 20), "behind the algorithm"},
    {"EmptyOid", cert_id(algorithm(""), 20), "a malformed OBJECT IDENTIFIER"},
    {"OidCutOff", cert_id(algorithm("\x2b\x8e"), 20), "a malformed OBJECT IDENTIFIER"},
    {"OidPadded", cert_id(algorithm("\x2b\x80\x0e"), 20), "a malformed OBJECT IDENTIFIER"},
    {"DataBehindTheSerial",
     der(0x30, {algorithm(kMd5), der(0x04, {"n"}), der(0x04, {"k"}), der(0x02, {"1"}), kNull}),
     "data behind the serial number"},
    {"IndefiniteLength", "\x30\x80"s + algorithm(kSha1) + "\0\0"s, "indefinite"},
    {"LengthNotShortest", "\x30\x81\x02\x05\x00"s, "shortest form at offset 0"},
    {"LengthOfFiveOctets", "\x30\x85\x00\x00\x00\x00\x02\x05\x00"s, "oversized"},
    {"LengthBeyondTheEnd", "\x30\x84\xff\xff\xff\xff\x05\x00"s, "cut off"},
    {"HighTagNumber", der(0x30, {"\x3f\x81\x01\x00"s}), "an AlgorithmIdentifier was expected"},
};

class BadCertId : public testing::TestWithParam<Bad> {};

TEST_P(BadCertId, IsMalformed) {
  const auto id = parse_cert_id(as_bytes(GetParam().der));
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, ErrorCode::malformed);
  EXPECT_TRUE(id.error().detail.contains(GetParam().detail)) << id.error().detail;
}

INSTANTIATE_TEST_SUITE_P(Table, GoodCertId, testing::ValuesIn(kGood),
                         [](const auto& row) { return std::string(row.param.name); });
INSTANTIATE_TEST_SUITE_P(Table, BadCertId, testing::ValuesIn(kBad),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(DerReader, RefusesATagNumberAbove30) {
  DerReader reader(as_bytes("\x1f\x81\x01\x00"));
  EXPECT_FALSE(reader.read_any());
  EXPECT_EQ(reader.fault(), "a tag number above 30");
}

TEST(DerReader, ReadsBooleansOfOneSpelling) {
  EXPECT_EQ(DerReader(as_bytes("\x01\x01\xff")).read_boolean("?"), true);
  EXPECT_EQ(DerReader(as_bytes("\x01\x01\x00"s)).read_boolean("?"), false);
  EXPECT_EQ(DerReader(as_bytes("\x01\x01\x01")).read_boolean("?"), std::nullopt);
  EXPECT_EQ(DerReader(as_bytes("\x01\x00"s)).read_boolean("?"), std::nullopt);
}

}  // namespace
}  // namespace revcache::pki
