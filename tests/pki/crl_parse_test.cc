// RFC 5280 5.1, 5.2: what a CRL says, and what is none.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pki/asn1_time.h"
#include "pki/crl.h"
#include "tests/pki/crl_factory.h"
#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

const CrlSigner& signer() {
  static const CrlSigner made;
  return made;
}

CrlText with_extensions(std::string extensions) {
  CrlText text;
  text.extensions = std::move(extensions);
  return text;
}

TEST(ParseCrl, ReadsEveryField) {
  CrlText text;
  text.next_update = generalized_time_element("20261128000000Z");
  text.entries = entry("\x10", reason_extension(1)) + entry("\x11");
  text.extensions =
      extension(id_ce(20), integer("\x00\x80"s)) + extension(id_ce(27), integer("\x7f"), true) +
      extension(id_ce(35), der(0x30, {der(0x80, {"key"}), der(0xa1, {der(0xa4, {name("Top")})}),
                                      der(0x82, {"\x01"})})) +
      issuing_point(point_name("http://a.test/1.crl") + der(0x81, {"\xff"})) +
      extension(id_ce(46), der(0x30, {der(0x30, {point_name("http://a.test/d.crl")})})) +
      extension(next_publish_oid(), utc_time("261127000000Z")) + extension("\x2a\x03", "any");
  const std::string whole = signer().crl(text);
  const ParsedCrlPtr crl = parsed(whole);
  EXPECT_EQ(crl->version, 2);
  EXPECT_EQ(as_text(crl->issuer), name("Root"));
  EXPECT_EQ(as_text(crl->tbs_algorithm), signer().algorithm());
  EXPECT_EQ(as_text(crl->signature_algorithm), signer().algorithm());
  EXPECT_EQ(rfc3339(crl->this_update), "2026-11-21T00:00:00Z");
  EXPECT_EQ(rfc3339(crl->next_update.value()), "2026-11-28T00:00:00Z");
  EXPECT_EQ(rfc3339(crl->next_publish.value()), "2026-11-27T00:00:00Z");
  EXPECT_EQ(hex(crl->number), "0080");
  EXPECT_EQ(hex(crl->base_number), "7f");
  EXPECT_TRUE(crl->is_delta());
  EXPECT_EQ(as_text(crl->authority_key_id), "key");
  EXPECT_EQ(crl->scope.urls, std::vector<std::string>{"http://a.test/1.crl"});
  EXPECT_TRUE(crl->scope.has_distribution_point && crl->scope.only_user_certificates);
  EXPECT_FALSE(crl->scope.only_ca_certificates || crl->scope.only_attribute_certificates ||
               crl->scope.only_some_reasons || crl->scope.indirect);
  EXPECT_EQ(crl->freshest_crl_urls, std::vector<std::string>{"http://a.test/d.crl"});
  EXPECT_EQ(crl->entries, 2U);
  EXPECT_TRUE(crl->unknown_critical_extensions.empty());
  EXPECT_TRUE(crl->has_extensions);
  EXPECT_EQ(as_text(crl->der.bytes()), whole);
}

TEST(ParseCrl, GivesEntriesInTheirOrder) {
  CrlText text;
  text.entries = entry("\x03", reason_extension(1)) +
                 entry("\x01", extension(id_ce(24), generalized_time_element("20260101000000Z"))) +
                 entry("\x03");
  const ParsedCrlPtr crl = parsed(signer().crl(text));
  std::string serials;
  crl->for_each([&](const RevokedEntry& listed) { serials += hex(listed.serial) + " "; });
  EXPECT_EQ(serials, "03 01 03 ");
  const auto found = crl->find(as_bytes("\x01"));
  ASSERT_TRUE(found);
  EXPECT_EQ(rfc3339(found->invalidity_date.value()), "2026-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(found->revoked_at), "2026-11-20T10:11:12Z");
}

TEST(ParseCrl, AListThatIsEmptyOrAbsentHasNoEntry) {
  for (const bool has_list : {false, true}) {
    CrlText text;
    text.has_list = has_list;
    const ParsedCrlPtr crl = parsed(signer().crl(text));
    EXPECT_EQ(crl->entries, 0U);
    EXPECT_FALSE(crl->find(as_bytes("\x01")));
    EXPECT_FALSE(crl->find({}));
    crl->for_each([](const RevokedEntry&) { ADD_FAILURE(); });
  }
}

TEST(ParseCrl, Version1HasNoExtensions) {
  CrlText text;
  text.version = "";
  text.extensions = "";
  text.entries = entry("\x01");
  const ParsedCrlPtr plain = parsed(signer().crl(text));
  EXPECT_EQ(plain->version, 1);
  EXPECT_FALSE(plain->has_extensions);
  EXPECT_TRUE(plain->number.empty());
  text.entries = entry("\x01", reason_extension(1));
  EXPECT_TRUE(parsed(signer().crl(text))->has_extensions);
}

struct Scope {
  const char* name;
  std::string content;
  bool CrlScope::* flag;
};

TEST(ParseCrl, TellsTheKindsOfIssuingDistributionPoints) {
  const Scope rows[] = {
      {"user", der(0x81, {"\xff"}), &CrlScope::only_user_certificates},
      {"ca", der(0x82, {"\xff"}), &CrlScope::only_ca_certificates},
      {"reasons", der(0x83, {"\x01\x40"}), &CrlScope::only_some_reasons},
      {"indirect", der(0x84, {"\xff"}), &CrlScope::indirect},
      {"attribute", der(0x85, {"\xff"}), &CrlScope::only_attribute_certificates},
      {"relative name", der(0xa0, {der(0xa1, {der(0x30, {der(0x06, {"\x55\x04\x03"})})})}),
       &CrlScope::has_distribution_point},
      {"directory name", der(0xa0, {der(0xa0, {der(0xa4, {name("Root")})})}),
       &CrlScope::has_distribution_point},
  };
  for (const Scope& row : rows) {
    const ParsedCrlPtr crl = parsed(signer().crl(with_extensions(issuing_point(row.content))));
    const CrlScope& scope = crl->scope;
    const std::array flags{
        &CrlScope::only_user_certificates,      &CrlScope::only_ca_certificates,
        &CrlScope::only_some_reasons,           &CrlScope::indirect,
        &CrlScope::only_attribute_certificates, &CrlScope::has_distribution_point};
    for (const auto flag : flags) EXPECT_EQ(scope.*flag, flag == row.flag) << row.name;
    EXPECT_EQ(as_text(scope.extension), der(0x30, {row.content}));
    EXPECT_TRUE(scope.urls.empty());
  }
}

struct Malformed {
  const char* name;
  CrlText text;
  const char* detail;
};

CrlText with_entries(std::string entries) {
  CrlText text;
  text.entries = std::move(entries);
  return text;
}

CrlText changed(std::string CrlText::* member, std::string value) {
  CrlText text;
  text.*member = std::move(value);
  return text;
}

CrlText without_dates() {
  CrlText text;
  text.this_update = text.next_update = "";
  return text;
}

const std::string kCrlNumber = extension(id_ce(20), integer("\x05"));

const Malformed kMalformed[] = {
    {"VersionOfZero", changed(&CrlText::version, integer("\x00"s)), "a version that does not"},
    {"NegativeVersion", changed(&CrlText::version, integer("\xff")), "a version that does not"},
    {"NoAlgorithm", changed(&CrlText::algorithm, der(0x31, {})), "AlgorithmIdentifier"},
    {"NoIssuer", changed(&CrlText::issuer, der(0x31, {})), "at offset"},
    {"NoDate", without_dates(), "thisUpdate was expected"},
    {"ThisUpdateThatDoesNotExist", changed(&CrlText::this_update, utc_time("260230000000Z")),
     "thisUpdate was expected"},
    {"NextUpdateThatDoesNotExist", changed(&CrlText::next_update, utc_time("260230000000Z")),
     "nextUpdate was expected"},
    {"EntryThatIsNoSequence", with_entries(der(0x31, {})), "an entry was expected"},
    {"EntryWithoutSerial", with_entries(der(0x30, {utc_time("261120101112Z")})), "a serial number"},
    {"EntryWithoutDate", with_entries(der(0x30, {integer("\x01")})), "revocation date"},
    {"SerialNotMinimal", with_entries(entry("\x00\x01"s)), "shortest form"},
    {"SerialOfNoOctet", with_entries(entry("")), "shortest form"},
    {"SerialOf65Octets", with_entries(entry(std::string(65, 'a'))), "too long"},
    {"DateThatDoesNotExist", with_entries(entry("\x01", "", utc_time("261301000000Z"))),
     "revocation date"},
    {"DateWithoutSeconds", with_entries(entry("\x01", "", utc_time("2611201011Z"))),
     "revocation date"},
    {"TwoReasons", with_entries(entry("\x01", reason_extension(1) + reason_extension(1))), "twice"},
    {"ReasonNotEnumerated", with_entries(entry("\x01", extension(id_ce(21), integer("\x01")))),
     "a reason was expected"},
    {"ReasonNotMinimal",
     with_entries(entry("\x01", extension(id_ce(21), der(0x0a, {"\x00\x01"s})))), "shortest form"},
    {"DataBehindAReason",
     with_entries(entry("\x01", extension(id_ce(21), der(0x0a, {"\x01"}) + "x"))), "data behind"},
    {"InvalidityDateInUtcTime",
     with_entries(entry("\x01", extension(id_ce(24), utc_time("261120101112Z")))), "invalidity"},
    {"CertificateIssuerWithoutName",
     with_entries(entry("\x01", extension(id_ce(29), der(0x30, {}), true))), "no name"},
    {"DataBehindAnEntry",
     with_entries(der(0x30, {integer("\x01"), utc_time("261120101112Z"),
                             der(0x30, {reason_extension(1)}), "\x05\x00"s})),
     "data behind"},
    {"EmptyEntryExtensions",
     with_entries(der(0x30, {integer("\x01"), utc_time("261120101112Z"), der(0x30, {})})),
     "empty Extensions"},
    {"NumberTwice", with_extensions(kCrlNumber + kCrlNumber), "twice"},
    {"NegativeNumber", with_extensions(extension(id_ce(20), integer("\x80"))), "negative"},
    {"NumberOf21Octets", with_extensions(extension(id_ce(20), integer(std::string(21, 'a')))),
     "too long"},
    {"NumberNotMinimal", with_extensions(extension(id_ce(20), integer("\x00\x01"s))), "shortest"},
    {"DataBehindANumber", with_extensions(extension(id_ce(20), integer("\x01") + "x")),
     "data behind"},
    {"NegativeBaseNumber", with_extensions(extension(id_ce(27), integer("\x80"), true)),
     "negative"},
    {"KeyIdentifierThatIsNoSequence", with_extensions(extension(id_ce(35), "x")), "key identifier"},
    {"DataBehindAKeyIdentifier",
     with_extensions(extension(id_ce(35), der(0x30, {der(0x83, {"x"})}))), "data behind"},
    {"PointForDisjointKinds",
     with_extensions(issuing_point(der(0x81, {"\xff"}) + der(0x82, {"\xff"}))), "disjoint"},
    {"PointWithABadBoolean", with_extensions(issuing_point(der(0x81, {"\x01"}))), "BOOLEAN"},
    {"PointOutOfOrder", with_extensions(issuing_point(der(0x82, {"\xff"}) + der(0x81, {"\x00"s}))),
     "data behind"},
    {"PointWithoutAName", with_extensions(issuing_point(der(0xa0, {der(0xa0, {})}))), "no name"},
    {"PointWithAnotherChoice", with_extensions(issuing_point(der(0xa0, {der(0xa2, {})}))),
     "fullName"},
    {"FreshestThatIsEmpty", with_extensions(extension(id_ce(46), der(0x30, {}))),
     "distribution points"},
    {"NextPublishThatIsNoTime", with_extensions(extension(next_publish_oid(), integer("\x01"))),
     "next publication"},
    {"EmptyExtensions", changed(&CrlText::extensions, " "), "at offset"},
};

class MalformedCrl : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedCrl, IsRefusedAndToldWhere) {
  const auto crl = parse_crl(SharedBytes::take(signer().crl(GetParam().text)), kTestHashSeed);
  ASSERT_FALSE(crl);
  EXPECT_EQ(crl.error().reason, Refusal::malformed);
  EXPECT_NE(crl.error().detail.find(GetParam().detail), std::string::npos) << crl.error().detail;
  EXPECT_NE(crl.error().detail.find("at offset"), std::string::npos) << crl.error().detail;
}

INSTANTIATE_TEST_SUITE_P(Rows, MalformedCrl, testing::ValuesIn(kMalformed),
                         [](const auto& row) { return row.param.name; });

TEST(ParseCrl, IsMalformedWithoutItsLastOctetsOrWithMore) {
  CrlText text;
  text.entries = entry("\x10", reason_extension(1)) + entry("\x11");
  const std::string whole = signer().crl(text);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_crl(SharedBytes::take(whole.substr(0, size)), kTestHashSeed)) << size;
  }
  EXPECT_FALSE(parse_crl(SharedBytes::take(whole + '\0'), kTestHashSeed));
}

std::string pem(const std::string& der, const std::string& label = "X509 CRL") {
  std::string base64(der.size() * 2 + 16, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                     as_bytes(der).data(), static_cast<int>(der.size()));
  base64.resize(static_cast<std::size_t>(length));
  std::string text = "-----BEGIN " + label + "-----\n";
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < base64.size(); at += kLine) text += base64.substr(at, kLine) + '\n';
  return text + "-----END " + label + "-----\n";
}

std::string der_of(const std::string& file) {
  const auto der = crl_der(SharedBytes::copy_of(file));
  return der ? std::string(der->text()) : "refused: " + der.error().detail;
}

TEST(CrlFile, IsDerOrOnePemBlock) {
  // Long enough to be decoded in several pieces.
  const CrlText text = [] {
    CrlText long_text;
    for (int i = 0; i < 60'000; ++i) long_text.entries += entry("\x01");
    return long_text;
  }();
  const std::string whole = signer().crl(text);
  EXPECT_EQ(der_of(whole), whole);
  EXPECT_EQ(der_of(pem(whole)), whole);
  EXPECT_EQ(der_of("a comment\n" + pem("other", "CERTIFICATE") + pem(whole)), whole);
  const std::string spelled = signer().crl(changed(&CrlText::issuer, name(pem("inner"))));
  EXPECT_EQ(der_of(spelled), spelled);
}

TEST(CrlFile, IsMalformedOtherwise) {
  const std::string block = pem(signer().crl({}));
  EXPECT_EQ(der_of(""), "refused: neither one DER object nor a PEM block X509 CRL");
  EXPECT_EQ(der_of(pem("x", "CERTIFICATE")),
            "refused: neither one DER object nor a PEM block X509 CRL");
  EXPECT_EQ(der_of(block + block), "refused: more than one PEM block X509 CRL");
  EXPECT_EQ(der_of(block.substr(0, 200)), "refused: the PEM block X509 CRL has no end");
  std::string damaged = block;
  damaged[100] = '!';
  EXPECT_EQ(der_of(damaged), "refused: the PEM block X509 CRL is not base64");
  damaged[100] = '-';
  EXPECT_EQ(der_of(damaged), "refused: the PEM block X509 CRL is not base64");
}

}  // namespace
}  // namespace revcache::pki
