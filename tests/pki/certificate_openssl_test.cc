// The same files in OpenSSL's eyes: it must read alike what we read.
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <string>

#include "pki/certificate.h"
#include "pki/openssl_ptr.h"
#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

X509Ptr openssl_certificate(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr read(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return read != nullptr && at == as_bytes(der).data() + der.size() ? std::move(read) : nullptr;
}

std::string hex_of(const ASN1_OCTET_STRING* octets) {
  if (octets == nullptr) return {};
  return hex({ASN1_STRING_get0_data(octets), static_cast<std::size_t>(ASN1_STRING_length(octets))});
}

std::string number_of(const ASN1_INTEGER* integer) {
  const BignumPtr number(ASN1_INTEGER_to_BN(integer, nullptr));
  char* digits = BN_bn2hex(number.get());
  std::string text(digits);
  OPENSSL_free(digits);
  return text;
}

// The same from content octets.
std::string number_of(ByteView content) {
  std::string der{'\x02', static_cast<char>(content.size())};
  der += as_text(content);
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ASN1_INTEGER* integer = d2i_ASN1_INTEGER(nullptr, &at, static_cast<long>(der.size()));
  std::string text = number_of(integer);
  ASN1_INTEGER_free(integer);
  return text;
}

WallSeconds seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  EXPECT_EQ(ASN1_TIME_to_tm(time, &parts), 1);
  return std::chrono::sys_days(std::chrono::year(parts.tm_year + 1900) /
                               std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)) /
                               std::chrono::day(static_cast<unsigned>(parts.tm_mday))) +
         std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
         std::chrono::seconds(parts.tm_sec);
}

std::string der_of(const X509_NAME* name) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(X509_NAME_get0_der(name, &bytes, &size), 1);
  return hex({bytes, size});
}

class AcceptedFile : public testing::TestWithParam<std::string> {};

TEST_P(AcceptedFile, IsReadAlikeByOpenssl) {
  const std::string der = test_file(GetParam());
  const auto parsed = parse_certificate(SharedBytes::copy_of(der));
  ASSERT_TRUE(parsed);
  const Certificate& ours = **parsed;
  const X509Ptr theirs = openssl_certificate(der);
  ASSERT_NE(theirs, nullptr);

  EXPECT_EQ(X509_get_version(theirs.get()) + 1, ours.version);
  EXPECT_EQ(number_of(X509_get0_serialNumber(theirs.get())), number_of(ours.serial));
  EXPECT_EQ(der_of(X509_get_issuer_name(theirs.get())), hex(ours.issuer));
  EXPECT_EQ(der_of(X509_get_subject_name(theirs.get())), hex(ours.subject));
  EXPECT_EQ(seconds_of(X509_get0_notBefore(theirs.get())), ours.not_before);
  EXPECT_EQ(seconds_of(X509_get0_notAfter(theirs.get())), ours.not_after);
  EXPECT_EQ(hex_of(X509_get0_pubkey_bitstr(theirs.get())), hex(ours.public_key));
  const ASN1_BIT_STRING* signature = nullptr;
  X509_get0_signature(&signature, nullptr, theirs.get());
  EXPECT_EQ(hex_of(signature), hex(ours.signature));

  const std::uint32_t flags = X509_get_extension_flags(theirs.get());
  EXPECT_EQ((flags & EXFLAG_CA) != 0, ours.is_ca);
  EXPECT_EQ((flags & EXFLAG_BCONS) != 0, ours.has_basic_constraints);
  EXPECT_EQ(X509_get_pathlen(theirs.get()),
            ours.path_length_max ? static_cast<long>(*ours.path_length_max) : -1);
  EXPECT_EQ((flags & EXFLAG_KUSAGE) != 0, ours.key_usage.has_value());
  EXPECT_EQ((flags & EXFLAG_XKUSAGE) != 0, ours.extended_key_usage.has_value());
  EXPECT_EQ(hex_of(X509_get0_subject_key_id(theirs.get())), hex(ours.subject_key_id));
  EXPECT_EQ(hex_of(X509_get0_authority_key_id(theirs.get())), hex(ours.authority_key_id));
}

TEST_P(AcceptedFile, HasTheUsagesThatOpensslSees) {
  const std::string der = test_file(GetParam());
  const auto parsed = parse_certificate(SharedBytes::copy_of(der));
  const X509Ptr theirs = openssl_certificate(der);
  const std::uint32_t usage = X509_get_key_usage(theirs.get());
  const std::pair<KeyUsage, std::uint32_t> bits[] = {
      {KeyUsage::digital_signature, KU_DIGITAL_SIGNATURE},
      {KeyUsage::key_encipherment, KU_KEY_ENCIPHERMENT},
      {KeyUsage::key_agreement, KU_KEY_AGREEMENT},
      {KeyUsage::key_cert_sign, KU_KEY_CERT_SIGN},
      {KeyUsage::crl_sign, KU_CRL_SIGN}};
  for (const auto& [ours, mask] : bits)
    EXPECT_EQ((*parsed)->may(ours), (usage & mask) != 0) << mask;
  if ((*parsed)->extended_key_usage) {
    const bool signs_ocsp = (X509_get_extended_key_usage(theirs.get()) & XKU_OCSP_SIGN) != 0;
    EXPECT_EQ((*parsed)->has_extended_key_usage(kOcspSigningOid), signs_ocsp);
  }
}

TEST_P(AcceptedFile, WasIssuedByTheRootExactlyWhenOpensslSaysSo) {
  const std::string root_der = test_file("certificate/good_root.der");
  const auto subject = *parse_certificate(SharedBytes::take(test_file(GetParam())));
  const auto root = *parse_certificate(SharedBytes::copy_of(root_der));
  const X509Ptr their_root = openssl_certificate(root_der);
  const X509Ptr theirs = openssl_certificate(test_file(GetParam()));
  const bool issued = X509_check_issued(their_root.get(), theirs.get()) == X509_V_OK &&
                      X509_verify(theirs.get(), X509_get0_pubkey(their_root.get())) == 1;
  EXPECT_EQ(verify_issued_by(*subject, *root, {.allow_sha1 = true}).has_value(), issued);
}

std::vector<std::string> accepted() {
  auto files = test_files("certificate", "good_", ".der");
  for (auto& file : test_files("certificate", "refused_", ".der")) files.push_back(std::move(file));
  return files;
}

INSTANTIATE_TEST_SUITE_P(Openssl, AcceptedFile, testing::ValuesIn(accepted()), name_of_file);

}  // namespace
}  // namespace revcache::pki
