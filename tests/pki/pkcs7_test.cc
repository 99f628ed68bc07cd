// parse_certificates: DER, PEM (RFC 7468) and PKCS#7 (RFC 2315 section 9.1).
#include "pki/pkcs7.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pki/certificate.h"
#include "tests/pki/der_text.h"
#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

class CertificateFile : public testing::TestWithParam<std::string> {};

TEST_P(CertificateFile, HasItsThreeCertificatesInOrder) {
  const auto found = parse_certificates(test_file(GetParam()));
  ASSERT_TRUE(found) << found.error().detail;
  ASSERT_EQ(found->size(), 3U);
  const char* const files[] = {"root", "user", "issuing"};
  for (std::size_t index = 0; index < 3; ++index) {
    const auto single = test_file(std::string("certificate/good_") + files[index] + ".der");
    EXPECT_EQ((*found)[index]->der.text(), single) << index;
  }
}

INSTANTIATE_TEST_SUITE_P(Several, CertificateFile,
                         testing::Values("certificate/good_bundle.pem",
                                         "certificate/good_bundle_crlf.pem",
                                         "certificate/good_bundle.p7b",
                                         "certificate/good_bundle.p7c"),
                         name_of_file);

TEST(CertificateFiles, OneInDerIsOne) {
  const auto found = parse_certificates(test_file("certificate/good_user.der"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 1U);
}

TEST(CertificateFiles, DerIsNeverReadAsPemWhateverItContains) {
  const std::string pem = test_file("certificate/good_bundle.pem");
  EXPECT_FALSE(parse_certificates(der(0x30, {pem})));
}

TEST(CertificateFiles, TextThatOnlyLooksLikePemIsSkipped) {
  const std::string pem = test_file("certificate/good_bundle.pem");
  const auto found = parse_certificates(pem + "see -----BEGIN CERTIFICATE----- above\n");
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_EQ(found->size(), 3U);
}

struct Bad {
  const char* file;
  const char* detail;
};

const Bad kBad[] = {
    {"second_block.pem", "PEM block in line 11: no proper base64, or no end"},
    {"second_certificate.pem", "PEM block in line 11: a TBSCertificate was expected at offset 2"},
    {"no_end.pem", "PEM block in line 11: no proper base64, or no end"},
    {"only_a_key.pem", "there is no certificate in it"},
    {"certificate_within.p7c",
     "PKCS#7, certificate 1 of PKCS#7: a BOOLEAN that is neither 00 nor ff at offset "},
    {"no_certificate.p7c", "there is no certificate in it"},
    {"encrypted.p7c", "PKCS#7: a PKCS#7 that is no SignedData at offset 13"},
    {"empty.der", "DER: a Certificate was expected at offset 0"},
    {"cut_off.der", "DER: an element that is cut off at offset 0"},
};

TEST(CertificateFiles, SayWhichIsWrongAndWhere) {
  for (const auto& [file, detail] : kBad) {
    const auto found = parse_certificates(test_file(std::string("certificate/malformed_") + file));
    ASSERT_FALSE(found) << file;
    EXPECT_EQ(found.error().reason, Refusal::malformed);
    EXPECT_TRUE(found.error().detail.starts_with(detail)) << file << ": " << found.error().detail;
  }
}

TEST(CertificateFiles, HaveBounds) {
  const auto too_long = parse_certificates(std::string(kCertificateFileBytesMax + 1, 'x'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().detail, "a file that is too long for certificates");

  std::string many;
  const std::string one = test_file("certificate/good_v1.der");
  for (std::size_t count = 0; count <= kCertificatesMax; ++count) many += one;
  const std::string oid = der(0x06, {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"});
  const std::string signed_data = der(
      0x30, {der(0x02, {"\x01"}), der(0x31, {}), der(0x30, {}), der(0xa0, {many}), der(0x31, {})});
  const auto too_many = parse_certificates(der(0x30, {oid, der(0xa0, {signed_data})}));
  ASSERT_FALSE(too_many);
  EXPECT_TRUE(too_many.error().detail.contains("more than 4096")) << too_many.error().detail;
}

TEST(Pkcs7, SkipsAttributeCertificatesAndRevocationLists) {
  const std::string oid = der(0x06, {"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"});
  const std::string certificate = der(0x30, {"c"});
  const std::string elements = der(0xa1, {"attributes"}) + certificate;
  const std::string signed_data = der(0x30, {der(0x02, {"\x01"}), der(0x31, {}), der(0x30, {}),
                                             der(0xa0, {elements}), der(0xa1, {}), der(0x31, {})});
  const std::string whole = der(0x30, {oid, der(0xa0, {signed_data})});
  EXPECT_TRUE(is_pkcs7(as_bytes(whole)));
  const auto found = pkcs7_certificates(as_bytes(whole));
  ASSERT_TRUE(found) << found.error().detail;
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(as_text(found->front()), certificate);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(pkcs7_certificates(as_bytes(whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(pkcs7_certificates(as_bytes(whole + '\0')));
}

TEST(Pkcs7, IsToldFromACertificate) {
  EXPECT_FALSE(is_pkcs7(as_bytes(test_file("certificate/good_user.der"))));
  EXPECT_FALSE(is_pkcs7({}));
}

}  // namespace
}  // namespace revcache::pki
