// RFC 5280 section 4: what is read of a certificate, and what is not one.
#include "pki/certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "pki/asn1_time.h"
#include "pki/der.h"
#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

using Texts = std::vector<std::string>;
using namespace std::chrono_literals;

CertificatePtr certificate(const std::string& name) {
  auto parsed = parse_certificate(SharedBytes::take(test_file("certificate/" + name + ".der")));
  if (parsed) return *parsed;
  ADD_FAILURE() << name << ": " << parsed.error().detail;
  return std::make_shared<const Certificate>();
}

class GoodFile : public testing::TestWithParam<std::string> {};

TEST_P(GoodFile, IsReadAndMalformedWithoutItsLastOctetsOrWithMore) {
  const std::string whole = test_file(GetParam());
  const auto parsed = parse_certificate(SharedBytes::copy_of(whole));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ((*parsed)->der.text(), whole);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_certificate(SharedBytes::copy_of(whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(parse_certificate(SharedBytes::take(whole + '\0')));
}

class MalformedFile : public testing::TestWithParam<std::string> {};

TEST_P(MalformedFile, IsRefusedWithThePlace) {
  const auto parsed = parse_certificate(SharedBytes::take(test_file(GetParam())));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().reason, Refusal::malformed);
  EXPECT_TRUE(parsed.error().detail.contains(" at offset ")) << parsed.error().detail;
}

INSTANTIATE_TEST_SUITE_P(Certificate, GoodFile,
                         testing::ValuesIn(test_files("certificate", "good_", ".der")),
                         name_of_file);
INSTANTIATE_TEST_SUITE_P(Certificate, MalformedFile,
                         testing::ValuesIn(test_files("certificate", "malformed_", ".der")),
                         name_of_file);

struct Fault {
  const char* file;
  const char* detail;
};

const Fault kFaults[] = {
    {"alternative_name_no_name", "a GeneralName was expected"},
    {"behind_the_end", "data behind the Certificate"},
    {"behind_the_signature", "data behind the signature"},
    {"behind_the_tbs", "data behind the TBSCertificate"},
    {"constraints_trailing", "data behind the basic constraints"},
    {"date_with_fraction", "notBefore was expected"},
    {"extension_twice", "an extension twice"},
    {"extensions_65", "too many extensions"},
    {"extensions_empty", "empty Extensions"},
    {"extensions_in_v1", "not of version 3"},
    {"extensions_in_v2", "not of version 3"},
    {"html", "a Certificate was expected at offset 0"},
    {"indefinite_length", "an indefinite"},
    {"issuer_empty_rdn", "an empty RelativeDistinguishedName"},
    {"issuer_no_name", "a RelativeDistinguishedName was expected"},
    {"issuer_no_utf8", "a text that is not encoded as it claims"},
    {"key_identifier_behind", "data behind the key identifier"},
    {"key_purpose_no_oid", "a malformed OBJECT IDENTIFIER"},
    {"key_usage_unused_bits_set", "a malformed key usage"},
    {"path_length_negative", "a negative path length"},
    {"points_65", "too many distribution points"},
    {"points_empty", "distribution points were expected"},
    {"principal_name_no_utf8", "no printable UTF-8"},
    {"serial_not_minimal", "not in its shortest form"},
    {"serial_too_long", "a serial number that is too long"},
    {"signature_unused_bits", "a BIT STRING with unused bits"},
    {"unique_identifier_bits", "a malformed unique identifier"},
    {"unique_identifier_in_v1", "unique identifiers"},
    {"url_not_ascii", "not visible ASCII"},
    {"url_with_nul", "not visible ASCII"},
    {"urls_65", "too many URLs"},
    {"validity_of_three", "data behind the Validity"},
    {"version_4", "a version that is none"},
    {"version_v1_written", "a default value that is encoded"},
};

TEST(Certificate, SaysWhatIsWrong) {
  for (const auto& [file, detail] : kFaults) {
    const std::string name = std::string("certificate/malformed_") + file + ".der";
    const auto parsed = parse_certificate(SharedBytes::take(test_file(name)));
    ASSERT_FALSE(parsed) << file;
    EXPECT_TRUE(parsed.error().detail.contains(detail)) << file << ": " << parsed.error().detail;
  }
}

TEST(Certificate, LongerThanTheBoundIsMalformed) {
  const auto parsed =
      parse_certificate(SharedBytes::take(std::string(kCertificateBytesMax + 1, '0')));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().detail, "a Certificate that is too long");
}

TEST(Certificate, OfAUserHasAllThatRevocationAsksFor) {
  const auto user = certificate("good_user");
  EXPECT_EQ(user->version, 3);
  EXPECT_EQ(hex(user->serial), "7b000000000000000000000000000000");
  EXPECT_EQ(name_text(user->subject), "C=DE, O=Contoso, CN=J\u00f6rg");
  EXPECT_EQ(name_text(user->issuer), "CN=Test root");
  EXPECT_TRUE(user->has_basic_constraints);
  EXPECT_FALSE(user->is_ca);
  EXPECT_TRUE(user->may(KeyUsage::digital_signature));
  EXPECT_TRUE(user->may(KeyUsage::key_encipherment));
  EXPECT_FALSE(user->may(KeyUsage::key_cert_sign));
  EXPECT_EQ(user->extended_key_usage, Texts{std::string(kClientAuthOid)});
  EXPECT_EQ(user->user_principal_names, Texts{"joerg@contoso.example"});
  EXPECT_EQ(user->dns_names, Texts{"laptop7.contoso.example"});
  EXPECT_EQ(user->email_addresses, Texts{"joerg@contoso.example"});
  EXPECT_EQ(user->ocsp_urls, Texts{"http://ocsp.contoso.example/"});
  EXPECT_EQ(user->ca_issuer_urls, Texts{"http://pki.contoso.example/issuing.cer"});
  ASSERT_EQ(user->crl_distribution_points.size(), 2U);
  EXPECT_EQ(user->crl_distribution_points[0].urls, Texts{"http://pki.contoso.example/current.crl"});
  EXPECT_EQ(user->crl_distribution_points[1].urls,
            Texts{"ldap:///CN=Contoso,CN=CDP?certificateRevocationList"});
  EXPECT_EQ(hex(user->authority_key_id), hex(certificate("good_root")->subject_key_id));
  EXPECT_FALSE(user->subject_key_id.empty());
  EXPECT_TRUE(user->unknown_critical_extensions.empty());
  EXPECT_FALSE(user->ocsp_nocheck);
}

TEST(Certificate, DistributionPointsSayWhatTheyLeaveOut) {
  const auto points = certificate("good_points");
  ASSERT_EQ(points->crl_distribution_points.size(), 3U);
  const auto& [partial, indirect, relative] =
      std::tie(points->crl_distribution_points[0], points->crl_distribution_points[1],
               points->crl_distribution_points[2]);
  EXPECT_EQ(partial.urls, Texts{"http://pki.contoso.example/some.crl"});
  EXPECT_TRUE(partial.has_reasons && !partial.has_crl_issuer && !partial.has_relative_name);
  EXPECT_EQ(indirect.urls, Texts{"http://pki.contoso.example/indirect.crl"});
  EXPECT_TRUE(!indirect.has_reasons && indirect.has_crl_issuer && !indirect.has_relative_name);
  EXPECT_TRUE(relative.urls.empty());
  EXPECT_TRUE(!relative.has_reasons && !relative.has_crl_issuer && relative.has_relative_name);
  ASSERT_EQ(points->freshest_crl.size(), 1U);
  EXPECT_EQ(points->freshest_crl[0].urls, Texts{"http://pki.contoso.example/delta.crl"});
}

TEST(Certificate, OfAnOcspSignerSaysSo) {
  const auto signer = certificate("good_ocsp_signer");
  EXPECT_TRUE(signer->has_extended_key_usage(kOcspSigningOid));
  EXPECT_FALSE(signer->has_extended_key_usage(kClientAuthOid));
  EXPECT_TRUE(signer->ocsp_nocheck);
}

TEST(Certificate, OfAnIssuingCaHasItsConstraints) {
  const auto issuing = certificate("good_issuing");
  EXPECT_TRUE(issuing->is_ca);
  EXPECT_EQ(issuing->path_length_max, 0U);
  EXPECT_TRUE(issuing->has_name_constraints);
  EXPECT_TRUE(issuing->may(KeyUsage::key_cert_sign) && issuing->may(KeyUsage::crl_sign));
  EXPECT_FALSE(issuing->may(KeyUsage::digital_signature));
  EXPECT_FALSE(issuing->is_self_issued());
  EXPECT_TRUE(certificate("good_root")->is_self_issued());
  EXPECT_FALSE(certificate("good_root")->path_length_max);
}

TEST(Certificate, CriticalExtensionsThatNothingActsOnAreListed) {
  EXPECT_EQ(certificate("good_critical_unknown")->unknown_critical_extensions,
            (Texts{"1.2.3.4", "2.5.29.36"}));
}

TEST(Certificate, WithoutExtensionsMayEverything) {
  const auto v1 = certificate("good_v1");
  EXPECT_EQ(v1->version, 1);
  EXPECT_FALSE(v1->has_basic_constraints);
  EXPECT_FALSE(v1->is_ca);
  EXPECT_FALSE(v1->key_usage);
  EXPECT_TRUE(v1->may(KeyUsage::crl_sign));
  EXPECT_FALSE(v1->extended_key_usage);
  EXPECT_FALSE(v1->has_extended_key_usage(kClientAuthOid));
}

TEST(Certificate, KeyUsageCountsBitsAsTheStandardDoes) {
  EXPECT_EQ(certificate("good_usages")->key_usage, 0b1'0001'0000);  // decipherOnly, keyAgreement
  EXPECT_EQ(certificate("good_key_usage_with_zero_bits")->key_usage, 0b101);
  EXPECT_EQ(certificate("good_usages")->extended_key_usage,
            (Texts{std::string(kAnyExtendedKeyUsageOid), std::string(kOcspSigningOid)}));
}

TEST(Certificate, DefaultThatIsWrittenOutIsAccepted) {
  const auto odd = certificate("good_critical_false");
  EXPECT_TRUE(odd->has_basic_constraints);
  EXPECT_FALSE(odd->is_ca);
}

TEST(Certificate, SerialKeepsItsOctets) {
  EXPECT_EQ(hex(certificate("good_serial_negative")->serial), "8001");
  EXPECT_EQ(hex(certificate("good_serial_leading_zero")->serial), "00ff");
}

TEST(Certificate, IsValidFromItsFirstSecondToTheEndOfItsLast) {
  Certificate dated;
  dated.not_before = WallSeconds(1000s);
  dated.not_after = WallSeconds(2000s);
  EXPECT_FALSE(dated.is_valid_at(WallTime(999'999ms)));
  EXPECT_TRUE(dated.is_valid_at(WallTime(1000s)));
  EXPECT_TRUE(dated.is_valid_at(WallTime(2000'999ms)));
  EXPECT_FALSE(dated.is_valid_at(WallTime(2001s)));
}

TEST(Certificate, KeyTellsIssuersOfOneNameApart) {
  const auto root = certificate("good_root");
  const auto other = certificate("good_root_same_name");
  EXPECT_TRUE(names_match(root->subject, other->subject));
  EXPECT_NE(key_hash(*root), key_hash(*other));
  EXPECT_EQ(key_hash(*root), sha256(root->spki));
}

TEST(Certificate, ItsKeyIsDecodedOnceForAllThreadsThatAsk) {
  const auto root = certificate("good_root");
  std::array<const PublicKey*, 8> seen{};
  std::vector<std::thread> threads;
  for (auto& key : seen) threads.emplace_back([&] { key = &root->key().value(); });
  for (auto& thread : threads) thread.join();
  for (const auto* key : seen) EXPECT_EQ(key, seen[0]);
}

TEST(Certificate, ACopyThatIsGivenAnotherKeyHasThatOne) {
  const auto root = certificate("good_root");
  const auto other = certificate("good_root_same_name");
  ASSERT_TRUE(root->key());
  Certificate copy = *root;
  copy.spki = other->spki;
  ASSERT_TRUE(copy.key());
  EXPECT_EQ(EVP_PKEY_eq(copy.key()->get(), other->key()->get()), 1);
  copy = *other;
  copy.spki = {};
  ASSERT_FALSE(copy.key());
  EXPECT_EQ(copy.key().error().reason, Refusal::malformed);
}

TEST(Certificate, KeepsItsBytesAlive) {
  CertificatePtr kept;
  {
    auto bytes = SharedBytes::take(test_file("certificate/good_user.der"));
    kept = *parse_certificate(bytes);
  }
  const auto copy = std::make_shared<const Certificate>(*kept);
  kept.reset();
  EXPECT_EQ(hex(copy->serial), "7b000000000000000000000000000000");
}

}  // namespace
}  // namespace revcache::pki
