#include "proxy/upstream_client.h"

#include <gtest/gtest.h>

#include "proxy/upstream_request.h"
#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using metrics::UpstreamOutcome;
using sim::http_response;
using sim::SimAnswer;

TEST(UpstreamClient, SendsTheRequestInOriginFormAndContinuesViaAndCdnLoop) {
  UpstreamWorld world;
  auto& origin = world.serve("crl.test", "20.0.0.1:8080", always("body"));
  auto request = get("http://crl.test:8080/a//b?c=%2F");
  request.fields.add("Accept", "*/*");
  request.fields.add("X-Other", "1");
  request.via = "1.0 client";
  request.cdn_loop = "other.example";
  request.max_forwards = 3;
  EXPECT_EQ(world.fetch(std::move(request))->outcome(), "200 body");
  EXPECT_EQ(origin.received(0),
            "GET /a//b?c=%2F HTTP/1.1\r\n"
            "Host: crl.test:8080\r\n"
            "Accept: */*\r\n"
            "X-Other: 1\r\n"
            "Max-Forwards: 3\r\n"
            "Via: 1.0 client, 1.1 revcache\r\n"
            "CDN-Loop: other.example, revcache-0123456789abcdef\r\n"
            "\r\n");
}

TEST(UpstreamClient, SendsAWholeBodyWithItsLength) {
  UpstreamWorld world;
  auto& origin = world.serve("ocsp.test", "20.0.0.1:80", always("answer"));
  auto request = post("http://ocsp.test/", "question");
  request.fields.add("Content-Type", "application/ocsp-request");
  EXPECT_EQ(world.fetch(std::move(request))->outcome(), "200 answer");
  EXPECT_EQ(world.fetch(post("http://ocsp.test/", ""))->outcome(), "200 answer");
  ASSERT_EQ(origin.requests().size(), 2U);
  EXPECT_EQ(origin.requests()[0].body, "question");
  EXPECT_EQ(origin.requests()[0].fields.find("Content-Length"), "8");
  EXPECT_EQ(origin.requests()[1].fields.find("Content-Length"), "0");
}

TEST(UpstreamClient, LeavesOutFieldsThatThisHopSays) {
  UpstreamWorld world;
  auto& origin = world.serve("crl.test", "20.0.0.1:80", always(""));
  auto request = get("http://crl.test/");
  for (const auto* name :
       {"Host", "Via", "CDN-Loop", "Connection", "Content-Length", "Transfer-Encoding",
        "Keep-Alive", "TE", "Upgrade", "Max-Forwards", "Proxy-Authorization", "Proxy-Connection"}) {
    request.fields.add(name, "evil");
  }
  world.fetch(std::move(request));
  EXPECT_EQ(origin.received(0).find("evil"), std::string::npos) << origin.received(0);
}

TEST(UpstreamClient, TellsWhenTheRequestWasSent) {
  UpstreamWorld world;
  world.serve("crl.test", "20.0.0.1:80", [](const auto&) {
    return SimAnswer{.bytes = http_response(200, "x"), .delay = milliseconds(500)};
  });
  const auto before = world.scheduler.wall();
  const auto fetched = world.fetch(get("http://crl.test/"));
  EXPECT_LT(fetched->requested_at - before, milliseconds(20));
  EXPECT_GT(fetched->took, milliseconds(500));
}

TEST(UpstreamClient, ConsumesInterimResponses) {
  UpstreamWorld world;
  world.serve("crl.test", "20.0.0.1:80", [](const auto&) {
    return SimAnswer{.bytes =
                         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>"
                         "\r\n\r\n" +
                         http_response(200, "x")};
  });
  EXPECT_EQ(world.fetch(get("http://crl.test/"))->outcome(), "200 x");
}

struct AnswerCase {
  std::string_view what;
  std::string_view bytes;
  bool close;
  std::string_view outcome;
  UpstreamOutcome counted;
};

TEST(UpstreamClient, MakesOfEachAnswerWhatItIs) {
  const std::vector<AnswerCase> cases{
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false, "200 ab",
       UpstreamOutcome::ok},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
       false, "200 ab", UpstreamOutcome::ok},
      {"until close", "HTTP/1.0 200 OK\r\n\r\nab", true, "200 ab", UpstreamOutcome::ok},
      {"not modified", "HTTP/1.1 304 Not Modified\r\n\r\n", false, "304 ",
       UpstreamOutcome::not_modified},
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n", false, "204 ", UpstreamOutcome::ok},
      {"not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false, "404 ",
       UpstreamOutcome::client_error},
      {"unavailable", "HTTP/1.1 503 Busy\r\nContent-Length: 1\r\n\r\nx", false, "503 x",
       UpstreamOutcome::server_error},
      {"redirect handed on", "HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", false,
       "302 ", UpstreamOutcome::ok},
      {"nothing at all", "", true, "failed disconnected", UpstreamOutcome::disconnected},
      {"half a head", "HTTP/1.1 200 OK\r\nConte", true, "failed disconnected",
       UpstreamOutcome::disconnected},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", true, "failed disconnected",
       UpstreamOutcome::disconnected},
      {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab", true,
       "failed disconnected", UpstreamOutcome::disconnected},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", true,
       "failed disconnected", UpstreamOutcome::disconnected},
      {"switching", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false,
       "failed malformed", UpstreamOutcome::malformed},
      {"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", false, "failed malformed", UpstreamOutcome::malformed},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", false,
       "failed malformed", UpstreamOutcome::malformed},
  };
  for (const auto& test : cases) {
    UpstreamWorld world;
    world.serve("crl.test", "20.0.0.1:80", [&](const auto&) {
      return SimAnswer{.bytes = std::string(test.bytes), .close = test.close};
    });
    const auto fetched = world.fetch(get("http://crl.test/"));
    EXPECT_EQ(fetched->outcome(), test.outcome) << test.what;
    EXPECT_EQ(world.counted(test.counted), 1U) << test.what;
    EXPECT_EQ(world.log.lines.size(), fetched->error ? 1U : 0U) << test.what;
    const auto blame = fetched->error ? fetched->error->blame : Blame::upstream;
    EXPECT_EQ(blame, Blame::upstream) << test.what;
  }
}

TEST(UpstreamClient, KnowsThatTheAnswerToHeadHasNoBody) {
  UpstreamWorld world;
  auto& origin = world.serve("crl.test", "20.0.0.1:80", [](const auto&) {
    return SimAnswer{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"};
  });
  auto request = get("http://crl.test/");
  request.method = http::Method::head;
  EXPECT_EQ(world.fetch(request)->outcome(), "200 ");
  EXPECT_EQ(world.fetch(request)->outcome(), "200 ");
  EXPECT_EQ(origin.connections(), 1U);
}

TEST(UpstreamClient, LogsOneLineForAFailedExchange) {
  UpstreamWorld world;
  const auto fetched = world.fetch(get("http://nowhere.test/x"));
  EXPECT_EQ(fetched->outcome(), "failed unreachable");
  ASSERT_EQ(world.log.lines.size(), 1U);
  EXPECT_EQ(world.log.lines[0],
            "upstream failed host=nowhere.test code=unreachable blame=upstream "
            "detail=no such name: nowhere.test attempts=1");
}

TEST(UpstreamClient, VerifiesTheNameOfAnHttpsOrigin) {
  UpstreamWorld world;
  auto& origin = world.serve("crl.test", "20.0.0.1:443", always("secret"));
  EXPECT_EQ(world.fetch(get("https://crl.test/"))->outcome(), "200 secret");
  EXPECT_EQ(world.network.tls_names(), std::vector<std::string>{"crl.test"});
  world.fetch(get("https://crl.test/"));
  EXPECT_EQ(world.network.tls_names().size(), 1U) << "the connection is used again";
  EXPECT_EQ(origin.requests()[0].fields.find("Host"), "crl.test");

  world.serve("evil.test", "20.0.0.2:443", always("x"));
  world.network.set_tls("evil.test", sim::TlsOutcome::untrusted);
  const auto fetched = world.fetch(get("https://evil.test/"));
  EXPECT_EQ(fetched->outcome(), "failed untrusted");
  EXPECT_EQ(world.counted(UpstreamOutcome::untrusted), 1U);
}

TEST(UpstreamClient, ConnectsToAnAddressLiteralWithoutAResolver) {
  UpstreamWorld world;
  world.config.access.other_destinations = config::OtherDestinations::pass;
  world.serve("unused.test", "20.0.0.9:80", always("x"));
  EXPECT_EQ(world.fetch(get("http://20.0.0.9/"))->outcome(), "200 x");
  EXPECT_TRUE(world.resolver.questions().empty());
}

TEST(UpstreamClient, ObservesEachPhaseUnderTheLabelOfItsDestination) {
  UpstreamWorld world;
  world.serve("crl.test", "20.0.0.1:443", [](const auto&) {
    return SimAnswer{.bytes = http_response(200, "x"), .delay = milliseconds(40)};
  });
  world.fetch(get("https://crl.test/"));
  const auto& phases = world.loop_metrics->upstream_duration[0];
  const auto sum = [&](metrics::UpstreamPhase phase) {
    return phases[metrics::index(phase)].sum_seconds();
  };
  EXPECT_NEAR(sum(metrics::UpstreamPhase::dns), 0.001, 1e-6);
  EXPECT_NEAR(sum(metrics::UpstreamPhase::connect), 0.002, 1e-6);
  EXPECT_NEAR(sum(metrics::UpstreamPhase::tls), 0.002, 1e-6);
  EXPECT_NEAR(sum(metrics::UpstreamPhase::first_byte), 0.042, 1e-6);
  EXPECT_EQ(world.loop_metrics->upstream_requests[0][0].value(), 1U);
}

TEST(UpstreamClient, RecognisesItsOwnMarkInCdnLoop) {
  EXPECT_TRUE(is_looped("revcache-01", "revcache-01"));
  EXPECT_TRUE(is_looped("other, Revcache-01 ; x=1, third", "revcache-01"));
  EXPECT_FALSE(is_looped("", "revcache-01"));
  EXPECT_FALSE(is_looped("revcache-011, xrevcache-01", "revcache-01"));
}

TEST(UpstreamClient, EncodesBasicCredentials) {
  EXPECT_EQ(basic_credentials({"p", 1, "Aladdin", "open sesame"}),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // RFC 7617 section 2
  EXPECT_EQ(basic_credentials({"p", 1, "ab", "c"}), "Basic YWI6Yw==");
  EXPECT_EQ(basic_credentials({"p", 1, "a", "\xff"}), "Basic YTr/");
  EXPECT_EQ(basic_credentials({"p", 1, "", "ignored"}), "");
}

}  // namespace
}  // namespace revcache::proxy
