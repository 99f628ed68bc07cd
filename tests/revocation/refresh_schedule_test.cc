#include "revocation/refresh_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace revcache::revocation {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallSeconds kNow{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + hours(9)};
constexpr seconds kInterval{900};

struct Row {
  const char* what;
  RefreshHistory history;
  seconds from;  // of the next attempt, after kNow, whatever the jitter
  seconds to;
};

RefreshHistory history(std::optional<seconds> left, seconds since_attempt, unsigned failures) {
  RefreshHistory made;
  if (left) made.dates = EvidenceDates{kNow - days(1), kNow + *left, std::nullopt};
  made.last_attempt = kNow - since_attempt;
  made.consecutive_failures = failures;
  return made;
}

RefreshHistory refused(std::optional<seconds> left, unsigned failures) {
  auto made = history(left, seconds(0), failures);
  made.refused = true;
  return made;
}

RefreshHistory published(seconds publish_after_now, seconds since_attempt) {
  auto made = history(days(4), since_attempt, 0);
  made.dates->next_publish = kNow + publish_after_now;
  return made;
}

const Row kTable[] = {
    {"never asked: at once", {}, seconds(0), seconds(0)},
    {"all is well: within the interval", history(days(4), seconds(0), 0), seconds(810),
     seconds(882)},
    {"part of the interval has passed", history(days(4), seconds(400), 0), seconds(410),
     seconds(482)},
    {"overdue: at once", history(days(4), hours(3), 0), seconds(0), seconds(0)},
    {"the clock was set back: as if just asked", history(days(4), -hours(10), 0), seconds(810),
     seconds(882)},
    {"verified, but without dates", history(std::nullopt, seconds(0), 0), seconds(810),
     seconds(882)},
    {"an hour left: still the interval", history(hours(1), seconds(0), 0), seconds(810),
     seconds(882)},
    {"20 minutes left: a quarter", history(minutes(20), seconds(0), 0), seconds(270), seconds(294)},
    {"2 minutes left: the shortest wait", history(minutes(2), seconds(0), 0), seconds(54),
     seconds(59)},
    {"lapsed, upstream answers with the old one", history(-hours(9), seconds(0), 0), seconds(54),
     seconds(59)},
    {"first failure", history(days(4), seconds(0), 1), seconds(4), seconds(5)},
    {"second failure", history(days(4), seconds(0), 2), seconds(9), seconds(10)},
    {"fifth failure", history(days(4), seconds(0), 5), seconds(72), seconds(79)},
    {"a long outage, much time left", history(days(4), seconds(0), 200), seconds(810),
     seconds(882)},
    {"a long outage, 80 minutes left", history(minutes(80), seconds(0), 200), seconds(270),
     seconds(294)},
    {"a long outage, a minute left", history(minutes(1), seconds(0), 200), seconds(13),
     seconds(15)},
    {"a long outage, lapsed", history(-days(9), seconds(0), UINT32_MAX), seconds(13), seconds(15)},
    {"failing, none was ever held", history(std::nullopt, seconds(0), 200), seconds(54),
     seconds(59)},
    {"refused once", refused(days(4), 1), seconds(270), seconds(294)},
    {"refused for long", refused(days(4), 50), seconds(810), seconds(882)},
    {"refused, lapsed", refused(-hours(1), 50), seconds(270), seconds(294)},
    {"a publication soon", published(seconds(60), seconds(0)), seconds(65), seconds(70)},
    {"a publication right after an attempt", published(seconds(1), seconds(0)), seconds(30),
     seconds(30)},
    {"asked 6 s after a publication", published(-seconds(6), seconds(0)), seconds(30), seconds(34)},
    {"asked 3 minutes after a publication", published(-minutes(3), seconds(0)), seconds(300),
     seconds(310)},
    {"asked 10 minutes after a publication", published(-minutes(10), seconds(0)), seconds(810),
     seconds(882)},
    {"a publication was missed", published(-minutes(3), minutes(5)), seconds(0), seconds(0)},
    {"a publication far off", published(hours(9), seconds(0)), seconds(810), seconds(882)},
};

TEST(NextAttempt, FollowsTheTable) {
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.what);
    WallTime earliest = WallTime::max();
    WallTime latest = WallTime::min();
    for (int step = 0; step < 1000; ++step) {
      const auto next = next_attempt(kNow, kInterval, row.history, step / 1000.0);
      earliest = std::min(earliest, next);
      latest = std::max(latest, next);
    }
    EXPECT_GE(earliest, kNow + row.from);
    EXPECT_LE(latest, kNow + row.to);
    EXPECT_LE(latest - earliest, kInterval / 10);
  }
}

TEST(NextAttempt, AsksOnceAfterEachOffsetOfAPublication) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<> jitter(0, 1);
  auto made = published(seconds(40), seconds(0));
  std::vector<WallTime> attempts;
  for (WallTime now = kNow; now < kNow + minutes(20);) {
    now = next_attempt(now, kInterval, made, jitter(random));
    made.last_attempt = now;
    attempts.push_back(now);
  }
  ASSERT_GE(attempts.size(), 5U);
  for (std::size_t i = 0; i < kPublishOffsets.size(); ++i) {
    const WallTime wanted = *made.dates->next_publish + kPublishOffsets[i];
    EXPECT_GE(attempts[i], wanted);
    // Never sooner after another attempt than kPublishGap.
    EXPECT_LE(attempts[i], wanted + kPublishGap);
  }
  EXPECT_GE(attempts[4], attempts[3] + kInterval * 9 / 10);
}

TEST(NextAttempt, KeepsShortIntervalsAsTheyAre) {
  for (const auto interval : {seconds(-5), seconds(0), seconds(1), seconds(3)}) {
    for (const unsigned failures : {0U, 1U, 9U}) {
      const auto next = next_attempt(kNow, interval, history(days(1), seconds(0), failures), 0.5);
      EXPECT_GT(next, kNow);
      EXPECT_LE(next, kNow + std::max(interval, seconds(1)));
    }
  }
}

TEST(RetryWait, ShrinksWithTheTimeLeft) {
  EXPECT_EQ(retry_wait_max(kInterval, days(4)), kInterval);
  EXPECT_EQ(retry_wait_max(kInterval, hours(4)), kInterval);
  EXPECT_EQ(retry_wait_max(kInterval, hours(2)), kInterval / 2);
  EXPECT_EQ(retry_wait_max(kInterval, seconds(1)), kFailedGap);
  EXPECT_EQ(retry_wait_max(kInterval, -days(1)), kFailedGap);
  EXPECT_EQ(retry_wait_max(kInterval, std::nullopt), kUnchangedGap);
  EXPECT_EQ(retry_wait_max(seconds(2), std::nullopt), seconds(2));
}

TEST(IsUrgent, WhereAnIntervalMightBeTooLong) {
  const auto left = [](seconds time) { return EvidenceDates{kNow, kNow + time, std::nullopt}; };
  EXPECT_TRUE(is_urgent(kNow, kInterval, std::nullopt));
  EXPECT_TRUE(is_urgent(kNow, kInterval, left(-days(1))));
  EXPECT_TRUE(is_urgent(kNow, kInterval, left(minutes(29))));
  EXPECT_FALSE(is_urgent(kNow, kInterval, left(minutes(30))));
}

TEST(AttemptsMax, IsWhatTheRulesAddUpTo) {
  EXPECT_EQ(attempts_max(kInterval, days(1), {}), 1 + 107U);  // 86400 / 810, rounded up
  EXPECT_EQ(attempts_max(kInterval, days(1), {.publications = 2}), 1 + 107 + 8U);
  EXPECT_EQ(attempts_max(kInterval, days(1), {.failure_runs = 1}), 1 + 107 + 8U);
  EXPECT_EQ(attempts_max(kInterval, days(1), {.pressing_spells = 1, .pressing = minutes(9)}),
            1 + 107 + 41U);
  EXPECT_EQ(attempts_max(kInterval, minutes(9)), 2 + 40U);
}

// A life of one URL that follows the schedule, and what disturbed it.
class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : random_(seed) {
    const seconds intervals[] = {seconds(1),  seconds(7),  seconds(16),  seconds(29),
                                 seconds(30), seconds(60), seconds(900), hours(6)};
    interval = intervals[seed % std::size(intervals)];
  }

  void live(std::size_t attempts_count) {
    while (attempts.size() < attempts_count) {
      const auto due = next_attempt(now_, interval, history_, jitter());
      ASSERT_GE(due, now_);
      ASSERT_LE(due, now_ + interval);
      now_ = due;
      attempts.push_back(now_);
      outcome();
    }
  }

  seconds interval;
  std::vector<WallTime> attempts;

 private:
  void outcome() {
    history_.last_attempt = now_;
    switch (draw(0, 3)) {
      case 0:
        ++history_.consecutive_failures;
        history_.refused = draw(0, 3) == 0;
        return;
      case 1:
        history_.dates = EvidenceDates{
            kNow, std::chrono::floor<seconds>(now_) + seconds(draw(0, 20000)), std::nullopt};
        if (draw(0, 1) == 0) {
          history_.dates->next_publish = std::chrono::floor<seconds>(now_) + seconds(draw(0, 40));
        }
        break;
      default:
        break;
    }
    history_.consecutive_failures = 0;
    history_.refused = false;
  }

  std::int64_t draw(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  double jitter() { return std::uniform_real_distribution<>(0, 1)(random_); }

  std::mt19937_64 random_;
  WallTime now_ = kNow;
  RefreshHistory history_;
};

// No window of a life, short or long, holds more attempts than promised.
TEST(AttemptsMax, HoldsInEveryWindowOfRandomHistories) {
  for (std::uint64_t seed = 0; seed < 160; ++seed) {
    RandomLife life(seed);
    life.live(300);
    for (std::size_t first = 0; first < life.attempts.size(); ++first) {
      for (std::size_t last = first; last < life.attempts.size(); ++last) {
        const auto window = std::chrono::ceil<seconds>(life.attempts[last] - life.attempts[first]);
        ASSERT_LE(last - first + 1, attempts_max(life.interval, window))
            << "seed " << seed << ", interval " << life.interval;
      }
    }
  }
}

// Without trouble the bound is the interval's own.
TEST(AttemptsMax, IsTightWhileAllIsWell) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<> jitter(0, 1);
  auto made = history(days(30), seconds(0), 0);
  std::uint64_t attempts = 0;
  for (WallTime now = kNow; now < kNow + days(7); ++attempts) {
    now = next_attempt(now, kInterval, made, jitter(random));
    made.last_attempt = now;
  }
  const auto promised = attempts_max(kInterval, days(7), {});
  EXPECT_LE(attempts, promised);
  EXPECT_GE(attempts, promised * 9 / 10);
}

// One outage with evidence that lapses in its course.
TEST(AttemptsMax, CountsAnOutageByItsQuickRetriesAndTheTimeThatPresses) {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<> jitter(0, 1);
  const auto lapse = kNow + days(2);
  RefreshHistory made = history(days(2), seconds(0), 0);
  std::uint64_t attempts = 0;
  for (WallTime now = kNow; now < lapse + hours(6); ++attempts) {
    now = next_attempt(now, kInterval, made, jitter(random));
    made.last_attempt = now;
    ++made.consecutive_failures;
  }
  const auto pressing = pressing_below(kInterval) + hours(6);
  EXPECT_LE(attempts,
            attempts_max(kInterval, days(2) + hours(6),
                         {.failure_runs = 1, .pressing_spells = 1, .pressing = pressing}));
  EXPECT_GE(attempts, std::uint64_t{6} * 60 * 4);  // a pace that notices the end of the outage
}

}  // namespace
}  // namespace revcache::revocation
