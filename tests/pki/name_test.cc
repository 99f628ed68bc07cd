// RFC 5280 7.1 and RFC 4514: names compared and written down.
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "pki/certificate.h"
#include "pki/distinguished_name.h"
#include "tests/pki/der_text.h"
#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

constexpr unsigned kUtf8 = 0x0c;
constexpr unsigned kPrintable = 0x13;
constexpr unsigned kTeletex = 0x14;
constexpr unsigned kIa5 = 0x16;
constexpr unsigned kBmp = 0x1e;

const std::string kCommonName = "\x55\x04\x03";
const std::string kOrganization = "\x55\x04\x0a";
const std::string kPrivateType = "\x2a\x03\x04";  // 1.2.3.4
const std::string kDomainComponent = "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19";

std::string attribute(const std::string& type, unsigned tag, const std::string& text) {
  return der(0x30, {der(0x06, {type}), der(tag, {text})});
}

std::string rdn(const std::string& attributes) { return der(0x31, {attributes}); }

std::string name(std::initializer_list<std::string_view> rdns) { return der(0x30, rdns); }

std::string common_name(unsigned tag, const std::string& text) {
  return name({rdn(attribute(kCommonName, tag, text))});
}

struct Pair {
  const char* why;
  std::string left;
  std::string right;
  bool match;
};

const Pair kPairs[] = {
    {"equal octets", common_name(kUtf8, "Root"), common_name(kUtf8, "Root"), true},
    {"no attributes at all", name({}), name({}), true},
    {"another string type", common_name(kUtf8, "Root"), common_name(kPrintable, "Root"), true},
    {"case", common_name(kUtf8, "Test ROOT"), common_name(kPrintable, "test root"), true},
    {"inner spaces", common_name(kUtf8, "Test   Root"), common_name(kUtf8, "Test Root"), true},
    {"outer spaces", common_name(kUtf8, "  Root "), common_name(kUtf8, "Root"), true},
    {"nothing but spaces", common_name(kUtf8, "   "), common_name(kUtf8, ""), true},
    {"a space that is missing", common_name(kUtf8, "TestRoot"), common_name(kUtf8, "Test Root"),
     false},
    {"domain components", name({rdn(attribute(kDomainComponent, kIa5, "Contoso"))}),
     name({rdn(attribute(kDomainComponent, kIa5, "contoso"))}), true},
    {"other texts", common_name(kUtf8, "Root"), common_name(kUtf8, "Roos"), false},
    {"a longer text", common_name(kUtf8, "Root"), common_name(kUtf8, "Root2"), false},
    {"case of letters that are not ASCII", common_name(kUtf8, "\xc3\xa4"),
     common_name(kUtf8, "\xc3\x84"), false},
    {"case of types that are not folded", common_name(kTeletex, "root"),
     common_name(kTeletex, "Root"), false},
    {"types that are not folded, equal", common_name(kTeletex, "root"),
     common_name(kTeletex, "root"), true},
    {"another attribute", common_name(kUtf8, "Root"),
     name({rdn(attribute(kOrganization, kUtf8, "Root"))}), false},
    {"one RDN more", common_name(kUtf8, "Root"),
     name({rdn(attribute(kCommonName, kUtf8, "Root")), rdn(attribute(kOrganization, kUtf8, "x"))}),
     false},
    {"another order",
     name({rdn(attribute(kOrganization, kUtf8, "x")), rdn(attribute(kCommonName, kUtf8, "Root"))}),
     name({rdn(attribute(kCommonName, kUtf8, "Root")), rdn(attribute(kOrganization, kUtf8, "x"))}),
     false},
    {"one attribute of an RDN more", common_name(kUtf8, "Root"),
     name({rdn(attribute(kCommonName, kUtf8, "root") + attribute(kOrganization, kUtf8, "x"))}),
     false},
    {"one RDN of two attributes is not two of one",
     name({rdn(attribute(kCommonName, kUtf8, "a") + attribute(kOrganization, kUtf8, "B"))}),
     name({rdn(attribute(kCommonName, kUtf8, "a")), rdn(attribute(kOrganization, kUtf8, "b"))}),
     false},
    {"no name on the right", common_name(kUtf8, "Root"), der(0x30, {"x"}), false},
    {"data behind the name", common_name(kUtf8, "Root"), common_name(kUtf8, "root") + "\x05\0"s,
     false},
};

TEST(NamesMatch, AsTheTableSays) {
  for (const Pair& row : kPairs) {
    EXPECT_EQ(names_match(as_bytes(row.left), as_bytes(row.right)), row.match) << row.why;
    EXPECT_EQ(names_match(as_bytes(row.right), as_bytes(row.left)), row.match) << row.why;
  }
}

struct Written {
  std::string der;
  std::string text;
};

const Written kWritten[] = {
    {name({}), ""},
    {common_name(kPrintable, "Contoso Root"), "CN=Contoso Root"},
    {name({rdn(attribute(kOrganization, kUtf8, "Contoso")),
           rdn(attribute(kCommonName, kUtf8, "Root"))}),
     "O=Contoso, CN=Root"},
    {name({rdn(attribute(kCommonName, kUtf8, "a") + attribute(kOrganization, kUtf8, "b"))}),
     "CN=a + O=b"},
    {common_name(kUtf8, "J\xc3\xb6rg"), "CN=J\xc3\xb6rg"},
    {common_name(kTeletex, "J\xf6rg"), "CN=J\xc3\xb6rg"},
    {common_name(kBmp, "\x00J\x00\xf6"s), "CN=J\xc3\xb6"},
    {common_name(kUtf8, "a,b+c\"d\\e<f>g;h"), "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h"},
    {common_name(kUtf8, " a "), "CN=\\ a\\ "},
    {common_name(kUtf8, "#a"), "CN=\\#a"},
    {common_name(kUtf8, "a\nb\0c"s), "CN=a\\0Ab\\00c"},
    {common_name(kUtf8, "\xff"), "#300c310a300806035504030c01ff"},  // only claims to be UTF-8
    {common_name(kUtf8, "\xc2\x85"), "CN=\\C2\\85"},                // a control character
    {name({rdn(attribute(kPrivateType, kUtf8, "x"))}), "1.2.3.4=#0C0178"},
    {der(0x30, {"x"}), "#300178"},
};

TEST(NameText, IsWrittenAsRfc4514Does) {
  for (const auto& [bytes, text] : kWritten) {
    EXPECT_EQ(name_text(as_bytes(bytes)), text) << hex(as_bytes(bytes));
  }
}

struct InFile {
  const char* file;
  const char* text;
};

TEST(NameText, OfCertificatesThatOpensslMade) {
  const InFile files[] = {
      {"name_escaped", "O=Contoso\\, Ltd. / \\+Co., OU=\\ #1 \\\"x\\\"\\ , CN=a\\;b\\<c\\>=d\\\\e"},
      {"name_several_attributes", "O=Contoso, CN=x + UID=7"},
      {"name_empty", ""},
      {"issuing", "DC=example, DC=contoso, CN=Issuing"},
  };
  for (const auto& [file, text] : files) {
    const std::string path = std::string("certificate/good_") + file + ".der";
    const auto parsed = parse_certificate(SharedBytes::take(test_file(path)));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(name_text((*parsed)->subject), text);
  }
}

}  // namespace
}  // namespace revcache::pki
