// Through a parent proxy: what goes on the wire, and connections opened for tunnels.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::http_response;
using sim::SimAnswer;
using sim::SimRequest;

// A parent at 10.0.0.9:8080, an address that no origin may have.
class ParentProxyTest : public testing::Test {
 protected:
  ParentProxyTest() {
    world_.config.upstream.parent_proxy =
        config::ParentProxy{"proxy.corp", 8080, "user", "pass word"};
    parent_ = &world_.serve("proxy.corp", "10.0.0.9:8080", [this](const SimRequest& request) {
      if (request.method == "CONNECT") return SimAnswer{.bytes = connect_answer_};
      return SimAnswer{.bytes = http_response(200, "by parent")};
    });
  }

  UpstreamWorld world_;
  std::string connect_answer_ = "HTTP/1.1 200 Connection established\r\n\r\n";
  sim::SimOrigin* parent_ = nullptr;
};

TEST_F(ParentProxyTest, IsAskedInAbsoluteFormWithItsCredentials) {
  EXPECT_EQ(world_.fetch(get("http://a.test/x?y"))->outcome(), "200 by parent");
  EXPECT_EQ(parent_->received(0),
            "GET http://a.test/x?y HTTP/1.1\r\n"
            "Host: a.test\r\n"
            "Via: 1.1 revcache\r\n"
            "CDN-Loop: revcache-0123456789abcdef\r\n"
            "Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"
            "\r\n");
  EXPECT_EQ(world_.resolver.questions(), std::vector<std::string>{"proxy.corp"});
}

TEST_F(ParentProxyTest, CarriesPlainRequestsForAllOriginsOnOneConnection) {
  world_.fetch(get("http://a.test/"));
  world_.fetch(get("http://b.test/"));
  EXPECT_EQ(parent_->connections(), 1U);
}

TEST_F(ParentProxyTest, OpensATunnelForHttpsAndKeepsItsCredentialsOutOfIt) {
  world_.fetch(get("https://a.test/x"));
  EXPECT_EQ(parent_->received(0),
            "CONNECT a.test:443 HTTP/1.1\r\n"
            "Host: a.test:443\r\n"
            "Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"
            "\r\n"
            "GET /x HTTP/1.1\r\n"
            "Host: a.test\r\n"
            "Via: 1.1 revcache\r\n"
            "CDN-Loop: revcache-0123456789abcdef\r\n"
            "\r\n");
  EXPECT_EQ(world_.network.tls_names(), std::vector<std::string>{"a.test"});
  world_.fetch(get("https://a.test/y"));
  EXPECT_EQ(parent_->connections(), 1U);
  world_.fetch(get("https://b.test/"));
  EXPECT_EQ(parent_->connections(), 2U) << "a tunnel leads to one origin";
}

TEST_F(ParentProxyTest, IsNotSentCredentialsThatItHasNotGot) {
  world_.config.upstream.parent_proxy->user.clear();
  world_.fetch(get("http://a.test/"));
  world_.fetch(get("https://a.test/"));
  EXPECT_EQ(parent_->received(0).find("Authorization"), std::string::npos);
  EXPECT_EQ(parent_->received(1).find("Authorization"), std::string::npos);
}

TEST_F(ParentProxyTest, MayBePrivateButNotOurselves) {
  world_.listeners = {address_of("10.0.0.9:8080")};
  EXPECT_EQ(world_.fetch(get("http://a.test/"))->outcome(), "failed loop_detected");
}

struct TunnelCase {
  std::string_view what;
  std::string answer;
  std::string_view outcome;
};

TEST_F(ParentProxyTest, MakesAFailureOfEveryOtherAnswerToConnect) {
  const std::vector<TunnelCase> cases{
      {"denied", http_response(403, "no"), "failed unreachable"},
      {"wants credentials", http_response(407, ""), "failed unreachable"},
      {"redirect", http_response(302, "", "Location: http://evil/\r\n"), "failed unreachable"},
      {"interim first", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "200 by parent"},
      {"any 2xx", "HTTP/1.0 204 Fine\r\n\r\n", "200 by parent"},
      {"length that means nothing", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
       "200 by parent"},
      {"no HTTP", "hello\r\n\r\n", "failed malformed"},
  };
  for (const auto& test : cases) {
    connect_answer_ = test.answer;
    world_.client().close_idle();
    const auto fetched = world_.fetch(get("https://a.test/"));
    EXPECT_EQ(fetched->outcome(), test.outcome) << test.what;
  }
}

TEST_F(ParentProxyTest, TimesOutWhenConnectIsNotAnswered) {
  connect_answer_.clear();
  const auto fetched = world_.fetch(get("https://a.test/"));
  EXPECT_EQ(fetched->outcome(), "failed timed_out");
  EXPECT_LE(fetched->took, milliseconds(2020)) << "upstream.connect_timeout";
}

// A client of a tunnel: keeps what it reads.
class TunnelReader final : public net::StreamReader {
 public:
  void on_read(std::string_view chunk) override { heard += chunk; }
  void on_read_end() override { ended = true; }
  void on_read_error(Error) override { ended = true; }
  std::string heard;
  bool ended = false;
};

TEST_F(ParentProxyTest, GivesTheTunnelWhatCameWithTheAnswerToConnect) {
  connect_answer_ = "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-server\r\n";
  std::unique_ptr<net::Stream> tunnel;
  TunnelReader reader;
  bool returned = false;
  world_.client().connect("ssh.example", 22, [&](auto result) {
    EXPECT_TRUE(returned);
    ASSERT_TRUE(result.has_value());
    tunnel = std::move(*result);
  });
  returned = true;
  world_.scheduler.run_for(seconds(1));
  ASSERT_TRUE(tunnel != nullptr);
  EXPECT_EQ(reader.heard, "") << "nothing is read before it is asked for";
  tunnel->start_reading(reader);
  EXPECT_EQ(reader.heard, "");
  world_.scheduler.run_for(seconds(1));
  EXPECT_EQ(reader.heard, "SSH-2.0-server\r\n");
  EXPECT_TRUE(parent_->received(0).starts_with("CONNECT ssh.example:22 HTTP/1.1\r\n"));
  tunnel->stop_reading();
}

TEST(Tunnel, ConnectsDirectlyWithoutAParentAndChecksTheAddress) {
  UpstreamWorld world;
  auto& server = world.serve("vpn.example", "20.0.0.5:443", silent());
  world.serve("inside.example", "10.0.0.5:443", silent());
  std::vector<std::string> outcomes;
  const auto note = [&](auto result) {
    outcomes.push_back(result ? "connected" : std::string(to_string(result.error().code)));
  };
  world.client().connect("vpn.example", 443, note);
  world.client().connect("20.0.0.5", 443, note);
  world.client().connect("inside.example", 443, note);
  world.client().connect("10.0.0.5", 443, note);
  world.client().connect("nowhere.example", 443, note);
  EXPECT_TRUE(outcomes.empty()) << "never before connect() has returned";
  world.scheduler.run_for(seconds(3));
  std::ranges::sort(outcomes);
  EXPECT_EQ(outcomes, (std::vector<std::string>{"connected", "connected", "refused", "refused",
                                                "unreachable"}));
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_TRUE(world.network.tls_names().empty()) << "TLS is the client's own";
}

TEST(Tunnel, BeingOpenedIsGivenUpWithTheClient) {
  UpstreamWorld world;
  world.serve("vpn.example", "20.0.0.5:443", silent());
  bool called = false;
  world.client().connect("vpn.example", 443, [&](const auto&) { called = true; });
  world.destroy_client();
  world.scheduler.run_for(seconds(20));
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace revcache::proxy
