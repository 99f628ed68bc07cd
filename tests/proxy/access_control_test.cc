#include "proxy/access_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/metrics.h"

namespace revcache::proxy {
namespace {

using config::DestinationPattern;
using http::Scheme;

DestinationPattern exact(const std::string& host, std::optional<std::uint16_t> port = {}) {
  return {.text = host, .host = host, .subdomains = false, .port = port, .any_port = false};
}

DestinationPattern below(const std::string& host, std::optional<std::uint16_t> port = {}) {
  return {.text = "*." + host, .host = host, .subdomains = true, .port = port, .any_port = false};
}

DestinationPattern on_any_port(DestinationPattern pattern) {
  pattern.any_port = true;
  return pattern;
}

std::vector<IpNetwork> networks(std::initializer_list<std::string_view> texts) {
  std::vector<IpNetwork> parsed;
  for (const auto text : texts) parsed.push_back(IpNetwork::parse(text).value());
  return parsed;
}

SocketAddress at(std::string_view text) { return SocketAddress::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

AccessControl control(const config::Config& config, std::vector<SocketAddress> listeners = {},
                      std::vector<IpAddress> local = {}) {
  return {config, listeners, local};
}

struct DestinationCase {
  DestinationPattern pattern;
  Scheme scheme;
  std::string_view host;
  std::uint16_t port;
  bool allowed;
};

TEST(AccessControl, AllowsADestinationByExactNameOrBelowAStarAndByPort) {
  const std::vector<DestinationCase> cases{
      {exact("ocsp.test"), Scheme::http, "ocsp.test", 80, true},
      {exact("ocsp.test"), Scheme::https, "ocsp.test", 443, true},
      {exact("ocsp.test"), Scheme::http, "ocsp.test", 443, false},
      {exact("ocsp.test"), Scheme::https, "ocsp.test", 80, false},
      {exact("ocsp.test"), Scheme::http, "ocsp.test", 8080, false},
      {exact("ocsp.test"), Scheme::http, "a.ocsp.test", 80, false},
      {exact("ocsp.test"), Scheme::http, "ocsp.test.evil.test", 80, false},
      {exact("ocsp.test"), Scheme::http, "xocsp.test", 80, false},
      {exact("ocsp.test"), Scheme::http, "", 80, false},
      {exact("ocsp.test", 8080), Scheme::http, "ocsp.test", 8080, true},
      {exact("ocsp.test", 8080), Scheme::https, "ocsp.test", 8080, true},
      {exact("ocsp.test", 8080), Scheme::http, "ocsp.test", 80, false},
      {on_any_port(exact("ocsp.test")), Scheme::http, "ocsp.test", 1, true},
      {on_any_port(exact("ocsp.test")), Scheme::https, "ocsp.test", 65535, true},
      {below("pki.azure.net"), Scheme::http, "primary-cdn.pki.azure.net", 80, true},
      {below("pki.azure.net"), Scheme::http, "a.b.pki.azure.net", 80, true},
      {below("pki.azure.net"), Scheme::http, "pki.azure.net", 80, false},
      {below("pki.azure.net"), Scheme::http, ".pki.azure.net", 80, false},
      {below("pki.azure.net"), Scheme::http, "evilpki.azure.net", 80, false},
      {below("pki.azure.net"), Scheme::http, "pki.azure.net.evil.test", 80, false},
      {below("pki.azure.net"), Scheme::http, "azure.net", 80, false},
      {below("pki.azure.net", 81), Scheme::http, "a.pki.azure.net", 81, true},
      {below("pki.azure.net", 81), Scheme::http, "a.pki.azure.net", 80, false},
      {exact("*"), Scheme::http, "anything.test", 80, true},
      {exact("*"), Scheme::http, "198.51.100.1", 80, true},
      {exact("*"), Scheme::http, "anything.test", 81, false},
      {on_any_port(exact("*")), Scheme::http, "anything.test", 81, true},
      {below(""), Scheme::http, "anything.test", 80, true},
      {exact("192.0.2.1"), Scheme::http, "192.0.2.1", 80, true},
      {exact("2001:db8::1"), Scheme::http, "2001:db8::1", 80, true},
      {exact("2001:db8::1"), Scheme::http, "2001:db8::2", 80, false},
  };
  for (const auto& test : cases) {
    config::Config config;
    config.access.destinations = {test.pattern};
    const auto found = control(config).destination(test.scheme, test.host, test.port);
    EXPECT_EQ(found, test.allowed ? Destination::allowed : Destination::denied)
        << test.pattern.text << " and " << test.host << ':' << test.port;
  }
}

// Every spelling of the denied host that the URI grammar lets through is the same host here.
TEST(AccessControl, IsNotEvadedByTheSpellingOfAHost) {
  config::Config config;
  config.access.destinations = {below("pki.azure.net")};
  const auto access = control(config);
  std::string storage;
  for (const auto* target :
       {"http://PKI.azure.net/", "http://pki.azure.net./", "http://pki.azure.net:080/"}) {
    const auto uri = http::parse_absolute_form(target, storage);
    ASSERT_TRUE(uri.has_value()) << target;
    EXPECT_EQ(access.destination(uri->scheme, uri->host, uri->port), Destination::denied) << target;
  }
  for (const auto* target : {"http://A.PKI.azure.NET/", "http://a.pki.azure.net.:80/"}) {
    const auto uri = http::parse_absolute_form(target, storage);
    ASSERT_TRUE(uri.has_value()) << target;
    EXPECT_EQ(access.destination(uri->scheme, uri->host, uri->port), Destination::allowed)
        << target;
  }
}

TEST(AccessControl, AllowsNamedUrlsAndMirrorsForExactlyTheirHostAndPort) {
  config::Config config;
  config.access.named_destinations = {{"crl.test", 8080}};
  config.mirrors = {{{{"primary.test", 0}, {"backup.test", 81}}}};
  const auto access = control(config);
  EXPECT_EQ(access.destination(Scheme::http, "crl.test", 8080), Destination::allowed);
  EXPECT_EQ(access.destination(Scheme::http, "crl.test", 80), Destination::denied);
  EXPECT_EQ(access.destination(Scheme::http, "a.crl.test", 8080), Destination::denied);
  EXPECT_EQ(access.destination(Scheme::http, "primary.test", 80), Destination::allowed);
  EXPECT_EQ(access.destination(Scheme::https, "primary.test", 443), Destination::allowed);
  EXPECT_EQ(access.destination(Scheme::http, "backup.test", 81), Destination::allowed);
  EXPECT_EQ(access.destination(Scheme::http, "backup.test", 80), Destination::denied);
}

TEST(AccessControl, PassesOtherDestinationsOnlyWhenToldTo) {
  config::Config config;
  config.access.destinations = {exact("ocsp.test")};
  config.access.other_destinations = config::OtherDestinations::pass;
  const auto access = control(config);
  EXPECT_EQ(access.destination(Scheme::http, "ocsp.test", 80), Destination::allowed);
  EXPECT_EQ(access.destination(Scheme::http, "elsewhere.test", 80), Destination::pass);
}

TEST(AccessControl, LetsConnectReachOnlyItsOwnList) {
  config::Config config;
  config.access.destinations = {on_any_port(exact("*"))};
  config.access.named_destinations = {{"named.test", 443}};
  config.access.connect = {{"vpn.test", 443}};
  const auto access = control(config);
  EXPECT_TRUE(access.connect_allowed("vpn.test", 443));
  EXPECT_FALSE(access.connect_allowed("vpn.test", 80));
  EXPECT_FALSE(access.connect_allowed("a.vpn.test", 443));
  EXPECT_FALSE(access.connect_allowed("named.test", 443));
  EXPECT_FALSE(access.connect_allowed("other.test", 443));
}

TEST(AccessControl, AllowsClientsByNetworkAndMethodsByExactName) {
  config::Config config;
  config.access.clients = networks({"10.0.0.0/8", "::1"});
  const auto access = control(config);
  EXPECT_TRUE(access.client_allowed(ip("10.255.0.1")));
  EXPECT_TRUE(access.client_allowed(ip("::ffff:10.1.2.3"))) << "an IPv4 client of a dual socket";
  EXPECT_TRUE(access.client_allowed(ip("::1")));
  EXPECT_FALSE(access.client_allowed(ip("11.0.0.1")));
  EXPECT_FALSE(access.client_allowed(ip("::2")));
  EXPECT_TRUE(access.method_allowed("GET"));
  EXPECT_FALSE(access.method_allowed("get"));
  EXPECT_FALSE(access.method_allowed("DELETE"));
  EXPECT_FALSE(access.method_allowed(""));
}

struct AddressCase {
  std::string_view address;
  std::optional<ErrorCode> refused;
};

TEST(AccessControl, RefusesPrivateAddressesButForTheExceptions) {
  config::Config config;
  config.access.allow_private_destinations = networks({"10.20.0.0/16", "fd00:1::/32"});
  const auto access = control(config);
  const std::vector<AddressCase> cases{
      {"203.0.114.1:80", {}},
      {"[2a00:1450::1]:80", {}},
      {"10.20.30.40:80", {}},
      {"10.21.30.40:80", ErrorCode::refused},
      {"[fd00:1::5]:443", {}},
      {"[fd00:2::5]:443", ErrorCode::refused},
      {"127.0.0.1:80", ErrorCode::refused},
      {"127.9.9.9:80", ErrorCode::refused},
      {"169.254.169.254:80", ErrorCode::refused},
      {"192.168.1.1:80", ErrorCode::refused},
      {"172.16.0.1:80", ErrorCode::refused},
      {"100.64.0.1:80", ErrorCode::refused},
      {"0.0.0.0:80", ErrorCode::refused},
      {"255.255.255.255:80", ErrorCode::refused},
      {"224.0.0.1:80", ErrorCode::refused},
      {"[::1]:80", ErrorCode::refused},
      {"[::]:80", ErrorCode::refused},
      {"[fe80::1]:80", ErrorCode::refused},
      {"[::ffff:192.168.1.1]:80", ErrorCode::refused},
      {"[64:ff9b::a00:1]:80", ErrorCode::refused},
      {"[2002:7f00:1::]:80", ErrorCode::refused},
  };
  for (const auto& test : cases) {
    const auto result = access.address_allowed(at(test.address));
    EXPECT_EQ(result.has_value(), !test.refused) << test.address;
    if (result || !test.refused) continue;
    EXPECT_EQ(result.error().code, *test.refused) << test.address;
    EXPECT_EQ(result.error().blame, Blame::client);
    EXPECT_NE(result.error().detail.find("access.allow_private_destinations"), std::string::npos);
  }
}

TEST(AccessControl, NeverReachesAListenerOfOurOwn) {
  config::Config config;
  config.access.allow_private_destinations = networks({"0.0.0.0/0", "::/0"});
  const auto access = control(
      config, {at("0.0.0.0:3128"), at("[::]:3128"), at("127.0.0.1:9853"), at("10.1.1.1:80")},
      {ip("10.1.1.1"), ip("2001:db8::5")});
  const std::vector<AddressCase> cases{
      {"127.0.0.1:3128", ErrorCode::loop_detected},
      {"127.1.2.3:3128", ErrorCode::loop_detected},
      {"0.0.0.0:3128", ErrorCode::loop_detected},
      {"10.1.1.1:3128", ErrorCode::loop_detected},
      {"[::ffff:10.1.1.1]:3128", ErrorCode::loop_detected},
      {"[::1]:3128", ErrorCode::loop_detected},
      {"[2001:db8::5]:3128", ErrorCode::loop_detected},
      {"127.0.0.1:9853", ErrorCode::loop_detected},
      {"0.0.0.0:9853", ErrorCode::loop_detected},
      {"10.1.1.1:80", ErrorCode::loop_detected},
      {"10.1.1.2:3128", {}},
      {"10.1.1.1:9853", {}},
      {"127.0.0.1:80", {}},
      {"127.0.0.1:3129", {}},
      {"[2001:db8::6]:3128", {}},
  };
  for (const auto& test : cases) {
    const auto result = access.address_allowed(at(test.address));
    EXPECT_EQ(result.has_value(), !test.refused) << test.address;
    const auto code = result ? std::nullopt : std::optional(result.error().code);
    EXPECT_EQ(code, test.refused) << test.address;
    EXPECT_EQ(access.not_own_listener(at(test.address)).has_value(), !test.refused);
  }
}

TEST(AccessControl, KnowsTheParentProxyByNameAndPort) {
  config::Config config;
  EXPECT_FALSE(control(config).is_parent_proxy("", 0));
  config.upstream.parent_proxy = config::ParentProxy{"proxy.corp", 8080, "", ""};
  const auto access = control(config, {at("10.0.0.1:3128")});
  EXPECT_TRUE(access.is_parent_proxy("proxy.corp", 8080));
  EXPECT_FALSE(access.is_parent_proxy("proxy.corp", 80));
  EXPECT_FALSE(access.is_parent_proxy("a.proxy.corp", 8080));
  EXPECT_TRUE(access.not_own_listener(at("192.168.1.1:8080")).has_value());
  EXPECT_FALSE(access.not_own_listener(at("10.0.0.1:3128")).has_value());
}

TEST(AccessControl, KnowsItsOwnNamesAndAddresses) {
  config::Config config;
  config.listen.names = {"revcache.corp.example"};
  const auto access = control(config, {at("0.0.0.0:3128")}, {ip("10.1.1.1")});
  EXPECT_TRUE(access.is_own_name("revcache.corp.example", 80));
  EXPECT_TRUE(access.is_own_name("revcache.corp.example", 3128));
  EXPECT_FALSE(access.is_own_name("revcache.corp.example", 8080));
  EXPECT_FALSE(access.is_own_name("other.corp.example", 3128));
  EXPECT_TRUE(access.is_own_name("10.1.1.1", 3128));
  EXPECT_FALSE(access.is_own_name("10.1.1.1", 80)) << "another service on the same machine";
  EXPECT_FALSE(access.is_own_name("10.1.1.2", 3128));
  EXPECT_TRUE(access.is_own_name("localhost", 3128));
  EXPECT_FALSE(access.is_own_name("localhost", 80));
  EXPECT_TRUE(access.is_own_name("127.0.0.1", 3128));
  EXPECT_TRUE(access.is_own_host("10.1.1.1"));
  EXPECT_TRUE(access.is_own_host("localhost"));
  EXPECT_FALSE(access.is_own_host("10.1.1.2"));
  EXPECT_FALSE(access.is_own_host("other.corp.example"));
}

TEST(AccessControl, LabelsUpstreamsByMirrorGroupThenExactPatternThenWildcard) {
  config::Config config;
  config.access.destinations = {below("test"), exact("a.test"), exact("b.test", 8080)};
  config.mirrors = {{{{"m1.test", 0}, {"m2.test", 0}}}};
  const auto access = control(config);
  const auto label = [&](std::string_view host, std::uint16_t port) {
    return access.upstream_labels().at(access.upstream_label(host, port));
  };
  EXPECT_EQ(label("m2.test", 80), "m1.test");
  EXPECT_EQ(label("m2.test", 443), "m1.test");
  EXPECT_EQ(label("a.test", 80), "a.test");
  EXPECT_EQ(label("c.test", 443), "*.test");
  EXPECT_EQ(label("b.test", 80), "*.test");
  EXPECT_EQ(label("b.test", 8080), "b.test");
  EXPECT_EQ(label("elsewhere.example", 80), "other");
  EXPECT_EQ(access.upstream_labels().back(), "other");
}

TEST(AccessControl, KeepsTheLabelSetBoundedAndWithoutDuplicates) {
  config::Config config;
  for (int i = 0; i < 100; ++i) {
    config.access.destinations.push_back(exact("h" + std::to_string(i % 50) + ".test"));
  }
  config.mirrors = {{{{"h3.test", 0}}}};
  const auto access = control(config);
  auto labels = access.upstream_labels();
  EXPECT_EQ(labels.size(), metrics::kUpstreamLabelsMax);
  EXPECT_EQ(labels.back(), "other");
  EXPECT_EQ(labels.at(access.upstream_label("h49.test", 80)), "other");
  EXPECT_EQ(labels.at(access.upstream_label("h3.test", 80)), "h3.test");
  EXPECT_EQ(labels.at(access.upstream_label("h0.test", 80)), "h0.test");
  std::ranges::sort(labels);
  EXPECT_EQ(std::ranges::adjacent_find(labels), labels.end());
}

}  // namespace
}  // namespace revcache::proxy
