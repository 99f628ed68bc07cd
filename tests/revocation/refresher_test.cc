#include "revocation/refresher.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/revocation/refresh_world.h"

namespace revcache::revocation {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kUrl = "http://cdn.test/current.crl";

std::vector<std::string> urls_of(const std::string& host, int count) {
  std::vector<std::string> urls;
  for (int i = 0; i < count; ++i) {
    urls.push_back("http://" + host + "/" + std::to_string(i) + ".crl");
  }
  return urls;
}

TEST(Refresher, AsksAConfiguredUrlAtOnceAndThenWithinEachInterval) {
  RefreshWorld world;
  world.boot({kUrl});
  EXPECT_TRUE(world.refresher->knows(kUrl));
  EXPECT_FALSE(world.refresher->knows("http://cdn.test/other.crl"));
  world.scheduler.run_for(hours(24));
  ASSERT_GE(world.source.asked.size(), 96U);
  EXPECT_LE(world.source.asked.size(), 108U);
  EXPECT_LE(world.source.asked.front().at - MonotonicTime(hours(1)), seconds(1));
  for (std::size_t i = 1; i < world.source.asked.size(); ++i) {
    const auto gap = world.source.asked[i].at - world.source.asked[i - 1].at;
    EXPECT_LE(gap, world.options.interval);
    EXPECT_GE(gap, world.options.interval * 9 / 10);
  }
  const auto state = world.state(kUrl);
  EXPECT_TRUE(state.configured);
  EXPECT_EQ(state.last_outcome, RefreshOutcome::changed);
  EXPECT_GT(state.next_attempt, world.scheduler.wall());
  EXPECT_LE(state.next_attempt, world.scheduler.wall() + world.options.interval);
}

TEST(Refresher, KeepsItsLimitsWithManyUrls) {
  RefreshWorld world;
  auto urls = urls_of("a.test", 60);
  for (const auto* host : {"b.test", "c.test", "d.test", "e.test", "f.test"}) {
    for (const auto& url : urls_of(host, 20)) urls.push_back(url);
  }
  world.boot(urls);
  world.scheduler.run_for(hours(1));
  EXPECT_EQ(world.source.most_at_once, world.options.concurrent_max);
  EXPECT_EQ(world.source.most_at_one_host, world.options.concurrent_per_host_max);
  for (const auto& url : urls) EXPECT_GE(world.source.count(url), 4U) << url;
}

TEST(Refresher, GivesASmallHostItsTurnBesideOneWithThousandsOfUrls) {
  RefreshWorld world;
  auto urls = urls_of("a-large.test", 3000);
  urls.push_back(kUrl);
  world.boot(urls);
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(world.source.count(kUrl), 1U);
}

// A dead host costs its own URLs their renewal, not those of others.
TEST(Refresher, KeepsOthersOnTimeBesideManyDeadHosts) {
  RefreshWorld world;
  std::vector<std::string> urls = urls_of("alive.test", 100);
  for (int host = 0; host < 50; ++host) {
    for (const auto& url : urls_of("dead" + std::to_string(host) + ".test", 5)) {
      urls.push_back(url);
    }
  }
  world.source.behave = [&](const std::string& url) {
    return url.contains("dead") ? RefreshWorld::failing() : world.working();
  };
  world.boot(urls);
  world.scheduler.run_for(hours(1));
  const auto settled = world.scheduler.monotonic();
  world.scheduler.run_for(hours(6));
  std::map<std::string, MonotonicTime> last;
  for (const auto& asked : world.source.asked) {
    if (asked.url.contains("alive") && asked.at > settled) {
      if (last.contains(asked.url)) {
        EXPECT_LE(asked.at - last[asked.url], world.options.interval + seconds(30));
      }
      last[asked.url] = asked.at;
    }
  }
  EXPECT_EQ(last.size(), 100U);
}

TEST(Refresher, GivesUpAFetchThatNeverEndsSoThatNobodyIsWedged) {
  RefreshWorld world;
  world.options.concurrent_max = 2;
  world.options.concurrent_per_host_max = 2;
  auto urls = urls_of("hung.test", 4);
  urls.push_back(kUrl);
  world.source.behave = [&](const std::string& url) -> std::optional<FakeSource::Answer> {
    if (url.contains("hung")) return std::nullopt;
    return world.working();
  };
  world.boot(urls);
  world.scheduler.run_for(hours(2));
  EXPECT_GE(world.source.count(kUrl), 6U);
  EXPECT_EQ(world.state(urls[0]).last_outcome, RefreshOutcome::failed);
  EXPECT_NE(world.state(urls[0]).last_detail, "");
}

TEST(Refresher, IgnoresAReportThatComesAfterItsFetchWasGivenUp) {
  RefreshWorld world;
  world.source.behave = [&](const std::string&) {
    auto answer = world.working();
    answer.after = world.options.attempt_time_max + seconds(2);
    return answer;
  };
  world.boot({kUrl});
  world.scheduler.run_for(world.options.attempt_time_max + seconds(3));
  EXPECT_EQ(world.state(kUrl).last_outcome, RefreshOutcome::failed);
  EXPECT_EQ(world.state(kUrl).consecutive_failures, 1U);
}

TEST(Refresher, RefreshesOnDemandAndTellsTheResult) {
  RefreshWorld world;
  world.boot({kUrl});
  world.scheduler.run_for(minutes(1));
  int reports = 0;
  const auto count = [&](const RefreshReport& report) {
    EXPECT_EQ(report.outcome, RefreshOutcome::changed);
    ++reports;
  };
  EXPECT_TRUE(world.refresher->refresh_now(kUrl, count));
  EXPECT_TRUE(world.refresher->refresh_now(kUrl, count));  // joins the one under way
  EXPECT_TRUE(world.refresher->refresh_now(kUrl, nullptr));
  EXPECT_FALSE(world.refresher->refresh_now("http://cdn.test/unknown.crl", count));
  EXPECT_EQ(reports, 0);
  world.scheduler.run_for(seconds(1));
  EXPECT_EQ(reports, 2);
  EXPECT_EQ(world.source.count(kUrl), 2U);
}

TEST(Refresher, PutsWhatAnAdministratorAsksForBeforeWhatWaits) {
  RefreshWorld world;
  const auto urls = urls_of("cdn.test", 500);
  world.boot(urls);
  bool done = false;
  world.scheduler.run_for(milliseconds(1));
  EXPECT_TRUE(world.refresher->refresh_now(urls[499], [&](const RefreshReport&) { done = true; }));
  world.scheduler.run_for(milliseconds(200));
  EXPECT_TRUE(done);
}

TEST(Refresher, LogsAChangeOfOutcomeOnceAndNotEachAttempt) {
  RefreshWorld world;
  bool up = true;
  bool garbage = false;
  world.source.behave = [&](const std::string&) {
    if (!up) return RefreshWorld::failing();
    auto answer = world.working();
    if (garbage) answer.report = {RefreshOutcome::refused, std::nullopt, "a web page"};
    return answer;
  };
  world.boot({kUrl});
  world.scheduler.run_for(hours(3));
  EXPECT_EQ(world.log.counts["refresh works"], 0U);  // nothing to tell
  up = false;
  world.scheduler.run_for(hours(3));
  EXPECT_EQ(world.log.counts["refresh fails"], 1U);
  up = true;
  world.scheduler.run_for(hours(3));
  EXPECT_EQ(world.log.counts["refresh works"], 1U);
  garbage = true;
  world.scheduler.run_for(hours(3));
  EXPECT_EQ(world.log.counts["refresh refused"], 1U);
  EXPECT_EQ(world.state(kUrl).last_detail, "a web page");
  EXPECT_EQ(world.log.counts.size(), 3U);
}

TEST(Refresher, TellsOnceThatEvidenceLapsed) {
  RefreshWorld world;
  bool up = true;
  world.source.behave = [&](const std::string&) {
    return up ? world.working() : RefreshWorld::failing();
  };
  world.boot({kUrl});
  world.scheduler.run_for(minutes(1));
  up = false;
  world.scheduler.run_for(days(8));
  EXPECT_EQ(world.log.counts["evidence lapsed"], 1U);
  up = true;
  world.scheduler.run_for(minutes(1));
  EXPECT_EQ(world.state(kUrl).last_outcome, RefreshOutcome::changed);
}

// A CDN that comes back is noticed within what the schedule says, however long it was away.
TEST(Refresher, NoticesTheEndOfALongOutageInBoundedTime) {
  for (const auto outage : {seconds(90), seconds(hours(1)), seconds(hours(60)), seconds(hours(167)),
                            seconds(hours(180))}) {
    RefreshWorld world;
    bool up = true;
    world.source.behave = [&](const std::string&) {
      return up ? world.working() : RefreshWorld::failing();
    };
    world.boot({kUrl});
    world.scheduler.run_for(minutes(1));
    up = false;
    world.scheduler.run_for(outage);
    ASSERT_EQ(world.state(kUrl).last_outcome,
              outage > minutes(20) ? RefreshOutcome::failed : RefreshOutcome::changed);
    const auto next_update = world.state(kUrl).dates->next_update;
    const auto left = next_update - world.scheduler.wall();
    up = true;
    world.scheduler.run_for(retry_wait_max(world.options.interval, left) + seconds(16));
    EXPECT_GE(world.scheduler.wall() - *world.state(kUrl).last_success, milliseconds(0));
    EXPECT_EQ(world.state(kUrl).last_outcome, RefreshOutcome::changed) << outage;
    EXPECT_EQ(world.state(kUrl).consecutive_failures, 0U) << outage;
  }
}

TEST(Refresher, AsksJustAfterAPublication) {
  RefreshWorld world;
  const auto publish = std::chrono::ceil<seconds>(world.scheduler.wall()) + minutes(7);
  world.source.behave = [&](const std::string&) {
    auto answer = world.working();
    answer.report.dates->next_publish = publish;
    return answer;
  };
  world.boot({kUrl});
  world.scheduler.run_for(publish - world.scheduler.wall());
  EXPECT_EQ(world.source.asked.size(), 1U);
  world.scheduler.run_for(seconds(11));
  EXPECT_EQ(world.source.asked.size(), 2U);
  world.scheduler.run_for(minutes(10));
  EXPECT_EQ(world.source.asked.size(), 5U);
}

TEST(Refresher, IsNotThrownOffItsPaceByStepsOfTheClock) {
  RefreshWorld world;
  const auto urls = urls_of("cdn.test", 200);
  world.boot(urls);
  world.scheduler.run_for(hours(1));
  for (const auto step : {hours(30), hours(-60), hours(24 * 40), hours(-24 * 40)}) {
    const auto before = world.source.asked.size();
    world.scheduler.step_wall(step);
    // 40 days on all evidence has lapsed, and a new clock gives new evidence: asked once more.
    world.scheduler.run_for(world.options.interval);
    EXPECT_GE(world.source.asked.size() - before, urls.size());
    EXPECT_LE(world.source.asked.size() - before, 3 * urls.size());
  }
  EXPECT_EQ(world.refresher->states().size(), urls.size());
}

TEST(Refresher, CountsWhatHasPassedAndNotWhatTheClockSays) {
  for (const auto step : {hours(5), hours(-5)}) {
    RefreshWorld world;
    world.boot({kUrl});
    world.scheduler.run_for(minutes(1));
    world.scheduler.step_wall(step);
    world.scheduler.run_for(minutes(11));
    EXPECT_EQ(world.source.count(kUrl), 1U);
    world.scheduler.run_for(minutes(3));
    EXPECT_EQ(world.source.count(kUrl), 2U);
  }
}

// What was published during a slow transfer is not in it.
TEST(Refresher, CountsTheIntervalFromTheBeginningOfAFetch) {
  RefreshWorld world;
  world.source.behave = [&](const std::string&) {
    auto answer = world.working();
    answer.after = seconds(100);
    return answer;
  };
  world.boot({kUrl});
  world.scheduler.run_for(hours(5));
  for (std::size_t i = 1; i < world.source.asked.size(); ++i) {
    EXPECT_LE(world.source.asked[i].at - world.source.asked[i - 1].at, world.options.interval);
  }
}

TEST(Refresher, LooksAtEvidenceAnewWhenTheClockWasSet) {
  RefreshWorld world;
  world.boot({kUrl});
  world.scheduler.run_for(minutes(1));
  world.scheduler.step_wall(days(7));
  world.scheduler.run_for(minutes(2));
  EXPECT_EQ(world.source.count(kUrl), 2U);
}

TEST(Refresher, CallsNobodyAfterItsEnd) {
  RefreshWorld world;
  world.boot(urls_of("cdn.test", 20));
  EXPECT_TRUE(
      world.refresher->refresh_now("http://cdn.test/7.crl", [](const RefreshReport&) { FAIL(); }));
  world.scheduler.run_for(milliseconds(1));
  const auto asked = world.source.asked.size();
  world.refresher.reset();
  EXPECT_EQ(world.timers.pending(), 0U);
  world.scheduler.run_for(hours(1));
  EXPECT_EQ(world.source.asked.size(), asked);
}

TEST(Refresher, MayBeEndedByTheReportOfARefresh) {
  RefreshWorld world;
  world.boot({kUrl});
  world.scheduler.run_for(minutes(1));
  int reports = 0;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(world.refresher->refresh_now(kUrl, [&](const RefreshReport&) {
      ++reports;
      world.refresher.reset();
    }));
  }
  world.scheduler.run_for(minutes(1));
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(world.timers.pending(), 0U);
}

TEST(Refresher, BeginsNothingAfterStopAndTellsThoseWhoWait) {
  RefreshWorld world;
  world.options.concurrent_max = 1;
  const auto urls = urls_of("cdn.test", 3);
  world.boot({});
  for (const auto& url : urls) EXPECT_TRUE(world.refresher->learn(url, world.dates()));
  std::map<RefreshOutcome, int> outcomes;
  for (const auto& url : urls) {
    EXPECT_TRUE(world.refresher->refresh_now(
        url, [&](const RefreshReport& report) { ++outcomes[report.outcome]; }));
  }
  world.refresher->stop();
  world.refresher->stop();
  EXPECT_TRUE(outcomes.empty());
  EXPECT_FALSE(world.refresher->refresh_now(urls[0], nullptr));
  EXPECT_FALSE(world.refresher->learn(kUrl, world.dates()));
  world.scheduler.run_for(hours(2));
  EXPECT_EQ(outcomes[RefreshOutcome::changed], 1);
  EXPECT_EQ(outcomes[RefreshOutcome::failed], 2);
  EXPECT_EQ(world.source.asked.size(), 1U);
  EXPECT_EQ(world.timers.pending(), 0U);
}

}  // namespace
}  // namespace revcache::revocation
