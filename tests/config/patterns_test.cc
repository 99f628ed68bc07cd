#include "config/patterns.h"

#include <gtest/gtest.h>

#include <string_view>

#include "config/public_pki_hosts.h"

namespace revcache::config {
namespace {

TEST(Patterns, ReadDestinations) {
  const struct {
    std::string_view text;
    std::string_view host;
    bool subdomains;
    std::uint16_t port;  // 0: none
    bool any_port;
  } cases[] = {
      {"crl.example.com", "crl.example.com", false, 0, false},
      {"CRL.Example.COM", "crl.example.com", false, 0, false},
      {"*.pki.azure.net", "pki.azure.net", true, 0, false},
      {"ocsp.example.com:8080", "ocsp.example.com", false, 8080, false},
      {"*.example.com:8080", "example.com", true, 8080, false},
      {"host:*", "host", false, 0, true},
      {"*.example.com:*", "example.com", true, 0, true},
      {"192.0.2.1", "192.0.2.1", false, 0, false},
      {"[2001:db8::1]:80", "2001:db8::1", false, 80, false},
  };
  for (const auto& one : cases) {
    const auto pattern = parse_destination(one.text);
    ASSERT_TRUE(pattern) << one.text;
    EXPECT_EQ(pattern->host, one.host) << one.text;
    EXPECT_EQ(pattern->subdomains, one.subdomains) << one.text;
    EXPECT_EQ(pattern->port.value_or(0), one.port) << one.text;
    EXPECT_EQ(pattern->any_port, one.any_port) << one.text;
  }
}

TEST(Patterns, RefuseDestinationsThatMeanNothingOrTooMuch) {
  for (const std::string_view text : {"",          "*",           "*.",           "*:80",
                                      "*.*",       "a.*.com",     "*example.com", "*.192.0.2.1",
                                      "*.[::1]",   "host:",       "host:0",       "host:65536",
                                      "host:80:*", "http://host", "host/path",    "user@host",
                                      "0x7f.1",    "2130706433",  "ho st",        "host%2e",
                                      "::1",       "[::1%eth0]"}) {
    EXPECT_FALSE(parse_destination(text)) << text;
  }
}

TEST(Patterns, PointWhoWantsEveryHostToTheKeyForThat) {
  EXPECT_NE(parse_destination("*").error().find("other_destinations"), std::string::npos);
}

TEST(Patterns, KnowOnlyWellFormedPublicHosts) {
  for (const std::string_view host : public_pki_hosts()) {
    const auto pattern = parse_destination(host);
    ASSERT_TRUE(pattern) << host;
    EXPECT_EQ(pattern->text, host);
    EXPECT_FALSE(pattern->port || pattern->any_port) << host;
  }
}

TEST(Patterns, WantAPortForConnect) {
  EXPECT_EQ(parse_host_and_port("vpn.example.com:443")->port, 443);
  EXPECT_FALSE(parse_host_and_port("vpn.example.com"));
  EXPECT_FALSE(parse_host_and_port("*.example.com:443"));
  EXPECT_EQ(print_host_and_port({"2001:db8::1", 443}), "[2001:db8::1]:443");
  EXPECT_EQ(print_host_and_port({"example.com", 0}), "example.com");
}

TEST(Patterns, ReadSerialsAsOpensslAndWindowsShowThem) {
  const struct {
    std::string_view text;
    std::string_view expected;
  } cases[] = {
      {"0a1b2c", "0a1b2c"},
      {"0A:1B:2C", "0a1b2c"},
      {"0A1B2C", "0a1b2c"},
      {"00ff", "ff"},
      {"00", "00"},
      {"0000", "00"},
      {"abc", "0abc"},
      {"00:00:01", "01"},
      {"00ffffffffffffffffffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffffffffffff"}};
  for (const auto& one : cases) {
    const auto serial = parse_serial(one.text);
    ASSERT_TRUE(serial) << one.text;
    EXPECT_EQ(*serial, one.expected);
  }
}

TEST(Patterns, RefuseWhatIsNoSerial) {
  for (const std::string_view text : {"", "0x0a", "-1", "g1", "0a:", ":0a", "0:a", "0a::0b",
                                      "0a 0b", "01ffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_FALSE(parse_serial(text)) << text;
  }
}

TEST(Patterns, TakeReasonsOfRfc5280ButRemoveFromCrl) {
  EXPECT_EQ(parse_reason("keyCompromise"), "keyCompromise");
  EXPECT_EQ(parse_reason("cACompromise"), "cACompromise");
  EXPECT_FALSE(parse_reason("removeFromCRL"));
  EXPECT_FALSE(parse_reason("KeyCompromise"));
  EXPECT_FALSE(parse_reason(""));
}

TEST(Patterns, ReadAParentProxyWithAUserButNoPassword) {
  const auto proxy = parse_parent_proxy("http://DOMAIN%5Cuser@Proxy.corp:8080");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->host, "proxy.corp");
  EXPECT_EQ(proxy->port, 8080);
  EXPECT_EQ(proxy->user, "DOMAIN\\user");
  EXPECT_EQ(print_parent_proxy(*proxy), "http://DOMAIN%5Cuser@proxy.corp:8080");
  EXPECT_EQ(parse_parent_proxy("http://proxy.corp/")->port, 80);
}

TEST(Patterns, NeverRepeatAPasswordInAMessage) {
  const auto proxy = parse_parent_proxy("http://user:hunter2@proxy.corp:8080");
  ASSERT_FALSE(proxy);
  EXPECT_EQ(proxy.error().find("hunter2"), std::string::npos);
  EXPECT_NE(proxy.error().find("parent_proxy_password_file"), std::string::npos);
}

TEST(Patterns, RefuseParentProxiesOfAnotherForm) {
  for (const std::string_view text :
       {"", "proxy:8080", "https://proxy:8080", "socks5://proxy:1080", "http://", "http://@proxy",
        "http://proxy:8080/path", "http://us%0aer@proxy", "http://us%3Aer@proxy",
        "http://u%4@proxy"}) {
    EXPECT_FALSE(parse_parent_proxy(text)) << text;
  }
}

TEST(Patterns, KeepLabelsSafeForPathsAndMetrics) {
  EXPECT_TRUE(parse_label("contoso-cloud_root.1"));
  for (const std::string_view text : {"", ".", "..", "a/b", "a b", "\xc3\xa4", "a\nb"}) {
    EXPECT_FALSE(parse_label(text)) << text;
  }
  EXPECT_FALSE(parse_label(std::string(65, 'a')));
}

TEST(Patterns, TakeTokensAsMethodsButNotConnect) {
  EXPECT_EQ(parse_method("PROPFIND"), "PROPFIND");
  for (const std::string_view text : {"", "CONNECT", "GET ", "G/T", "G\xc3\xa4T"}) {
    EXPECT_FALSE(parse_method(text)) << text;
  }
}

}  // namespace
}  // namespace revcache::config
