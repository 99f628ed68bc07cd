#include "proxy/connect_race.h"

#include <gtest/gtest.h>

#include "tests/proxy/upstream_world.h"

namespace revcache::proxy {
namespace {

using sim::Accepting;

std::vector<IpAddress> ips(std::initializer_list<std::string_view> texts) {
  std::vector<IpAddress> parsed;
  for (const auto text : texts) parsed.push_back(IpAddress::parse(text).value());
  return parsed;
}

TEST(InterleaveFamilies, TakesTheFamiliesInTurnBeginningWithTheFirst) {  // RFC 8305 section 4
  EXPECT_EQ(interleave_families({}), ips({}));
  EXPECT_EQ(interleave_families(ips({"20.0.0.1", "20.0.0.2"})), ips({"20.0.0.1", "20.0.0.2"}));
  EXPECT_EQ(interleave_families(ips({"2a00::1", "2a00::2", "20.0.0.1", "20.0.0.2", "20.0.0.3"})),
            ips({"2a00::1", "20.0.0.1", "2a00::2", "20.0.0.2", "20.0.0.3"}));
  EXPECT_EQ(interleave_families(ips({"20.0.0.1", "2a00::1", "2a00::2"})),
            ips({"20.0.0.1", "2a00::1", "2a00::2"}));
  EXPECT_EQ(interleave_families(std::vector<IpAddress>(100)).size(), kConnectAddressesMax);
}

// "20.0.0.1:80 at 250 ms".
std::vector<std::string> attempts(const UpstreamWorld& world) {
  std::vector<std::string> seen;
  for (const auto& attempt : world.network.attempts()) {
    // The name takes 1 ms.
    const auto at = std::chrono::duration_cast<milliseconds>(attempt.at) - milliseconds(1);
    seen.push_back(attempt.address.ip.to_string() + " at " + std::to_string(at.count()));
  }
  return seen;
}

struct RaceCase {
  std::string_view what;
  std::vector<std::string_view> silent;
  std::vector<std::string_view> refusing;
  std::vector<std::string> attempts;
  std::string_view outcome;
  milliseconds took_max;
};

TEST(ConnectRace, TriesTheNextAddressAfter250MillisecondsOrAtOnceWhenOneFails) {
  const std::vector<std::string_view> all{"[2a00::1]:80", "20.0.0.1:80", "[2a00::2]:80",
                                          "20.0.0.2:80"};
  const std::vector<RaceCase> cases{
      {"the first answers", {}, {}, {"2a00::1 at 0"}, "200 x", milliseconds(10)},
      {"IPv6 is a black hole",
       {all[0], all[2]},
       {},
       {"2a00::1 at 0", "20.0.0.1 at 250"},
       "200 x",
       milliseconds(260)},
      {"the first is refused",
       {},
       {all[0]},
       {"2a00::1 at 0", "20.0.0.1 at 2"},
       "200 x",
       milliseconds(10)},
      {"only the last answers",
       {all[0], all[1], all[2]},
       {},
       {"2a00::1 at 0", "20.0.0.1 at 250", "2a00::2 at 500", "20.0.0.2 at 750"},
       "200 x",
       milliseconds(760)},
      {"a refusal in between starts the next at once",
       {all[0]},
       {all[1]},
       {"2a00::1 at 0", "20.0.0.1 at 250", "2a00::2 at 252"},
       "200 x",
       milliseconds(265)},
      {"all refuse",
       {},
       {all[0], all[1], all[2], all[3]},
       {"2a00::1 at 0", "20.0.0.1 at 2", "2a00::2 at 4", "20.0.0.2 at 6"},
       "failed unreachable",
       milliseconds(10)},
      {"all are silent",
       {all[0], all[1], all[2], all[3]},
       {},
       {"2a00::1 at 0", "20.0.0.1 at 250", "2a00::2 at 500", "20.0.0.2 at 750"},
       "failed timed_out",
       milliseconds(2001)},
  };
  for (const auto& test : cases) {
    UpstreamWorld world;
    for (const auto address : all) world.serve("crl.test", address, always("x"));
    for (const auto address : test.silent) {
      world.network.link(address_of(address)).accepting = Accepting::silence;
    }
    for (const auto address : test.refusing) {
      world.network.link(address_of(address)).accepting = Accepting::refuse;
    }
    const auto fetched = world.fetch(get("http://crl.test/"));
    EXPECT_EQ(fetched->outcome(), test.outcome) << test.what;
    EXPECT_EQ(attempts(world), test.attempts) << test.what;
    EXPECT_LE(fetched->took, test.took_max) << test.what;
  }
}

TEST(ConnectRace, ClosesTheConnectionThatComesSecond) {
  UpstreamWorld world;
  auto& slow = world.serve("crl.test", "[2a00::1]:80", always("slow"));
  world.serve("crl.test", "20.0.0.1:80", always("fast"));
  world.network.link(slow.address()).to_server.latency = milliseconds(300);
  world.network.link(slow.address()).to_client.latency = milliseconds(300);
  EXPECT_EQ(world.fetch(get("http://crl.test/"))->outcome(), "200 fast");
  EXPECT_EQ(world.loop_metrics->upstream_connections.value(), 1);
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(slow.connections(), 1U);
  EXPECT_EQ(slow.open_connections(), 0U);
  EXPECT_TRUE(slow.requests().empty());
}

// SPEC section 3: private addresses are refused after DNS; our own listeners always.
TEST(ConnectRace, NeverConnectsToADeniedAddressButGoesOnWithTheOthers) {
  UpstreamWorld world;
  world.listeners = {address_of("20.0.0.7:80")};
  world.serve("crl.test", "10.0.0.1:80", always("private"));
  world.serve("crl.test", "127.0.0.1:80", always("loopback"));
  world.serve("crl.test", "20.0.0.7:80", always("ourselves"));
  world.serve("crl.test", "20.0.0.1:80", always("x"));
  EXPECT_EQ(world.fetch(get("http://crl.test/"))->outcome(), "200 x");
  EXPECT_EQ(attempts(world), std::vector<std::string>{"20.0.0.1 at 0"});
  EXPECT_EQ(world.loop_metrics->denials[metrics::index(metrics::Denial::address)].value(), 2U);
  EXPECT_EQ(world.loop_metrics->denials[metrics::index(metrics::Denial::loop)].value(), 1U);
}

TEST(ConnectRace, RefusesWhenEveryAddressIsDenied) {
  UpstreamWorld world;
  world.serve("crl.test", "10.0.0.1:80", always("private"));
  const auto fetched = world.fetch(get("http://crl.test/"));
  EXPECT_EQ(fetched->outcome(), "failed refused");
  EXPECT_EQ(fetched->error->blame, Blame::client);
  EXPECT_NE(fetched->error->detail.find("access.allow_private_destinations"), std::string::npos);
  EXPECT_TRUE(world.network.attempts().empty());
  EXPECT_EQ(world.counted(metrics::UpstreamOutcome::refused), 1U);

  world.serve("self.test", "127.0.0.1:3128", always("x"));
  UpstreamWorld loop;
  loop.listeners = {address_of("127.0.0.1:3128")};
  loop.config.access.allow_private_destinations = {IpNetwork::parse("127.0.0.0/8").value()};
  loop.serve("self.test", "127.0.0.1:3128", always("x"));
  EXPECT_EQ(loop.fetch(get("http://self.test:3128/"))->outcome(), "failed loop_detected");
}

// A name that is public when asked first and private when asked again gains nothing.
TEST(ConnectRace, ChecksTheAddressOfEveryNewConnection) {
  UpstreamWorld world;
  auto& origin = world.serve("rebind.test", "20.0.0.1:80", always("x"));
  EXPECT_EQ(world.fetch(get("http://rebind.test/"))->outcome(), "200 x");
  world.resolver.set("rebind.test", {"10.0.0.1"});
  origin.close_connections();
  world.scheduler.run_for(milliseconds(10));
  EXPECT_EQ(world.fetch(get("http://rebind.test/"))->outcome(), "failed refused");
}

}  // namespace
}  // namespace revcache::proxy
