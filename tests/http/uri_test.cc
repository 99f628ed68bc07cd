// RFC 3986, RFC 9112 3.2, RFC 9110 4.2.
#include "http/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::http {
namespace {

struct Absolute {
  const char* name;
  std::string target;
  const char* text;  // nullptr: refused
  const char* host = "";
  std::uint16_t port = 80;
  const char* path = "/";
};

const std::string kLabel63(63, 'a');

const Absolute kAbsolute[] = {
    {"Plain", "http://host/path", "http://host/path", "host", 80, "/path"},
    {"NoPath", "http://host", "http://host/", "host"},
    {"QueryWithoutPath", "http://host?x", "http://host/?x", "host", 80, "/?x"},
    {"DefaultPort", "http://host:80/", "http://host/", "host"},
    {"DefaultPortWithZeros", "http://host:0080/", "http://host/", "host"},
    {"EmptyPort", "http://host:/", "http://host/", "host"},
    {"OtherPort", "http://host:8080/x", "http://host:8080/x", "host", 8080, "/x"},
    {"HighestPort", "http://host:65535/", "http://host:65535/", "host", 65535},
    {"Https", "https://host/", "https://host/", "host", 443},
    {"HttpsDefaultPort", "https://host:443/", "https://host/", "host", 443},
    {"HttpsOnPort80", "https://host:80/", "https://host:80/", "host", 80},
    {"HttpOnPort443", "http://host:443/", "http://host:443/", "host", 443},
    {"UpperCase", "HTTP://HoSt.Example/PaTh", "http://host.example/PaTh", "host.example", 80,
     "/PaTh"},
    {"TrailingDot", "http://host.example./", "http://host.example/", "host.example"},
    {"TrailingDotAndPort", "http://host.:8080/", "http://host:8080/", "host", 8080},
    {"Underscore", "http://a_b.example/", "http://a_b.example/", "a_b.example"},
    {"Digits", "http://1host.2example/", "http://1host.2example/", "1host.2example"},
    {"HexLookingLabelThatIsNone", "http://0xyz/", "http://0xyz/", "0xyz"},
    {"NumberBeforeTheLastLabel", "http://127.0.0.1.example/", "http://127.0.0.1.example/",
     "127.0.0.1.example"},
    {"Punycode", "http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/",
     "xn--bcher-kva.example"},
    {"LongestLabel", "http://" + kLabel63 + "/", "", "", 80},
    {"Ipv4", "http://192.0.2.1/", "http://192.0.2.1/", "192.0.2.1"},
    {"Ipv4TrailingDot", "http://127.0.0.1./", "http://127.0.0.1/", "127.0.0.1"},
    {"Ipv6", "http://[2001:DB8::0:1]/", "http://[2001:db8::1]/", "2001:db8::1"},
    {"Ipv6Port", "http://[::1]:8080/", "http://[::1]:8080/", "::1", 8080},
    {"Ipv6Mapped", "http://[::ffff:127.0.0.1]/", "http://127.0.0.1/", "127.0.0.1"},
    {"Ipv6MappedInHex", "http://[::ffff:7f00:1]:81/", "http://127.0.0.1:81/", "127.0.0.1", 81},
    {"PathKept", "http://h/a/../b//c/./%7Euser?q=/?&x", "http://h/a/../b//c/./%7Euser?q=/?&x", "h",
     80, "/a/../b//c/./%7Euser?q=/?&x"},
    {"RawBase64", "http://h/ocsp/MFEw+T//z==", "http://h/ocsp/MFEw+T//z==", "h", 80,
     "/ocsp/MFEw+T//z=="},
    {"PercentIsNotLookedInto", "http://h/%zz%", "http://h/%zz%", "h", 80, "/%zz%"},
    {"BracketsInQuery", "http://h/?a[]=1", "http://h/?a[]=1", "h", 80, "/?a[]=1"},
    {"AtInPath", "http://h/a@b:c", "http://h/a@b:c", "h", 80, "/a@b:c"},
    {"Empty", "", nullptr},
    {"NoScheme", "//host/", nullptr},
    {"OnlyPath", "/path", nullptr},
    {"OtherScheme", "ftp://host/", nullptr},
    {"Ldap", "ldap:///CN=x", nullptr},
    {"SchemeOfNoLetters", "1http://host/", nullptr},
    {"OneSlash", "http:/host/", nullptr},
    {"NoSlash", "http:host/", nullptr},
    {"ThreeSlashes", "http:///path", nullptr},
    {"EmptyHost", "http://", nullptr},
    {"EmptyHostAndPort", "http://:80/", nullptr},
    {"Userinfo", "http://user@host/", nullptr},
    {"UserinfoAndPassword", "http://user:secret@host/", nullptr},
    {"UserinfoThatLooksLikeAHost", "http://good.example:80@evil.example/", nullptr},
    {"EmptyUserinfo", "http://@host/", nullptr},
    {"EncodedHost", "http://%68ost/", nullptr},
    {"EncodedDotInHost", "http://127%2e0.0.1/", nullptr},
    {"Utf8Host", "http://h\xc3\xb6st/", nullptr},
    {"BackslashInHost", "http://good.example\\@evil.example/", nullptr},
    {"SpaceInHost", "http://ho st/", nullptr},
    {"TabInHost", "http://ho\tst/", nullptr},
    {"QuoteInHost", "http://ho'st/", nullptr},
    {"CommaInHost", "http://a,b/", nullptr},
    {"EmptyLabel", "http://a..b/", nullptr},
    {"LeadingDot", "http://.host/", nullptr},
    {"TwoTrailingDots", "http://host../", nullptr},
    {"OnlyADot", "http://./", nullptr},
    {"LabelTooLong", "http://" + kLabel63 + "a/", nullptr},
    {"NameTooLong", "http://" + kLabel63 + "." + kLabel63 + "." + kLabel63 + "." + kLabel63 + "/",
     nullptr},
    {"DecimalIpv4", "http://2130706433/", nullptr},
    {"HexIpv4", "http://0x7f000001/", nullptr},
    {"HexIpv4InUpperCase", "http://0X7F.0.0.1/", nullptr},
    {"HexInTheLastLabel", "http://127.0.0.0x1/", nullptr},
    {"BareHexPrefix", "http://127.0.0.0x/", nullptr},
    {"OctalIpv4", "http://0177.0.0.1/", nullptr},
    {"ShortIpv4", "http://127.1/", nullptr},
    {"ThreePartIpv4", "http://127.0.1/", nullptr},
    {"FivePartIpv4", "http://127.0.0.0.1/", nullptr},
    {"Ipv4OutOfRange", "http://127.0.0.256/", nullptr},
    {"NumberAsLastLabel", "http://host.1/", nullptr},
    {"NumberAsLastLabelAndDot", "http://host.1./", nullptr},
    {"ZonedIpv6", "http://[fe80::1%25eth0]/", nullptr},
    {"ZonedIpv6Raw", "http://[fe80::1%eth0]/", nullptr},
    {"UnclosedIpv6", "http://[::1/", nullptr},
    {"TextBehindIpv6", "http://[::1]x/", nullptr},
    {"Ipv4InBrackets", "http://[127.0.0.1]/", nullptr},
    {"EmptyBrackets", "http://[]/", nullptr},
    {"IpvFuture", "http://[v1.x]/", nullptr},
    {"Ipv6WithoutBrackets", "http://::1/", nullptr},
    {"PortZero", "http://host:0/", nullptr},
    {"PortTooLarge", "http://host:65536/", nullptr},
    {"PortThatWraps", "http://host:4294967376/", nullptr},
    {"PortOfNoDigits", "http://host:8o/", nullptr},
    {"PortWithSign", "http://host:+80/", nullptr},
    {"TwoPorts", "http://host:80:80/", nullptr},
    {"Fragment", "http://host/#x", nullptr},
    {"FragmentInsteadOfPath", "http://host#x", nullptr},
    {"SpaceInPath", "http://host/a b", nullptr},
    {"LineFeedInPath", "http://host/a\nb", nullptr},
    {"PipeInPath", "http://host/a|b", nullptr},
    {"BackslashInPath", "http://host/a\\b", nullptr},
    {"Utf8InPath", "http://host/\xc3\xb6", nullptr},
};

class AbsoluteForm : public testing::TestWithParam<Absolute> {};

TEST_P(AbsoluteForm, IsNormalisedOrRefused) {
  const Absolute& row = GetParam();
  std::string storage;
  const auto uri = parse_absolute_form(row.target, storage);
  ASSERT_EQ(uri.has_value(), row.text != nullptr);
  if (!uri) {
    EXPECT_EQ(uri.error().code, ErrorCode::malformed);
    EXPECT_EQ(uri.error().blame, Blame::client);
    return;
  }
  if (*row.text == '\0') return;  // accepted is all that is asked
  EXPECT_EQ(uri->text, row.text);
  EXPECT_EQ(uri->host, row.host);
  EXPECT_EQ(uri->port, row.port);
  EXPECT_EQ(uri->path, row.path);
}

TEST_P(AbsoluteForm, IsStableOnceNormalised) {
  std::string storage;
  const auto uri = parse_absolute_form(GetParam().target, storage);
  if (!uri) return;
  const Uri owned(*uri);
  std::string again;
  const auto second = parse_absolute_form(owned.text(), again);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->text, uri->text);
  EXPECT_EQ(owned.host(), uri->host);
  EXPECT_EQ(owned.path(), uri->path);
  EXPECT_EQ(owned.authority(), uri->authority);
  EXPECT_EQ(owned.view().ip, uri->ip);
}

INSTANTIATE_TEST_SUITE_P(Table, AbsoluteForm, testing::ValuesIn(kAbsolute),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Uri, KnowsAddressLiterals) {
  std::string storage;
  EXPECT_EQ(parse_absolute_form("http://[::1]/", storage)->ip, IpAddress::parse("::1"));
  EXPECT_EQ(parse_absolute_form("http://[::ffff:1.2.3.4]/", storage)->ip,
            IpAddress::parse("1.2.3.4"));
  EXPECT_EQ(parse_absolute_form("http://host/", storage)->ip, std::nullopt);
}

TEST(Uri, SaysItsAuthorityAsAHostFieldDoes) {
  std::string storage;
  EXPECT_EQ(parse_absolute_form("http://[::1]:8080/x", storage)->authority, "[::1]:8080");
  EXPECT_EQ(parse_absolute_form("http://Host:80/x", storage)->authority, "host");
}

TEST(Uri, NeedsNoMemoryWhenTheStorageHasRoom) {
  std::string storage;
  storage.reserve(256);
  const char* const before = storage.data();
  ASSERT_TRUE(parse_absolute_form("http://[2001:db8:1:2:3:4:5:6]:8080/some/path", storage));
  ASSERT_TRUE(from_origin_form("/some/path", "host.example:8080", Scheme::http, storage));
  EXPECT_EQ(storage.data(), before);
}

struct Origin {
  const char* target;
  const char* host;
  const char* text;  // nullptr: refused
};

const Origin kOrigin[] = {
    {"/a?b", "host", "http://host/a?b"},
    {"/", "HOST.:80", "http://host/"},
    {"/", "host:8080", "http://host:8080/"},
    {"//evil.example/x", "host", "http://host//evil.example/x"},
    {"/", "[::1]:81", "http://[::1]:81/"},
    {"/", "", nullptr},
    {"/", "a b", nullptr},
    {"/", "user@host", nullptr},
    {"/", "host/x", nullptr},
    {"/", "2130706433", nullptr},
    {"*", "host", nullptr},
    {"", "host", nullptr},
    {"x", "host", nullptr},
    {"/#x", "host", nullptr},
};

TEST(OriginForm, IsPutTogetherWithHost) {
  for (const Origin& row : kOrigin) {
    std::string storage;
    const auto uri = from_origin_form(row.target, row.host, Scheme::http, storage);
    ASSERT_EQ(uri.has_value(), row.text != nullptr) << row.target << " " << row.host;
    if (uri) {
      EXPECT_EQ(uri->text, row.text);
    }
  }
}

struct Reference {
  const char* reference;
  const char* text;  // nullptr: refused
};

// RFC 3986 5.4 with an http base, and Location values of the wild.
const Reference kReferences[] = {
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g/"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q"},
    {"g#s", "http://a/b/c/g"},
    {"g?y#s", "http://a/b/c/g?y"},
    {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"./", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"},
    {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"},
    {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"},
    {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
    {"http://other:80/x", "http://other/x"},
    {"https://other", "https://other/"},
    {"https://other/a/../b?c/../d", "https://other/b?c/../d"},
    {"//other:8080/x", "http://other:8080/x"},
    {"HTTP://OTHER/", "http://other/"},
    {"http:g", nullptr},
    {"ftp://other/", nullptr},
    {"g:h", nullptr},
    {"//user@other/", nullptr},
    {"//127.1/", nullptr},
    {"a b", nullptr},
    {"a\nb", nullptr},
    {"http://", nullptr},
};

TEST(ResolveReference, FollowsRfc3986) {
  std::string storage;
  const Uri base(*parse_absolute_form("http://a/b/c/d;p?q", storage));
  for (const Reference& row : kReferences) {
    const auto uri = resolve_reference(base, row.reference);
    ASSERT_EQ(uri.has_value(), row.text != nullptr) << row.reference;
    if (uri) {
      EXPECT_EQ(uri->text(), row.text) << row.reference;
    }
  }
}

TEST(ResolveReference, KeepsTheAuthorityOfTheBase) {
  std::string storage;
  const Uri base(*parse_absolute_form("https://[::1]:8443", storage));
  EXPECT_EQ(resolve_reference(base, "x")->text(), "https://[::1]:8443/x");
  EXPECT_EQ(resolve_reference(base, "")->text(), "https://[::1]:8443/");
}

TEST(Authority, IsReadForConnect) {
  const auto authority = parse_authority("Host.Example.:443");
  ASSERT_TRUE(authority);
  EXPECT_EQ(authority->host, "host.example");
  EXPECT_EQ(authority->port, 443);
  EXPECT_EQ(parse_authority("host")->port, std::nullopt);
  EXPECT_EQ(parse_authority("[::ffff:1.2.3.4]:1")->host, "1.2.3.4");
  EXPECT_EQ(parse_authority("[::1]")->host, "::1");
  for (const char* text : {"", ":443", "a@b:443", "host:0", "host:x", "[::1", "host:443/", "1.2"}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
}

}  // namespace
}  // namespace revcache::http
