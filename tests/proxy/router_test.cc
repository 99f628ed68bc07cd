#include "proxy/router.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "http/parser.h"

namespace revcache::proxy {
namespace {

const SocketAddress kListener = *SocketAddress::parse("127.0.0.1:3128");

config::Config routed_config() {
  config::Config config;
  config::DestinationPattern pattern;
  pattern.text = pattern.host = "cdn.test";
  config.access.destinations = {pattern};
  config.access.connect = {{"login.test", 443}};
  config.access.methods = {"GET", "HEAD", "POST", "OPTIONS", "TRACE"};
  config.listen.names = {"revcache.corp.example"};
  config.listen.proxy = {kListener};
  return config;
}

// Routes one request given as text; what the route says, as text.
class RouterTest : public testing::Test {
 protected:
  std::string routed(const std::string& request) {
    http::ParserLimits limits;
    http::RequestParser parser(limits);
    if (parser.feed(request).kind != http::StepKind::head) return "not parsed";
    const auto decided = route(parser.head(), access_, "revcache-1", storage_);
    if (const auto* to = std::get_if<ForwardRoute>(&decided)) {
      return "forward " + std::string(to->uri.text);
    }
    if (const auto* to = std::get_if<ConnectRoute>(&decided)) {
      return "connect " + to->host + ":" + std::to_string(to->port);
    }
    if (const auto* to = std::get_if<OwnRoute>(&decided)) return "own " + std::string(to->path);
    if (std::holds_alternative<FinalRoute>(decided)) return "final";
    return std::to_string(std::get<RefusedRoute>(decided).reply.status);
  }

  AccessControl access_{routed_config(), {kListener}, {}};
  std::string storage_;
};

struct RouteRow {
  const char* request;
  const char* expected;
};

TEST_F(RouterTest, EachRequestHasOneWay) {
  const RouteRow table[] = {
      // RFC 9112 3.2.2: absolute-form is for a proxy.
      {"GET http://cdn.test/a.crl HTTP/1.1\r\nHost: cdn.test\r\n\r\n",
       "forward http://cdn.test/a.crl"},
      {"GET http://CDN.test:80 HTTP/1.1\r\nHost: x\r\n\r\n", "forward http://cdn.test/"},
      {"GET http://cdn.test./a HTTP/1.0\r\n\r\n", "forward http://cdn.test/a"},
      {"GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n", "403"},
      {"GET http://cdn.test:8080/ HTTP/1.1\r\nHost: cdn.test\r\n\r\n", "403"},
      {"GET ftp://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\n\r\n", "400"},
      {"GET http://user@cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\n\r\n", "400"},
      // Origin-form: ours, or reversed by Host.
      {"GET /proxy.pac HTTP/1.1\r\nHost: revcache.corp.example\r\n\r\n", "own /proxy.pac"},
      {"GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n\r\n", "own /proxy.pac"},
      {"GET /proxy.pac HTTP/1.0\r\n\r\n", "own /proxy.pac"},
      // Without a port, as OpenSSL's ocsp writes it.
      {"POST /ocsp HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", "own /ocsp"},
      {"POST /ocsp HTTP/1.0\r\nHost: 127.0.0.1:8080\r\n\r\n", "421"},
      {"GET /a.crl HTTP/1.1\r\nHost: cdn.test\r\n\r\n", "forward http://cdn.test/a.crl"},
      {"GET /a.crl HTTP/1.1\r\nHost: other.test\r\n\r\n", "421"},
      // CONNECT is ruled by access.connect alone.
      {"CONNECT login.test:443 HTTP/1.1\r\nHost: login.test:443\r\n\r\n", "connect login.test:443"},
      {"CONNECT login.test:22 HTTP/1.1\r\nHost: login.test:22\r\n\r\n", "403"},
      {"CONNECT cdn.test:443 HTTP/1.1\r\nHost: cdn.test:443\r\n\r\n", "403"},
      // Methods.
      {"DELETE http://cdn.test/a HTTP/1.1\r\nHost: cdn.test\r\n\r\n", "405"},
      {"OPTIONS * HTTP/1.1\r\nHost: cdn.test\r\n\r\n", "final"},
      {"GET * HTTP/1.1\r\nHost: cdn.test\r\n\r\n", "not parsed"},
      // RFC 9110 7.6.2.
      {"OPTIONS http://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\nMax-Forwards: 0\r\n\r\n", "final"},
      {"OPTIONS http://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\nMax-Forwards: 1\r\n\r\n",
       "forward http://cdn.test/"},
      {"TRACE http://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\nMax-Forwards: 0\r\n\r\n", "final"},
      {"GET http://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\nMax-Forwards: 0\r\n\r\n",
       "forward http://cdn.test/"},
      // RFC 8586.
      {"GET http://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\nCDN-Loop: a, revcache-1\r\n\r\n", "508"},
      {"GET http://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\nCDN-Loop: revcache-2\r\n\r\n",
       "forward http://cdn.test/"},
  };
  for (const auto& row : table) EXPECT_EQ(routed(row.request), row.expected) << row.request;
}

TEST_F(RouterTest, ARefusalNamesTheSettingToChange) {
  http::ParserLimits limits;
  http::RequestParser parser(limits);
  parser.feed("GET http://other.test/ HTTP/1.1\r\nHost: other.test\r\n\r\n");
  const auto decided = route(parser.head(), access_, "revcache-1", storage_);
  const auto& refused = std::get<RefusedRoute>(decided);
  EXPECT_NE(refused.reply.text.find("access.destinations"), std::string::npos);
  EXPECT_EQ(refused.denial, metrics::Denial::destination);
}

TEST_F(RouterTest, AMethodRefusedComesWithAllow) {
  http::ParserLimits limits;
  http::RequestParser parser(limits);
  parser.feed("PUT http://cdn.test/ HTTP/1.1\r\nHost: cdn.test\r\n\r\n");
  const auto decided = route(parser.head(), access_, "revcache-1", storage_);
  EXPECT_EQ(std::get<RefusedRoute>(decided).reply.allow, "GET, HEAD, POST, OPTIONS, TRACE");
}

TEST_F(RouterTest, AnotherServiceOfThisMachineIsReachedWhereItIsAllowed) {
  auto config = routed_config();
  config::DestinationPattern pattern;
  pattern.text = pattern.host = "127.0.0.1";
  config.access.destinations.push_back(pattern);
  access_ = AccessControl{config, {kListener}, {}};
  EXPECT_EQ(routed("GET /a.crl HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
            "forward http://127.0.0.1/a.crl");
  EXPECT_EQ(routed("GET /a.crl HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n\r\n"), "own /a.crl");
}

}  // namespace
}  // namespace revcache::proxy
