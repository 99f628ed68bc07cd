#include "proxy/upstream_mirrors.h"

#include <gtest/gtest.h>

#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::Accepting;
using sim::http_response;
using sim::SimAnswer;

std::vector<std::string> texts(const std::vector<http::Uri>& uris) {
  std::vector<std::string> out;
  for (const auto& uri : uris) out.push_back(uri.text());
  return out;
}

using Texts = std::vector<std::string>;

TEST(UpstreamMirrors, OffersTheSamePathOnTheOtherHostsOfTheGroup) {
  const UpstreamMirrors mirrors(
      {{{{"a.test", 0}, {"b.test", 8080}, {"2001:db8::1", 0}}}, {{{"c.test", 0}, {"d.test", 0}}}});
  const MonotonicTime now{seconds(10)};
  EXPECT_EQ(texts(mirrors.candidates(uri_of("http://a.test/x//y?z=%2f"), now)),
            (Texts{"http://a.test/x//y?z=%2f", "http://b.test:8080/x//y?z=%2f",
                   "http://[2001:db8::1]/x//y?z=%2f"}));
  EXPECT_EQ(texts(mirrors.candidates(uri_of("http://b.test:8080/x"), now)),
            (Texts{"http://b.test:8080/x", "http://a.test/x", "http://[2001:db8::1]/x"}));
  EXPECT_EQ(texts(mirrors.candidates(uri_of("https://d.test/x"), now)),
            (Texts{"https://d.test/x", "https://c.test/x"}));
  EXPECT_EQ(texts(mirrors.candidates(uri_of("http://b.test/x"), now)), Texts{"http://b.test/x"});
  EXPECT_EQ(texts(mirrors.candidates(uri_of("http://e.test/x"), now)), Texts{"http://e.test/x"});
}

TEST(UpstreamMirrors, TriesAHostThatFailedLastUntilItsPenaltyIsOver) {
  UpstreamMirrors mirrors({{{{"a.test", 0}, {"b.test", 0}, {"c.test", 0}}}});
  const auto uri = uri_of("http://a.test/");
  const MonotonicTime now{seconds(10)};
  const auto order = [&](MonotonicTime at) {
    std::string hosts;
    for (const auto& candidate : mirrors.candidates(uri, at)) hosts += candidate.host()[0];
    return hosts;
  };
  mirrors.failed(uri, now);
  EXPECT_EQ(order(now), "bca");
  mirrors.failed(uri_of("http://b.test/other"), now + seconds(10));
  EXPECT_EQ(order(now + seconds(10)), "cab");
  EXPECT_EQ(order(now + kMirrorPenalty), "acb");
  EXPECT_EQ(order(now + seconds(10) + kMirrorPenalty), "abc");
  mirrors.failed(uri, now);
  mirrors.succeeded(uri);
  EXPECT_EQ(order(now), "acb");
}

class MirrorFailover : public testing::Test {
 protected:
  MirrorFailover() {
    world_.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}, {"c.test", 0}}}};
    a_ = &world_.serve("a.test", "20.0.0.1:80", always("a"));
    b_ = &world_.serve("b.test", "20.0.0.2:80", always("b"));
    c_ = &world_.serve("c.test", "20.0.0.3:80", always("c"));
  }
  static sim::SimOrigin::Script status(unsigned code) {
    return [code](const auto&) { return SimAnswer{.bytes = http_response(code, "sorry")}; };
  }

  UpstreamWorld world_;
  sim::SimOrigin* a_;
  sim::SimOrigin* b_;
  sim::SimOrigin* c_;
};

TEST_F(MirrorFailover, GoesToTheNextOn5xxAndKeepsToItForAWhile) {
  a_->set_script(status(503));
  EXPECT_EQ(world_.fetch(get("http://a.test/x"))->outcome(), "200 b");
  EXPECT_EQ(b_->requests()[0].target, "/x");
  EXPECT_EQ(b_->requests()[0].fields.find("Host"), "b.test");
  EXPECT_EQ(world_.fetch(get("http://a.test/x"))->outcome(), "200 b");
  EXPECT_EQ(a_->requests().size(), 1U) << "not asked again while its penalty lasts";
  a_->set_script(always("a"));
  world_.scheduler.run_for(kMirrorPenalty);
  EXPECT_EQ(world_.fetch(get("http://a.test/x"))->outcome(), "200 a");
  EXPECT_EQ(world_.counted(metrics::UpstreamOutcome::server_error), 1U);
  EXPECT_TRUE(world_.log.lines.empty()) << "the exchange did not fail";
}

TEST_F(MirrorFailover, HandsOnWhatTheLastOneSays) {
  for (auto* origin : {a_, b_, c_}) origin->set_script(status(500));
  EXPECT_EQ(world_.fetch(get("http://b.test/"))->outcome(), "500 sorry");
  EXPECT_EQ(a_->requests().size() + b_->requests().size() + c_->requests().size(), 3U);
}

TEST_F(MirrorFailover, KeepsToWhatIsNoFailureOfTheHost) {
  a_->set_script(status(404));
  EXPECT_EQ(world_.fetch(get("http://a.test/"))->outcome(), "404 sorry");
  EXPECT_TRUE(b_->requests().empty());
}

struct FaultCase {
  std::string_view what;
  void (*fault)(UpstreamWorld&, sim::SimOrigin&);
};

const std::vector<FaultCase>& faults() {
  static const std::vector<FaultCase> kFaults{
      {"refused",
       [](UpstreamWorld& world, sim::SimOrigin& origin) {
         world.network.link(origin.address()).accepting = Accepting::refuse;
       }},
      {"black hole",
       [](UpstreamWorld& world, sim::SimOrigin& origin) {
         world.network.link(origin.address()).accepting = Accepting::silence;
       }},
      {"silent", [](UpstreamWorld&, sim::SimOrigin& origin) { origin.set_script(silent()); }},
      {"closes",
       [](UpstreamWorld&, sim::SimOrigin& origin) {
         origin.set_script([](const auto&) { return SimAnswer{.close = true}; });
       }},
      {"resets",
       [](UpstreamWorld& world, sim::SimOrigin& origin) {
         world.network.link(origin.address()).to_client.reset_after_bytes = 5;
       }},
      {"stalls within the head",
       [](UpstreamWorld& world, sim::SimOrigin& origin) {
         world.network.link(origin.address()).to_client.stall_after_bytes = 5;
       }},
      {"speaks no HTTP",
       [](UpstreamWorld&, sim::SimOrigin& origin) {
         origin.set_script([](const auto&) { return SimAnswer{.bytes = "220 smtp ready\r\n"}; });
       }},
      {"has no name",
       [](UpstreamWorld& world, sim::SimOrigin&) {
         world.resolver.name("a.test").answer = sim::NameAnswer::no_such_name;
       }},
      {"name server silent",
       [](UpstreamWorld& world, sim::SimOrigin&) {
         world.resolver.name("a.test").answer = sim::NameAnswer::silence;
       }},
  };
  return kFaults;
}

TEST(MirrorFaults, EveryFaultBeforeTheHeadMovesAGetToTheNextMirrorWithinTheTotal) {
  for (const auto& fault : faults()) {
    UpstreamWorld world;
    world.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}}}};
    auto& bad = world.serve("a.test", "20.0.0.1:80", always("a"));
    world.serve("b.test", "20.0.0.2:80", always("b"));
    fault.fault(world, bad);
    const auto fetched = world.fetch(get("http://a.test/"));
    EXPECT_EQ(fetched->outcome(), "200 b") << fault.what;
    EXPECT_LE(fetched->took, world.config.upstream.attempt_timeout + milliseconds(20))
        << fault.what;
    EXPECT_EQ(world.loop_metrics->upstream_retries.value(), 1U) << fault.what;
  }
}

TEST(MirrorFaults, NoFaultTakesLongerThanTheTotalHoweverManyMirrorsThereAre) {
  for (const auto& fault : faults()) {
    UpstreamWorld world;
    world.config.mirrors.emplace_back();
    for (int i = 1; i <= 9; ++i) {
      const auto host = (i == 1 ? "a" : "m" + std::to_string(i)) + ".test";
      world.config.mirrors[0].hosts.push_back({host, 0});
      auto& bad = world.serve(host, "20.0.0." + std::to_string(i) + ":80", always("a"));
      fault.fault(world, bad);
      world.resolver.name(host).answer = world.resolver.name("a.test").answer;
    }
    auto request = get("http://a.test/");
    request.timeout = milliseconds(7000);
    const auto fetched = world.fetch(std::move(request));
    EXPECT_TRUE(fetched->error.has_value()) << fault.what;
    EXPECT_LE(fetched->took, milliseconds(7001)) << fault.what;
    EXPECT_EQ(world.log.lines.size(), 1U);
  }
}

TEST(MirrorFaults, APostThatMayHaveArrivedGoesToNoOtherMirrorUnlessItIsAnOcspQuestion) {
  for (const auto kind : {ObjectKind::other, ObjectKind::ocsp}) {
    UpstreamWorld world;
    world.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}}}};
    auto& bad =
        world.serve("a.test", "20.0.0.1:80", [](const auto&) { return SimAnswer{.close = true}; });
    auto& good = world.serve("b.test", "20.0.0.2:80", always("b"));
    auto request = post("http://a.test/", "question");
    request.kind = kind;
    const bool ocsp = kind == ObjectKind::ocsp;
    EXPECT_EQ(world.fetch(request)->outcome(), ocsp ? "200 b" : "failed disconnected");
    EXPECT_EQ(good.requests().size(), ocsp ? 1U : 0U);
    // Where no connection was made nothing can have arrived.
    world.scheduler.run_for(kMirrorPenalty);
    world.network.link(bad.address()).accepting = Accepting::refuse;
    EXPECT_EQ(world.fetch(request)->outcome(), "200 b");
  }
}

TEST(MirrorFaults, ABodyThatBreaksOffIsNotContinuedFromAnotherMirror) {
  UpstreamWorld world;
  world.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}}}};
  auto& bad = world.serve("a.test", "20.0.0.1:80", always(std::string(1000, 'x')));
  auto& good = world.serve("b.test", "20.0.0.2:80", always("b"));
  world.network.link(bad.address()).to_client.reset_after_bytes = 500;
  auto request = get("http://a.test/");
  request.kind = ObjectKind::crl;
  const auto fetched = world.fetch(std::move(request));
  EXPECT_EQ(fetched->outcome(), "failed disconnected");
  EXPECT_TRUE(good.requests().empty());
  EXPECT_EQ(world.fetch(get("http://a.test/"))->outcome(), "200 b")
      << "but the next one begins there";
}

}  // namespace
}  // namespace revcache::proxy
