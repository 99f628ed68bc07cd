// Which connection a request goes on: reuse, limits, the queue, and connections found dead.
#include <gtest/gtest.h>

#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::http_response;
using sim::SimAnswer;

struct ReuseCase {
  std::string_view what;
  std::string_view bytes;
  bool close;
  bool reused;
};

// RFC 9112 section 9.3.
TEST(UpstreamPool, UsesAConnectionAgainOnlyAfterACompleteResponseThatKeepsItAlive) {
  const std::vector<ReuseCase> cases{
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", false, true},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", false,
       true},
      {"no content", "HTTP/1.1 304 Not Modified\r\n\r\n", false, true},
      {"1.0 with keep-alive",
       "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", false, true},
      {"close announced", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
       false, false},
      {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false, false},
      {"closed behind", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true, false},
      {"surplus bytes", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", false, false},
      {"a second response", "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n",
       false, false},
      {"broken", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", false, false},
  };
  for (const auto& test : cases) {
    UpstreamWorld world;
    auto& origin = world.serve("crl.test", "20.0.0.1:80", [&](const auto&) {
      return SimAnswer{.bytes = std::string(test.bytes), .close = test.close};
    });
    world.fetch(get("http://crl.test/1"));
    world.scheduler.run_for(milliseconds(10));
    world.fetch(get("http://crl.test/2"));
    EXPECT_EQ(origin.connections(), test.reused ? 1U : 2U) << test.what;
    EXPECT_EQ(origin.requests().size(), 2U) << test.what;
  }
}

TEST(UpstreamPool, KeepsTheConnectionsOfEachOriginApart) {
  UpstreamWorld world;
  auto& plain = world.serve("a.test", "20.0.0.1:80", always("plain"));
  auto& other_port = world.serve("a.test", "20.0.0.1:81", always("port"));
  auto& secure = world.serve("a.test", "20.0.0.1:443", always("tls"));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(world.fetch(get("http://a.test/"))->outcome(), "200 plain");
    EXPECT_EQ(world.fetch(get("http://a.test:81/"))->outcome(), "200 port");
    EXPECT_EQ(world.fetch(get("https://a.test/"))->outcome(), "200 tls");
  }
  EXPECT_EQ(plain.connections(), 1U);
  EXPECT_EQ(other_port.connections(), 1U);
  EXPECT_EQ(secure.connections(), 1U);
}

TEST(UpstreamPool, ClosesIdleConnectionsWhenTheirTimeIsOver) {
  UpstreamWorld world;
  world.config.limits.upstream_idle_timeout = seconds(30);
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  world.fetch(get("http://a.test/"));
  world.scheduler.run_for(seconds(29));
  EXPECT_EQ(origin.open_connections(), 1U);
  world.scheduler.run_for(seconds(2));
  EXPECT_EQ(origin.open_connections(), 0U);
  EXPECT_EQ(world.fetch(get("http://a.test/"))->outcome(), "200 x");
  EXPECT_EQ(origin.connections(), 2U);
}

TEST(UpstreamPool, KeepsOnlySoManyIdleConnectionsToAnOrigin) {
  UpstreamWorld world;
  world.config.limits.upstream_idle_per_origin = 2;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  std::vector<std::unique_ptr<Fetched>> fetches;
  for (int i = 0; i < 5; ++i) fetches.push_back(world.begin(get("http://a.test/")));
  world.scheduler.run_for(seconds(1));
  for (const auto& fetch : fetches) EXPECT_EQ(fetch->outcome(), "200 x");
  EXPECT_EQ(origin.connections(), 5U);
  EXPECT_EQ(origin.open_connections(), 2U);
  EXPECT_EQ(world.loop_metrics->upstream_connections.value(), 2);
}

TEST(UpstreamPool, ClosesItsIdleConnectionsWhenToldTo) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  world.fetch(get("http://a.test/"));
  auto under_way = world.begin(get("http://a.test/"));
  world.client().close_idle();
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(under_way->outcome(), "200 x");
  EXPECT_EQ(origin.open_connections(), 1U);
  world.client().close_idle();
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(origin.open_connections(), 0U);
}

TEST(UpstreamPool, UsesNoConnectionFromBeforeAReload) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  auto under_way = world.begin(get("http://a.test/"));
  world.client().apply(world.settings());
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(under_way->outcome(), "200 x");
  EXPECT_EQ(origin.open_connections(), 0U);
  world.fetch(get("http://a.test/"));
  EXPECT_EQ(origin.connections(), 2U);
}

TEST(UpstreamPool, LimitsConnectionsPerOriginAndServesTheQueueInOrder) {
  UpstreamWorld world;
  world.config.limits.upstream_connections_per_origin = 2;
  auto& origin = world.serve("a.test", "20.0.0.1:80", [](const auto&) {
    return SimAnswer{.bytes = http_response(200, "x"), .delay = milliseconds(100)};
  });
  world.serve("b.test", "20.0.0.2:80", always("b"));
  std::vector<std::unique_ptr<Fetched>> fetches;
  for (int i = 0; i < 7; ++i) {
    fetches.push_back(world.begin(get("http://a.test/" + std::to_string(i))));
  }
  auto other = world.begin(get("http://b.test/"));
  world.scheduler.run_for(milliseconds(50));
  EXPECT_EQ(origin.requests().size(), 2U);
  EXPECT_EQ(other->outcome(), "200 b") << "another origin does not wait";
  world.scheduler.run_for(seconds(2));
  EXPECT_EQ(origin.connections(), 2U);
  ASSERT_EQ(origin.requests().size(), 7U);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(fetches[i]->outcome(), "200 x");
    EXPECT_EQ(origin.requests()[i].target, "/" + std::to_string(i));
  }
  EXPECT_EQ(world.limit_hits(metrics::Limit::upstream_connections), 5U);
}

TEST(UpstreamPool, IsOverloadedWhenItsQueueIsFull) {
  UpstreamWorld world;
  world.config.limits.upstream_connections_per_origin = 1;
  world.config.limits.upstream_queue = 2;
  world.serve("a.test", "20.0.0.1:80", always("x"));
  std::vector<std::unique_ptr<Fetched>> fetches;
  for (int i = 0; i < 4; ++i) fetches.push_back(world.begin(get("http://a.test/")));
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(fetches[0]->outcome(), "200 x");
  EXPECT_EQ(fetches[2]->outcome(), "200 x");
  EXPECT_EQ(fetches[3]->outcome(), "failed overloaded");
  EXPECT_EQ(fetches[3]->error->blame, Blame::local);
  EXPECT_EQ(world.limit_hits(metrics::Limit::upstream_queue), 1U);
}

TEST(UpstreamPool, LetsAWaiterGoWithoutHoldingUpTheNext) {
  UpstreamWorld world;
  world.config.limits.upstream_connections_per_origin = 1;
  world.serve("a.test", "20.0.0.1:80", [](const auto&) {
    return SimAnswer{.bytes = http_response(200, "x"), .delay = milliseconds(100)};
  });
  auto first = world.begin(get("http://a.test/1"));
  auto second = world.begin(get("http://a.test/2"));
  auto third = world.begin(get("http://a.test/3"));
  world.scheduler.run_for(milliseconds(10));
  second->exchange.reset();
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(first->outcome(), "200 x");
  EXPECT_EQ(second->outcome(), "nothing");
  EXPECT_EQ(third->outcome(), "200 x");
}

TEST(UpstreamPool, TimesOutAWaiterLikeAnyAttempt) {
  UpstreamWorld world;
  world.config.limits.upstream_connections_per_origin = 1;
  world.config.upstream.attempt_timeout = seconds(1);
  world.serve("a.test", "20.0.0.1:80", silent());
  auto first = world.begin(get("http://a.test/1"));
  auto second = world.begin(get("http://a.test/2"));
  world.scheduler.run_for(seconds(3));
  EXPECT_EQ(first->outcome(), "failed timed_out");
  EXPECT_EQ(second->outcome(), "failed timed_out");
}

struct StaleCase {
  std::string_view what;
  cache::OriginRequest request;
  std::string_view outcome;
  std::size_t requests;  // that the origin sees after the first
};

// The origin closes the idle connection in the moment when the next request is on its way. It saw
// nothing of it, but we cannot know.
TEST(UpstreamPool, RepeatsOnADeadConnectionOnlyWhatMayBeRepeated) {
  auto ocsp = post("http://a.test/", "question");
  ocsp.kind = ObjectKind::ocsp;
  const std::vector<StaleCase> cases{
      {"GET", get("http://a.test/"), "200 x", 1},
      {"OCSP by POST", ocsp, "200 x", 1},
      {"POST goes on a new connection", post("http://a.test/", "order"), "200 x", 1},
  };
  for (const auto& test : cases) {
    UpstreamWorld world;
    auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
    world.fetch(get("http://a.test/first"));
    auto fetched = world.begin(test.request);
    origin.close_connections();
    world.scheduler.run_for(seconds(1));
    EXPECT_EQ(fetched->outcome(), test.outcome) << test.what;
    EXPECT_EQ(origin.requests().size(), 1 + test.requests) << test.what;
    EXPECT_EQ(origin.connections(), 2U) << test.what;
    const bool repeated =
        test.request.method == http::Method::get || test.request.kind == ObjectKind::ocsp;
    EXPECT_EQ(world.loop_metrics->upstream_retries.value(), repeated ? 1U : 0U) << test.what;
  }
}

TEST(UpstreamPool, DoesNotRepeatOnceAByteOfTheResponseHasCome) {
  UpstreamWorld world;
  int asked = 0;
  auto& origin = world.serve("a.test", "20.0.0.1:80", [&](const auto&) {
    if (++asked == 1) return SimAnswer{.bytes = http_response(200, "x")};
    return SimAnswer{.bytes = "H", .close = true};
  });
  world.fetch(get("http://a.test/"));
  EXPECT_EQ(world.fetch(get("http://a.test/"))->outcome(), "failed disconnected");
  EXPECT_EQ(origin.requests().size(), 2U);
}

TEST(UpstreamPool, DoesNotRepeatOnANewConnection) {
  UpstreamWorld world;
  auto& origin =
      world.serve("a.test", "20.0.0.1:80", [](const auto&) { return SimAnswer{.close = true}; });
  EXPECT_EQ(world.fetch(get("http://a.test/"))->outcome(), "failed disconnected");
  EXPECT_EQ(origin.requests().size(), 1U);
}

TEST(UpstreamPool, GivesASilentIdleConnectionUpForANewOneWithinTheTotal) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  world.fetch(get("http://a.test/"));
  world.network.stall_all(origin.address());  // as when a firewall has forgotten it
  const auto fetched = world.fetch(get("http://a.test/"));
  EXPECT_EQ(fetched->outcome(), "200 x");
  EXPECT_GE(fetched->took, world.config.upstream.attempt_timeout);
  EXPECT_LT(fetched->took, world.config.upstream.timeout);
}

TEST(UpstreamPool, NoticesAnIdleConnectionThatThePeerCloses) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  world.fetch(get("http://a.test/"));
  EXPECT_EQ(world.loop_metrics->upstream_connections.value(), 1);
  origin.close_connections();
  world.scheduler.run_for(milliseconds(10));
  EXPECT_EQ(world.loop_metrics->upstream_connections.value(), 0);
  EXPECT_EQ(world.fetch(get("http://a.test/"))->outcome(), "200 x");
  EXPECT_EQ(world.loop_metrics->upstream_retries.value(), 0U);
}

TEST(UpstreamPool, MakesRoomForAFreshConnectionByClosingAnIdleOne) {
  UpstreamWorld world;
  world.config.limits.upstream_connections_per_origin = 1;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  world.fetch(get("http://a.test/"));
  EXPECT_EQ(world.fetch(post("http://a.test/", "order"))->outcome(), "200 x");
  EXPECT_EQ(origin.connections(), 2U);
  EXPECT_EQ(origin.open_connections(), 1U);
}

TEST(UpstreamPool, DropsAConnectionWhoseResponseCameBeforeTheRequestWasSent) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", [](const auto&) {
    return SimAnswer{.bytes = http_response(413, "no")};
  });
  origin.answer_at_head(true);
  world.network.link(origin.address()).to_server.window_bytes = 1000;
  world.network.link(origin.address()).to_server.bytes_per_second = 20'000;
  const auto fetched = world.fetch(post("http://a.test/", std::string(200'000, 'x')));
  EXPECT_EQ(fetched->outcome(), "413 no");
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(origin.open_connections(), 0U);
}

}  // namespace
}  // namespace revcache::proxy
