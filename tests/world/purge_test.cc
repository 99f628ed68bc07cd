// A purge while the worker goes on serving: what was under way does not bring the older copy back.
#include "cache/purge.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/world/world.h"

namespace revcache::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kPath = "/region/crls/current.crl";
const std::string kOtherPath = "/region/crls/other.crl";

cache::PurgeReport purge(World& world, const std::string& path) {
  auto scope = std::make_shared<cache::PurgeScope>();
  scope->urls.insert("http://cdn.test" + path);
  const auto report = cache::purge(world.cache(), nullptr, scope);
  EXPECT_TRUE(report);
  return report.value_or(cache::PurgeReport{});
}

bool is_hit(const ClientAnswer& answer) {
  return answer.cache_status.find("; hit") != std::string::npos;
}

TEST(PurgeInAWorker, WhatItTakesIsRememberedAsRemoved) {
  World world{Seed{1}};
  world.get_now(kPath);
  EXPECT_EQ(purge(world, kPath).entries, 1U);
  EXPECT_EQ(world.cache().memory.find("http://cdn.test" + kPath), nullptr);
  EXPECT_EQ(world.cache().remembered.fate_of("http://cdn.test" + kPath),
            cache::RememberedKeys::Fate::removed);
}

TEST(PurgeInAWorker, AFetchThatWasUnderWayAnswersItsClientButIsNotStored) {
  World world{Seed{2}};
  world.origin().behaviour().delay_min = world.origin().behaviour().delay_max = seconds(1);
  std::vector<ClientAnswer> answers;
  for (const auto& path : {kPath, kOtherPath}) {
    world.get(path, [&](const ClientAnswer& answer) { answers.push_back(answer); });
  }
  world.scheduler().run_for(milliseconds(500));
  EXPECT_EQ(purge(world, kPath).entries, 0U);
  world.scheduler().run_for(seconds(3));
  ASSERT_EQ(answers.size(), 2U);
  for (const auto& answer : answers) EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(world.cache().memory.find("http://cdn.test" + kPath), nullptr);
  EXPECT_FALSE(world.disk().contains("http://cdn.test" + kPath));
  EXPECT_NE(world.cache().memory.find("http://cdn.test" + kOtherPath), nullptr)
      << "what was not purged is stored";
  EXPECT_FALSE(is_hit(world.get_now(kPath)));
  EXPECT_TRUE(is_hit(world.get_now(kPath)));
  world.drain_and_check();
}

TEST(PurgeInAWorker, WhoAsksAfterItDoesNotWaitForAFetchThatBeganBefore) {
  World world{Seed{3}};
  world.origin().behaviour().delay_min = world.origin().behaviour().delay_max = seconds(1);
  std::vector<ClientAnswer> answers;
  const auto ask = [&] {
    world.get(kPath, [&](const ClientAnswer& answer) { answers.push_back(answer); });
    world.scheduler().run_for(milliseconds(500));
  };
  ask();
  purge(world, kPath);
  ask();
  world.scheduler().run_for(seconds(3));
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(world.origin().requests(kPath), 2U);
  EXPECT_EQ(answers[1].cache_status.find("collapsed"), std::string::npos);
  EXPECT_TRUE(is_hit(world.get_now(kPath))) << "the newer one is stored";
  world.drain_and_check();
}

TEST(PurgeInAWorker, AValidationThatWasUnderWayDoesNotFreshenWhatIsGone) {
  World world{Seed{4}};
  world.get_now(kPath);
  world.scheduler().run_for(world.origin().behaviour().max_age + seconds(1));
  world.origin().behaviour().delay_min = world.origin().behaviour().delay_max = seconds(1);
  ClientAnswer answer;
  world.get(kPath, [&](const ClientAnswer& got) { answer = got; });
  world.scheduler().run_for(milliseconds(500));
  purge(world, kPath);
  world.scheduler().run_for(seconds(3));
  EXPECT_EQ(answer.status, 200);
  EXPECT_GE(world.origin().not_modified(), 1U);
  EXPECT_EQ(world.cache().memory.find("http://cdn.test" + kPath), nullptr);
  world.drain_and_check();
}

}  // namespace
}  // namespace revcache::sim
