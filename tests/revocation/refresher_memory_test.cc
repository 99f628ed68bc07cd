// What the refresher knows: learned and forgotten URLs, restarts, reloads.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "revocation/refresh_record.h"
#include "revocation/refresher.h"
#include "tests/revocation/refresh_world.h"

namespace revcache::revocation {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kUrl = "http://cdn.test/current.crl";
const std::string kLearned = "http://learned.test/ca.crl";

std::string numbered(int number) {
  return "http://cdn" + std::to_string(number % 20) + ".test/" + std::to_string(number) + ".crl";
}

TEST(RefresherMemory, RenewsALearnedUrlWithoutAskingAtOnce) {
  RefreshWorld world;
  world.boot({});
  EXPECT_TRUE(world.refresher->learn(kLearned, world.dates()));
  world.scheduler.run_for(minutes(13));
  EXPECT_EQ(world.source.count(kLearned), 0U);  // the client's fetch was one
  world.scheduler.run_for(minutes(2));
  EXPECT_EQ(world.source.count(kLearned), 1U);
  EXPECT_FALSE(world.state(kLearned).configured);
}

TEST(RefresherMemory, TakesNewerEvidenceFromClientsAndIgnoresOlder) {
  RefreshWorld world;
  world.boot({});
  const auto first = world.dates();
  EXPECT_TRUE(world.refresher->learn(kLearned, first));
  world.scheduler.run_for(minutes(2));
  const auto second = world.dates();
  EXPECT_TRUE(world.refresher->learn(kLearned, second));
  EXPECT_EQ(world.state(kLearned).dates, second);
  EXPECT_TRUE(world.refresher->learn(kLearned, first));
  EXPECT_EQ(world.state(kLearned).dates, second);
}

TEST(RefresherMemory, AClientsFetchEndsAFailure) {
  RefreshWorld world;
  world.source.behave = [](const std::string&) { return RefreshWorld::failing(); };
  world.boot({kUrl});
  world.scheduler.run_for(minutes(5));
  EXPECT_GT(world.state(kUrl).consecutive_failures, 0U);
  EXPECT_TRUE(world.refresher->learn(kUrl, world.dates()));
  EXPECT_EQ(world.state(kUrl).consecutive_failures, 0U);
  EXPECT_EQ(world.log.counts["refresh works"], 1U);
}

TEST(RefresherMemory, ForgetsALearnedUrlThatNobodyAskedForInItsTime) {
  RefreshWorld world;
  world.options.keep = days(3);
  world.source.always_asked = false;
  world.boot({kUrl});
  const std::string wanted = "http://wanted.test/ca.crl";
  EXPECT_TRUE(world.refresher->learn(kLearned, world.dates()));
  EXPECT_TRUE(world.refresher->learn(wanted, world.dates()));
  for (int day = 0; day < 10; ++day) {
    world.source.asked_by_clients.insert(wanted);
    world.scheduler.run_for(days(1));
    EXPECT_EQ(world.refresher->knows(kLearned), day < 3) << day;
  }
  EXPECT_TRUE(world.refresher->knows(wanted));
  EXPECT_TRUE(world.refresher->knows(kUrl));  // configured: kept whoever asks
  EXPECT_FALSE(world.memory.records.contains(kLearned));
  EXPECT_EQ(world.log.counts["refresh url dropped"], 1U);
}

TEST(RefresherMemory, LearnsNoMoreThanItsLimitAndSaysSoOnce) {
  RefreshWorld world;
  world.options.urls_max = 3;
  world.boot({kUrl});  // does not count
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(world.refresher->learn(numbered(i), world.dates()));
  for (int i = 3; i < 9; ++i) EXPECT_FALSE(world.refresher->learn(numbered(i), world.dates()));
  EXPECT_TRUE(world.refresher->learn(numbered(1), world.dates()));  // known already
  EXPECT_EQ(world.refresher->learn_refusals(), 6U);
  EXPECT_EQ(world.log.counts["refresh knows too many urls"], 1U);
  EXPECT_EQ(world.refresher->states().size(), 4U);
}

TEST(RefresherMemory, GoesOnAfterARestartWhereItWas) {
  RefreshWorld world;
  world.boot({kUrl});
  EXPECT_TRUE(world.refresher->learn(kLearned, world.dates()));
  world.scheduler.run_for(hours(2));
  const auto before = world.state(kLearned);
  const auto asked = world.source.count(kLearned);
  world.boot({kUrl});
  const auto after = world.state(kLearned);
  EXPECT_EQ(after.dates, before.dates);
  EXPECT_EQ(after.last_attempt, before.last_attempt);
  EXPECT_EQ(after.last_success, before.last_success);
  EXPECT_EQ(after.last_outcome, before.last_outcome);
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(world.source.count(kLearned), asked);
  world.scheduler.run_for(world.options.interval);
  EXPECT_EQ(world.source.count(kLearned), asked + 1);
}

// Much was due while the process was down. It is spread over the interval, but what may lapse soon
// goes first.
TEST(RefresherMemory, MakesNoBurstAfterARestart) {
  RefreshWorld world;
  world.options.urls_max = 5000;
  const auto now = world.scheduler.wall();
  constexpr int kUrls = 5000;
  constexpr int kUrgent = 20;
  for (int i = 0; i < kUrls; ++i) {
    RefreshRecord record{.dates = world.dates(i < kUrgent ? minutes(10) : days(3)),
                         .last_attempt = now - hours(5),
                         .last_success = now - hours(5),
                         .last_asked = now - hours(6),
                         .last_outcome = RefreshOutcome::unchanged};
    world.memory.records[numbered(i)] = encode_refresh_record(numbered(i), record);
  }
  world.boot({kUrl});
  const auto booted = world.scheduler.monotonic();
  world.scheduler.run_for(seconds(2));
  for (int i = 0; i < kUrgent; ++i) EXPECT_EQ(world.source.count(numbered(i)), 1U) << i;
  EXPECT_EQ(world.source.count(kUrl), 1U);
  world.scheduler.run_for(world.options.interval - seconds(2));

  // By minute, until the first ones are due again.
  std::vector<int> in_minute(15, 0);
  std::set<std::string> distinct;
  for (const auto& asked : world.source.asked) {
    const auto minute = static_cast<std::size_t>((asked.at - booted) / minutes(1));
    if (minute < 13) ++in_minute[minute];
    distinct.insert(asked.url);
  }
  EXPECT_EQ(distinct.size(), kUrls + 1U);
  EXPECT_LE(*std::ranges::max_element(in_minute), kUrls / 15 * 5 / 4);
}

TEST(RefresherMemory, IsCheapWithFiveThousandUrls) {
  RefreshWorld world;
  world.options.urls_max = 5000;
  world.boot({});
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(world.refresher->learn(numbered(i), world.dates()));
  EXPECT_LE(world.timers.pending(), 1U);
  world.scheduler.run_for(hours(1));
  const auto events = world.scheduler.events_run();
  const auto asked = world.source.asked.size();
  world.scheduler.run_for(hours(24));
  // An answer and at most one wake-up for each attempt, and a look at the clock each minute.
  EXPECT_LE(world.scheduler.events_run() - events,
            2 * (world.source.asked.size() - asked) + 24 * 60 + 2);
  EXPECT_LE(world.timers.pending(), 1U);
}

TEST(RefresherMemory, DropsDamagedRecordsAndSaysSo) {
  RefreshWorld world;
  world.boot({kUrl});
  EXPECT_TRUE(world.refresher->learn(kLearned, world.dates()));
  world.scheduler.run_for(minutes(1));
  world.memory.records[kLearned].back() ^= 1;
  world.memory.records["http://other.test/a.crl"] = "garbage";
  world.boot({kUrl});
  EXPECT_FALSE(world.refresher->knows(kLearned));
  EXPECT_EQ(world.log.counts["refresh records damaged"], 1U);
  EXPECT_EQ(world.memory.records.size(), 1U);
  EXPECT_TRUE(world.state(kUrl).dates.has_value());
}

TEST(RefresherMemory, TakesTimesOfTheFutureForNow) {
  RefreshWorld world;
  world.boot({kUrl});
  world.scheduler.run_for(hours(2));
  world.refresher.reset();
  world.scheduler.step_wall(-days(300));
  const auto asked = world.source.count(kUrl);
  world.boot({kUrl});
  world.scheduler.run_for(world.options.interval);
  EXPECT_EQ(world.source.count(kUrl), asked + 1);
}

TEST(RefresherMemory, KeepsTheLatestAskedForWhenItsLimitWasLowered) {
  RefreshWorld world;
  world.boot({});
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(world.refresher->learn(numbered(i), world.dates()));
    world.scheduler.run_for(seconds(1));
  }
  world.options.urls_max = 4;
  world.boot({});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(world.refresher->knows(numbered(i)), i >= 6) << i;
  EXPECT_EQ(world.memory.records.size(), 4U);
}

TEST(RefresherMemory, FollowsAReload) {
  RefreshWorld world;
  world.source.always_asked = false;
  const std::string unwanted = "http://cdn.test/unwanted.crl";
  world.boot({kUrl, unwanted});
  EXPECT_TRUE(world.refresher->learn(kLearned, world.dates()));
  world.scheduler.run_for(hours(1));
  world.source.asked_by_clients.insert(kUrl);
  world.options.interval = seconds(60);
  const std::string added = "http://new.test/a.crl";
  world.refresher->configure(world.options, {added, kLearned});
  EXPECT_FALSE(world.refresher->knows(unwanted));
  EXPECT_TRUE(world.refresher->knows(kUrl));  // a client asks for it
  EXPECT_FALSE(world.state(kUrl).configured);
  EXPECT_TRUE(world.state(kLearned).configured);
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(world.source.count(added), 1U);
  const auto asked = world.source.count(kLearned);
  world.scheduler.run_for(minutes(10));
  EXPECT_GE(world.source.count(kLearned) - asked, 9U);
}

TEST(RefresherMemory, ToleratesAReloadWhileAFetchIsUnderWay) {
  RefreshWorld world;
  world.source.always_asked = false;
  world.boot({kUrl});
  bool told = false;
  world.scheduler.run_for(minutes(1));
  EXPECT_TRUE(world.refresher->refresh_now(kUrl, [&](const RefreshReport&) { told = true; }));
  world.refresher->configure(world.options, {});
  EXPECT_FALSE(world.refresher->knows(kUrl));
  world.refresher->configure(world.options, {kUrl});
  world.scheduler.run_for(minutes(1));
  EXPECT_TRUE(told);
  EXPECT_TRUE(world.state(kUrl).last_success.has_value());
  EXPECT_TRUE(world.memory.records.contains(kUrl));
}

TEST(RefresherMemory, TakesNoReportOfAFetchFromBeforeItWasForgotten) {
  RefreshWorld world;
  world.source.always_asked = false;
  int fetches = 0;
  world.source.behave = [&](const std::string&) {
    auto answer = ++fetches == 1 ? RefreshWorld::failing(seconds(50)) : world.working();
    if (fetches == 2) answer.after = seconds(100);
    return answer;
  };
  world.boot({kUrl});
  world.scheduler.run_for(seconds(1));
  world.refresher->configure(world.options, {});
  world.refresher->configure(world.options, {kUrl});
  world.scheduler.run_for(seconds(60));
  EXPECT_EQ(fetches, 2);
  EXPECT_EQ(world.state(kUrl).consecutive_failures, 0U);
  world.scheduler.run_for(seconds(60));
  EXPECT_EQ(world.state(kUrl).last_outcome, RefreshOutcome::changed);
}

TEST(RefresherMemory, TellsThoseWhoWaitForAUrlThatAReloadDrops) {
  RefreshWorld world;
  world.options.concurrent_max = 1;
  world.source.always_asked = false;
  world.boot({kUrl, numbered(1)});
  int told = 0;
  EXPECT_TRUE(world.refresher->refresh_now(kUrl, [&](const RefreshReport&) { ++told; }));
  EXPECT_TRUE(world.refresher->refresh_now(numbered(1), [&](const RefreshReport& report) {
    EXPECT_EQ(report.outcome, RefreshOutcome::failed);
    ++told;
  }));
  world.refresher->configure(world.options, {kUrl});
  EXPECT_EQ(told, 0);
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(told, 2);
}

// A reload each minute must not put off for ever what a restart spread.
TEST(RefresherMemory, RenewsWithinTheIntervalThoughItIsReloadedAgainAndAgain) {
  RefreshWorld world;
  const auto now = world.scheduler.wall();
  std::vector<std::string> urls;
  for (int i = 0; i < 100; ++i) {
    urls.push_back(numbered(i));
    const RefreshRecord record{.dates = world.dates(), .last_attempt = now - hours(5)};
    world.memory.records[urls.back()] = encode_refresh_record(urls.back(), record);
  }
  world.boot(urls);
  for (int minute = 0; minute < 15; ++minute) {
    world.scheduler.run_for(minutes(1));
    world.refresher->configure(world.options, urls);
  }
  for (const auto& url : urls) EXPECT_GE(world.source.count(url), 1U) << url;
}

}  // namespace
}  // namespace revcache::revocation
