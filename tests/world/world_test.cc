#include "tests/world/world.h"

#include <gtest/gtest.h>

#include <charconv>
#include <optional>
#include <set>
#include <string>

namespace revcache::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kPath = "/region/crls/current.crl";

// The version that a body tells, if it is byte for byte what the origin published.
std::optional<std::uint64_t> version_in(const std::string& path, const std::string& body,
                                        std::size_t content_bytes) {
  const auto mark = body.find(" v");
  if (mark == std::string::npos) return std::nullopt;
  std::uint64_t version = 0;
  std::from_chars(body.data() + mark + 2, body.data() + body.size(), version);
  if (body != der_body(path, version, content_bytes)) return std::nullopt;
  return version;
}

TEST(World, AMissIsFetchedOnceAndIsAHitAfterwards) {
  World world{Seed{1}};
  const auto miss = world.get_now(kPath);
  EXPECT_EQ(miss.status, 200);
  EXPECT_TRUE(miss.cache_status.starts_with("revcache; fwd=uri-miss")) << miss.cache_status;
  const auto hit = world.get_now(kPath);
  EXPECT_TRUE(hit.cache_status.starts_with("revcache; hit")) << hit.cache_status;
  EXPECT_EQ(hit.body, miss.body);
  EXPECT_EQ(world.origin().requests(), 1U);
  world.drain_and_check();
}

TEST(World, AThousandClientsAtOnceCauseOneUpstreamRequest) {
  World world{Seed{2}};
  int whole = 0;
  for (int i = 0; i < 1000; ++i) {
    world.get(kPath, [&whole](const ClientAnswer& answer) {
      if (answer.complete && answer.status == 200) ++whole;
    });
  }
  world.drain_and_check();
  EXPECT_EQ(whole, 1000);
  EXPECT_EQ(world.origin().requests(), 1U);
}

TEST(World, AFetchThatDiesIsHandedOverToAWaiterOnce) {
  World world{Seed{3}};
  world.origin().behaviour().truncate_probability = 1;
  world.origin().behaviour().delay_min = milliseconds(20);
  int refused = 0;
  for (int i = 0; i < 50; ++i) {
    world.get(kPath, [&refused](const ClientAnswer& answer) {
      EXPECT_TRUE(answer.body.find("0123456789") == std::string::npos) << "never the bad bytes";
      if (answer.status == 502) ++refused;
    });
  }
  world.drain_and_check();
  EXPECT_EQ(refused, 50);
  EXPECT_LE(world.origin().requests(), 4U);
}

TEST(World, AnOutageOfTheOriginIsNotAnOutageForClients) {
  World world{Seed{4}};
  const auto before = world.get_now(kPath);
  world.silence_origin();
  world.scheduler().run_for(hours(10));
  const auto during = world.get_now(kPath);
  EXPECT_EQ(during.status, 200);
  EXPECT_EQ(during.body, before.body);
  EXPECT_TRUE(during.cache_status.starts_with("revcache; fwd=stale; ttl=-")) << during.cache_status;
  EXPECT_NE(during.cache_status.find("stale-if-error"), std::string::npos) << during.cache_status;
  world.bring_origin_back();
  world.origin().publish(kPath);
  const auto after = world.get_now(kPath);
  EXPECT_EQ(version_in(kPath, after.body, 600), 1U);
  world.drain_and_check();
}

TEST(World, AWebPageInPlaceOfACrlIsRefusedAndTheLastGoodCopyServed) {
  World world{Seed{5}};
  const auto good = world.get_now(kPath);
  world.scheduler().run_for(hours(1));
  world.origin().behaviour().web_page_probability = 1;
  EXPECT_EQ(world.get_now(kPath).body, good.body);
  EXPECT_EQ(world.get_now("/other.crl").status, 502);
  world.drain_and_check();
}

TEST(World, AStaleObjectIsValidatedWithoutItsBody) {
  World world{Seed{6}};
  const auto first = world.get_now(kPath);
  world.scheduler().run_for(hours(1));
  const auto second = world.get_now(kPath);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(world.origin().not_modified(), 1U);
  EXPECT_NE(second.cache_status.find("fwd-status=304"), std::string::npos) << second.cache_status;
  world.drain_and_check();
}

TEST(World, ARestartFindsTheCacheWarm) {
  World world{Seed{7}};
  const auto before = world.get_now(kPath);
  world.scheduler().run_for(seconds(5));
  world.crash_and_restart();
  const auto after = world.get_now(kPath);
  EXPECT_EQ(after.body, before.body);
  EXPECT_TRUE(after.cache_status.starts_with("revcache; hit")) << after.cache_status;
  EXPECT_EQ(world.origin().requests(), 1U);
  world.drain_and_check();
}

TEST(World, ASlowDiskDelaysAMissButNoHit) {
  World world{Seed{8}};
  world.get_now(kPath);
  world.disk().profile().slow_probability = 1;
  const auto began = world.scheduler().monotonic();
  world.get_now(kPath);
  EXPECT_LT(world.scheduler().monotonic() - began, milliseconds(100));
  world.drain_and_check();
}

TEST(World, WhatTheDiskCertainlyDoesNotHoldIsFetchedWithoutAskingIt) {
  World world{Seed{8}};
  world.disk().profile().knows_absence_probability = 1;
  EXPECT_EQ(world.get_now(kPath).status, 200);
  EXPECT_EQ(world.disk().finds(), 0U);
  // What needs no origin is answered all the same.
  EXPECT_EQ(world.get_now("/other.crl", "Cache-Control: only-if-cached\r\n").status, 504);
  world.origin().behaviour().web_page_probability = 1;
  EXPECT_EQ(world.get_now("/page.crl").status, 502);
  const auto negative = world.get_now("/page.crl");
  EXPECT_EQ(negative.status, 502);
  EXPECT_NE(negative.cache_status.find("detail=negative"), std::string::npos)
      << negative.cache_status;
  EXPECT_EQ(world.disk().finds(), 0U);
  world.scheduler().run_for(seconds(5));
  world.crash_and_restart();
  EXPECT_TRUE(world.get_now(kPath).cache_status.starts_with("revcache; hit"));
  EXPECT_EQ(world.disk().finds(), 1U);
  world.drain_and_check();
}

TEST(World, AClockThatStepsBackMakesNoDamage) {
  World world{Seed{9}};
  const auto first = world.get_now(kPath);
  world.scheduler().step_wall(-hours(24));
  EXPECT_EQ(world.get_now(kPath).body, first.body);
  world.scheduler().step_wall(hours(48));
  EXPECT_EQ(world.get_now(kPath).body, first.body);
  world.drain_and_check();
}

// Random requests, publications and faults. Whatever happens, a complete answer is byte for byte
// something that the origin has published, and every request is answered exactly once.
class WorldUnderFaults : public testing::TestWithParam<std::uint64_t> {
 protected:
  void one_step(World& world) {
    auto& scheduler = world.scheduler();
    const std::string path = "/crl/" + std::to_string(scheduler.uniform(0, 5)) + ".crl";
    switch (scheduler.uniform(0, 11)) {
      case 0:
        world.origin().publish(path);
        return;
      case 1:
        world.network().reset_all(World::origin_address());
        return;
      case 2:
        world.network().stall_all(World::origin_address());
        return;
      case 3:
        scheduler.step_wall(milliseconds(scheduler.uniform(0, 600'000)) - seconds(300));
        return;
      case 4:
        scheduler.run_for(seconds(scheduler.uniform(0, 90)));
        return;
      case 5:
        change_weather(world);
        return;
      default:
        break;
    }
    const std::string fields = scheduler.chance(0.1) ? "Cache-Control: no-cache\r\n" : "";
    world.get(
        path,
        [path, &world, this](const ClientAnswer& answer) {
          if (answer.status != 200) return;
          ++whole_;
          ASSERT_TRUE(answer.complete) << "a held body is sent whole or not at all";
          const auto version = version_in(path, answer.body, 600);
          ASSERT_TRUE(version) << "bytes that nobody published for " << path;
          EXPECT_LE(*version, world.origin().version(path));
        },
        fields);
    if (scheduler.chance(0.7)) scheduler.run_for(milliseconds(scheduler.uniform(0, 200)));
  }

  int whole_ = 0;

  static void change_weather(World& world) {
    auto& scheduler = world.scheduler();
    auto& origin = world.origin().behaviour();
    const auto maybe = [&scheduler](double probability) {
      return scheduler.chance(0.3) ? probability : 0.0;
    };
    origin.error_probability = maybe(0.5);
    origin.web_page_probability = maybe(0.3);
    origin.truncate_probability = maybe(0.5);
    origin.hang_up_probability = maybe(0.5);
    auto& disk = world.disk().profile();
    disk.slow_probability = maybe(0.5);
    disk.error_probability = maybe(0.3);
    disk.corrupt_probability = maybe(0.2);
    disk.knows_absence_probability = maybe(1);
    auto& link = world.network().link(World::origin_address());
    link.accepting = scheduler.chance(0.2) ? Accepting::refuse : Accepting::accept;
    link.to_client.split_chunks = scheduler.chance(0.5);
    link.to_client.reset_after_bytes = std::nullopt;
    if (scheduler.chance(0.2)) link.to_client.reset_after_bytes = scheduler.uniform(1, 2000);
  }
};

TEST_P(WorldUnderFaults, AnswersAreWholeAndGenuineAndGivenOnce) {
  World world{Seed{GetParam()}};
  for (int step = 0; step < 2000; ++step) {
    one_step(world);
    if (HasFatalFailure()) return;
    if (step % 150 == 149) {
      world.scheduler().run_for(seconds(30));
      world.crash_and_restart();
    }
  }
  world.drain_and_check();
  // Most requests are served in spite of the weather: that is what the cache is for.
  EXPECT_GT(whole_, static_cast<int>(world.asked()) / 2) << "of " << world.asked();
}

INSTANTIATE_TEST_SUITE_P(Seeds, WorldUnderFaults, testing::Range<std::uint64_t>(100, 130));

TEST(World, TheSameSeedGivesTheSameTrace) {
  std::set<std::uint64_t> traces;
  for (int run = 0; run < 2; ++run) {
    World world{Seed{11}};
    world.origin().behaviour().hang_up_probability = 0.3;
    for (int i = 0; i < 50; ++i)
      world.get("/" + std::to_string(i % 7) + ".crl", [](const auto&) {});
    world.drain_and_check();
    traces.insert(world.scheduler().trace());
  }
  EXPECT_EQ(traces.size(), 1U);
}

}  // namespace
}  // namespace revcache::sim
