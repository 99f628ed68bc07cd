// Thirty virtual days of the refresher against CAs that publish on schedule and at each revocation,
// behind CDNs that fail for seconds to 60 hours.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "revocation/refresher.h"
#include "tests/revocation/refresh_world.h"

namespace revcache::revocation {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Habits {
  const char* name;
  seconds life;   // of a CRL
  seconds every;  // publication on schedule
  bool says_next_publish;
};

constexpr Habits kHabits[] = {
    {"cloud_pki", days(7), hours(84), false},
    {"with_next_publish", days(7), hours(84), true},
    {"short_lived", hours(30), hours(12), true},
    {"hours_only", hours(5), hours(2), false},
};

// One CA and its CDN.
class Publisher {
 public:
  Publisher(RefreshWorld& world, const Habits& habits, std::string url)
      : world_(world), habits_(habits), url_(std::move(url)) {
    publish_on_schedule();
    plan_revocation();
    plan_outage();
  }

  FakeSource::Answer answer() {
    auto& scheduler = world_.scheduler;
    if (down_) {
      return RefreshWorld::failing(scheduler.uniform(milliseconds(50), seconds(15)));
    }
    const bool is_new = fetched_ != version_;
    fetched_ = version_;
    if (is_new) late_max_ = std::max(late_max_, scheduler.monotonic() - visible_since_);
    return {.after = scheduler.uniform(milliseconds(20), seconds(2)),
            .report = {.outcome = is_new ? RefreshOutcome::changed : RefreshOutcome::unchanged,
                       .dates = dates_,
                       .detail = {}}};
  }

  // Each minute: what is held, what presses, and whether a lapse was to be avoided.
  void look(WallTime now) {
    const auto held = world_.state(url_).dates;
    if (!held) return;
    const auto left = held->next_update - now;
    if (left <= seconds(0)) {
      ++lapsed_minutes_;
      // Only an outage may be the cause, and one that outlives what the evidence had left.
      const bool ended_just_now = world_.scheduler.monotonic() - up_since_ < minutes(1);
      EXPECT_TRUE(down_ || ended_just_now) << url_;
      EXPECT_GE(WallTime(held->next_update), down_since_) << url_;
    }
    const bool pressing = left < pressing_below(world_.options.interval) + minutes(1);
    if (pressing) disturbances_.pressing += minutes(1);
    if (pressing && !was_pressing_) ++disturbances_.pressing_spells;
    was_pressing_ = pressing;
    // A CRL that waits to be fetched while the CDN answers.
    if (!down_ && fetched_ != version_) {
      EXPECT_LE(world_.scheduler.monotonic() - visible_since_, world_.options.interval) << url_;
    }
  }

  void judge(seconds period) const {
    const auto attempts = world_.source.count(url_);
    const auto interval = world_.options.interval;
    EXPECT_LE(attempts, attempts_max(interval, period, disturbances_)) << url_;
    EXPECT_LE(attempts, attempts_max(interval, period)) << url_;
    EXPECT_GE(attempts, static_cast<std::uint64_t>(period / interval) / 2) << url_;
    EXPECT_LE(late_max_, interval) << url_;
    EXPECT_GE(version_, static_cast<unsigned>(period / habits_.every)) << url_;
    // While the life of evidence is longer than any outage and the time between publications.
    if (habits_.life >= days(7)) {
      EXPECT_EQ(lapsed_minutes_, 0U) << url_;
    }
  }
  [[nodiscard]] std::uint64_t outages() const { return disturbances_.failure_runs; }

 private:
  void publish() {
    const auto now = std::chrono::floor<seconds>(world_.scheduler.wall());
    ++version_;
    dates_ = {.this_update = now, .next_update = now + habits_.life, .next_publish = std::nullopt};
    if (habits_.says_next_publish) dates_.next_publish = next_scheduled_;
    ++disturbances_.publications;
    if (!down_) visible_since_ = world_.scheduler.monotonic();
  }

  void publish_on_schedule() {
    next_scheduled_ = std::chrono::floor<seconds>(world_.scheduler.wall()) + habits_.every;
    publish();
    world_.scheduler.after(habits_.every, [this] { publish_on_schedule(); });
  }

  void plan_revocation() {
    world_.scheduler.after(world_.scheduler.uniform(minutes(1), hours(40)), [this] {
      publish();
      plan_revocation();
    });
  }

  void plan_outage() {
    auto& scheduler = world_.scheduler;
    scheduler.after(scheduler.uniform(hours(1), hours(70)), [this] {
      down_ = true;
      down_since_ = world_.scheduler.wall();
      ++disturbances_.failure_runs;
      // Many short ones, few long ones: 10 s to 60 h.
      const double exponent = static_cast<double>(world_.scheduler.uniform(0, 1000)) / 1000;
      const auto length = seconds(static_cast<std::int64_t>(10 * std::pow(21600, exponent)));
      world_.scheduler.after(length, [this] {
        down_ = false;
        up_since_ = visible_since_ = world_.scheduler.monotonic();
        plan_outage();
      });
    });
  }

  RefreshWorld& world_;
  const Habits& habits_;
  std::string url_;
  unsigned version_ = 0;
  unsigned fetched_ = 0;
  EvidenceDates dates_{};
  WallSeconds next_scheduled_;
  bool down_ = false;
  WallTime down_since_;
  MonotonicTime up_since_;
  MonotonicTime visible_since_;  // the newest CRL, on a CDN that answers
  std::chrono::nanoseconds late_max_{0};
  Disturbances disturbances_;
  bool was_pressing_ = false;
  std::uint64_t lapsed_minutes_ = 0;
};

class RefresherMonth : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RefresherMonth, FetchesEachCrlInTimeLetsNothingLapseAndKeepsItsPromise) {
  RefreshWorld world(GetParam());
  std::map<std::string, std::unique_ptr<Publisher>> publishers;
  std::vector<std::string> urls;
  for (const auto& habits : kHabits) {
    for (const auto* ca : {"1", "2", "3"}) {
      // Two of three CAs share a host.
      const std::string host = std::string(habits.name) + (ca[0] == '3' ? "-b" : "-a");
      urls.push_back("http://" + host + ".test/" + ca + ".crl");
      publishers[urls.back()] = std::make_unique<Publisher>(world, habits, urls.back());
    }
  }
  world.source.behave = [&](const std::string& url) { return publishers.at(url)->answer(); };
  world.boot(urls);

  constexpr days kPeriod{30};
  for (minutes passed{0}; passed < kPeriod; passed += minutes(1)) {
    world.scheduler.run_for(minutes(1));
    for (auto& [url, publisher] : publishers) publisher->look(world.scheduler.wall());
    if (HasFailure()) return;
  }
  std::uint64_t outages = 0;
  for (auto& [url, publisher] : publishers) {
    publisher->judge(kPeriod);
    outages += publisher->outages();
  }
  EXPECT_GE(outages, 60U);  // or the month was too quiet to show anything
  world.refresher->stop();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RefresherMonth, testing::Values(1, 2, 3, 4, 5));

}  // namespace
}  // namespace revcache::revocation
