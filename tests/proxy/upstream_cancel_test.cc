// Letting go of an exchange, or of everything, at every single moment.
#include <gtest/gtest.h>

#include <functional>

#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::http_response;
using sim::SimAnswer;
using sim::SimRequest;

struct Scene {
  std::string_view what;
  std::function<void(UpstreamWorld&)> prepare;
  std::string url;
};

SimAnswer answer_to(const SimRequest& request) {
  if (request.method == "CONNECT") return {.bytes = "HTTP/1.1 200 OK\r\n\r\n"};
  if (request.target.ends_with("/old")) {
    return {.bytes = http_response(302, "", "Location: /new\r\n")};
  }
  return {.bytes = http_response(200, std::string(300, 'x')), .delay = milliseconds(2)};
}

std::vector<Scene> scenes() {
  return {
      {"plain", [](UpstreamWorld& world) { world.serve("a.test", "20.0.0.1:80", answer_to); },
       "http://a.test/"},
      {"racing",
       [](UpstreamWorld& world) {
         world.serve("a.test", "[2a00::1]:80", answer_to);
         world.serve("a.test", "20.0.0.1:80", answer_to);
         world.network.link(address_of("[2a00::1]:80")).accepting = sim::Accepting::silence;
       },
       "http://a.test/"},
      {"https by parent, redirected",
       [](UpstreamWorld& world) {
         world.config.upstream.parent_proxy = config::ParentProxy{"proxy.corp", 8080, "u", "p"};
         world.serve("proxy.corp", "10.0.0.9:8080", answer_to);
       },
       "https://a.test/old"},
      {"mirrors",
       [](UpstreamWorld& world) {
         world.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}, {"c.test", 0}}}};
         world.serve("a.test", "20.0.0.1:80",
                     [](const auto&) { return SimAnswer{.bytes = http_response(503, "busy")}; });
         world.serve("b.test", "20.0.0.2:80",
                     [](const auto&) { return SimAnswer{.bytes = "HTT", .close = true}; });
         world.serve("c.test", "20.0.0.3:80", answer_to);
       },
       "http://a.test/"},
  };
}

// Two fetches wait for one connection; the first is let go of after `events` events, together
// with the client if `all`. False once everything was over before that.
bool cancel_after(const Scene& scene, std::uint64_t events, bool all) {
  UpstreamWorld world;
  world.config.limits.upstream_connections_per_origin = 1;
  world.network.link(address_of("20.0.0.1:80")).to_client.chunk_bytes_max = 60;
  scene.prepare(world);
  auto request = get(scene.url);
  request.follow_redirects = true;
  auto first = world.begin(request);
  auto second = world.begin(request);
  for (std::uint64_t i = 0; i < events; ++i) world.scheduler.step();
  const bool was_over = first->over();
  const auto seen = first->body.size();
  first->exchange.reset();
  if (all) {
    second->exchange.reset();
    world.destroy_client();
  }
  world.scheduler.run_for(seconds(20));
  EXPECT_EQ(first->over(), was_over) << scene.what << ": called back after " << events;
  EXPECT_EQ(first->body.size(), seen) << scene.what << ": called back after " << events;
  EXPECT_TRUE(all || second->complete)
      << scene.what << ": the other one after " << events << ": " << second->outcome();
  return !was_over;
}

TEST(UpstreamCancel, MayHappenAtAnyMomentAndLeavesTheOthersAlone) {
  for (const auto& scene : scenes()) {
    for (const bool all : {false, true}) {
      std::uint64_t events = 0;
      while (cancel_after(scene, events, all) && events < 10'000) ++events;
      EXPECT_GT(events, 5U) << scene.what;
      EXPECT_LT(events, 10'000U) << scene.what;
      if (testing::Test::HasFailure()) return;
    }
  }
}

enum class Moment : std::uint8_t { head, body, complete, failed };

// Lets go of its exchange from inside a callback.
class LeavingSink final : public cache::OriginSink {
 public:
  explicit LeavingSink(Moment moment) : moment_(moment) {}
  void on_head(http::ResponseHead, WallTime) override { at(Moment::head); }
  void on_body(std::string_view) override { at(Moment::body); }
  void on_complete() override { at(Moment::complete); }
  void on_failed(Error) override { at(Moment::failed); }
  std::unique_ptr<cache::OriginExchange> exchange;

 private:
  void at(Moment moment) {
    EXPECT_TRUE(exchange != nullptr) << "called after it had left";
    if (moment == moment_) exchange.reset();
  }
  Moment moment_;
};

TEST(UpstreamCancel, MayHappenInsideEveryCallback) {
  for (const auto moment : {Moment::head, Moment::body, Moment::complete, Moment::failed}) {
    for (const std::string body : {"", "a body"}) {
      UpstreamWorld world;
      world.serve("a.test", "20.0.0.1:80", [&](const auto&) {
        auto bytes = http_response(200, body);
        if (moment == Moment::failed) bytes.resize(bytes.size() - 3);
        return SimAnswer{.bytes = bytes, .close = moment == Moment::failed};
      });
      LeavingSink sink(moment);
      sink.exchange = world.client().fetch(get("http://a.test/"), sink);
      world.scheduler.run_for(seconds(20));
      EXPECT_EQ(sink.exchange == nullptr, moment != Moment::body || !body.empty());
      sink.exchange.reset();
    }
  }
}

TEST(UpstreamCancel, MayHappenAfterTheEnd) {
  UpstreamWorld world;
  auto& origin = world.serve("a.test", "20.0.0.1:80", always("x"));
  auto fetched = world.begin(get("http://a.test/"));
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(fetched->outcome(), "200 x");
  fetched->exchange->pause();
  fetched->exchange->resume();
  fetched->exchange->send_body("late", true);
  fetched->exchange.reset();
  EXPECT_EQ(origin.open_connections(), 1U) << "a finished exchange leaves its connection open";
}

// Random faults: whatever happens, each fetch ends once and in time, with the origin's bytes or
// with an error, and nothing is left (which UpstreamWorld checks).
TEST(UpstreamChaos, EveryFetchEndsOnceInTimeWithTheWholeBodyOrAnError) {
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    UpstreamWorld world(seed);
    world.config.limits.upstream_connections_per_origin = 3;
    world.config.limits.upstream_idle_timeout = milliseconds(300);
    world.config.mirrors = {{{{"a.test", 0}, {"b.test", 0}}}};
    const std::string body(3000, 'b');
    const sim::SimOrigin::Script script = [&](const SimRequest&) {
      if (world.scheduler.chance(0.05)) return SimAnswer{.close = true};
      if (world.scheduler.chance(0.05)) return SimAnswer{};
      return SimAnswer{.bytes = http_response(200, body),
                       .delay = world.scheduler.uniform(milliseconds(0), milliseconds(300)),
                       .close = world.scheduler.chance(0.2)};
    };
    for (const auto* address : {"20.0.0.1:80", "[2a00::1]:80"}) {
      world.serve("a.test", address, script);
    }
    world.serve("b.test", "20.0.0.2:80", script);
    std::vector<std::unique_ptr<Fetched>> fetches;
    for (int i = 0; i < 40; ++i) {
      auto& link = world.network.link(
          address_of(world.scheduler.chance(0.5) ? "20.0.0.1:80" : "20.0.0.2:80"));
      link.accepting =
          world.scheduler.chance(0.2) ? sim::Accepting::silence : sim::Accepting::accept;
      link.to_client = {.jitter = milliseconds(20), .chunk_bytes_max = 400, .split_chunks = true};
      if (world.scheduler.chance(0.2)) {
        link.to_client.reset_after_bytes = world.scheduler.uniform(1, 5000);
      }
      if (world.scheduler.chance(0.1)) {
        link.to_client.stall_after_bytes = world.scheduler.uniform(1, 5000);
      }
      auto request = get("http://a.test/");
      request.kind = ObjectKind::crl;
      fetches.push_back(world.begin(std::move(request)));
      world.scheduler.run_for(world.scheduler.uniform(milliseconds(0), milliseconds(100)));
      if (world.scheduler.chance(0.1)) fetches.back()->exchange.reset();
      if (world.scheduler.chance(0.02)) world.network.reset_all(address_of("20.0.0.1:80"));
    }
    world.scheduler.run_for(seconds(15));
    for (const auto& fetch : fetches) {
      EXPECT_TRUE(fetch->over() || fetch->exchange == nullptr) << "seed " << seed;
      EXPECT_LE(fetch->took, world.config.upstream.timeout) << "seed " << seed;
      EXPECT_TRUE(!fetch->complete || fetch->body == body) << "seed " << seed;
      completed += fetch->complete ? 1U : 0U;
      failed += fetch->error ? 1U : 0U;
    }
  }
  EXPECT_GT(completed, 1000U);
  EXPECT_GT(failed, 50U);
}

}  // namespace
}  // namespace revcache::proxy
