#include "revocation/nonce_budget.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace revcache::revocation {
namespace {

using namespace std::chrono_literals;

constexpr MonotonicTime kStart{1000h};

IpAddress client(std::uint32_t number) {
  const auto octet = [number](unsigned shift) {
    return static_cast<std::uint8_t>((number >> shift) & 0xffU);
  };
  return IpAddress::v4({10, octet(16), octet(8), octet(0)});
}

// How many at one moment, if each client asks once.
int taken_by_strangers(NonceBudget& budget, int asking, MonotonicTime now) {
  static std::uint32_t next = 0;
  int taken = 0;
  for (int number = 0; number < asking; ++number) {
    if (budget.take(client(next++), now)) ++taken;
  }
  return taken;
}

int taken_by_one(NonceBudget& budget, std::uint32_t who, int asking, MonotonicTime now) {
  int taken = 0;
  for (int number = 0; number < asking; ++number) {
    if (budget.take(client(who), now)) ++taken;
  }
  return taken;
}

struct RateCase {
  double per_second;
  int burst;           // at once, of all
  int client_burst;    // at once, of one
  int in_ten_seconds;  // of all, beyond the burst
};

class NonceRates : public testing::TestWithParam<RateCase> {};

TEST_P(NonceRates, AllowASecondsWorthAtOnceOfAll) {
  NonceBudget budget(GetParam().per_second);
  EXPECT_EQ(taken_by_strangers(budget, 2000, kStart), GetParam().burst);
  EXPECT_EQ(taken_by_strangers(budget, 10, kStart), 0);
}

TEST_P(NonceRates, AllowATenthOfItToOneClient) {
  NonceBudget budget(GetParam().per_second);
  EXPECT_EQ(taken_by_one(budget, 1, 2000, kStart), GetParam().client_burst);
}

TEST_P(NonceRates, RefillSteadily) {
  NonceBudget budget(GetParam().per_second);
  taken_by_strangers(budget, 2000, kStart);
  int taken = 0;
  for (auto later = 1ms; later <= 10s; later += 1ms) {
    taken += taken_by_strangers(budget, 2, kStart + later);
  }
  EXPECT_EQ(taken, GetParam().in_ten_seconds);
}

INSTANTIATE_TEST_SUITE_P(Table, NonceRates,
                         testing::Values(RateCase{50, 50, 5, 500}, RateCase{1000, 1000, 100, 10000},
                                         RateCase{7, 7, 1, 70}, RateCase{70, 70, 7, 700},
                                         RateCase{10, 10, 1, 100}, RateCase{30, 30, 3, 300},
                                         RateCase{2.5, 2, 1, 25}, RateCase{1, 1, 1, 10},
                                         RateCase{0.5, 1, 1, 5}, RateCase{0.01, 1, 1, 0}),
                         [](const auto& made) {
                           return "Of" + std::to_string(std::lround(made.param.per_second * 100)) +
                                  "In100Seconds";
                         });

class NoRate : public testing::TestWithParam<double> {};

TEST_P(NoRate, GivesNoFreshSignatures) {
  NonceBudget budget(GetParam());
  for (const auto later : {0s, 1s, 100000s}) {
    EXPECT_FALSE(budget.take(client(1), kStart + later));
  }
}

INSTANTIATE_TEST_SUITE_P(Rates, NoRate,
                         testing::Values(0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                                         std::numeric_limits<double>::infinity()));

TEST(NonceBudget, AlmostNoRateGivesOneAndThenOneADay) {
  NonceBudget budget(std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(budget.take(client(1), kStart));
  EXPECT_FALSE(budget.take(client(2), kStart + 24h - 1ns));
  EXPECT_TRUE(budget.take(client(2), kStart + 24h));
}

TEST(NonceBudget, AHugeRateIsNoLimit) {
  NonceBudget budget(1e300);
  EXPECT_EQ(taken_by_one(budget, 1, 100000, kStart), 100000);
}

TEST(NonceBudget, HoldsAnyMonotonicTime) {
  for (const MonotonicTime start : {MonotonicTime{}, MonotonicTime(-1000h), kStart}) {
    NonceBudget budget(50);
    EXPECT_EQ(taken_by_strangers(budget, 100, start), 50);
  }
}

TEST(NonceBudget, ARefusedClientTakesNothingFromTheOthers) {
  NonceBudget budget(50);
  EXPECT_EQ(taken_by_one(budget, 1, 1000, kStart), 5);
  EXPECT_EQ(taken_by_strangers(budget, 1000, kStart), 45);
}

TEST(NonceBudget, AClientPaysNothingForWhatAllAreRefused) {
  NonceBudget budget(50);
  EXPECT_EQ(taken_by_strangers(budget, 50, kStart), 50);
  EXPECT_EQ(taken_by_one(budget, 0xffffff, 100, kStart), 0);
  EXPECT_EQ(taken_by_one(budget, 0xffffff, 100, kStart + 1s), 5);
}

TEST(NonceBudget, OneClientIsRefilledByATenth) {
  NonceBudget budget(50);
  taken_by_one(budget, 1, 100, kStart);
  EXPECT_EQ(taken_by_one(budget, 1, 100, kStart + 199ms), 0);
  EXPECT_EQ(taken_by_one(budget, 1, 100, kStart + 200ms), 1);
  EXPECT_EQ(taken_by_one(budget, 1, 100, kStart + 800ms), 3);
  EXPECT_EQ(taken_by_one(budget, 1, 100, kStart + 1h), 5);
}

// Beyond kNonceClientsMax the client that asked longest ago gets a full bucket, and nobody else.
TEST(NonceBudget, ForgetsWhoAskedLongestAgoBeyondItsBound) {
  NonceBudget budget(100000);  // of which one client may have 10000 at once
  constexpr std::uint32_t kFirst = 1;
  constexpr std::uint32_t kSecond = 2;
  EXPECT_EQ(taken_by_one(budget, kFirst, 20000, kStart), 10000);
  EXPECT_EQ(taken_by_one(budget, kSecond, 20000, kStart), 10000);
  for (std::uint32_t other = 0; other + 2 < kNonceClientsMax; ++other) {
    ASSERT_TRUE(budget.take(client(100 + other), kStart));
  }
  EXPECT_FALSE(budget.take(client(kFirst), kStart));  // both are remembered; it asked last now
  ASSERT_TRUE(budget.take(client(100000), kStart));   // one too many
  EXPECT_FALSE(budget.take(client(kFirst), kStart));
  EXPECT_TRUE(budget.take(client(kSecond), kStart));
}

TEST(NonceBudget, AReloadWithAnotherRateBeginsAnew) {
  NonceBudget budget(0.01);
  EXPECT_TRUE(budget.take(client(1), kStart));
  budget.set_rate(50);
  EXPECT_EQ(taken_by_one(budget, 1, 100, kStart), 5);
  EXPECT_EQ(taken_by_strangers(budget, 100, kStart), 45);
  budget.set_rate(0);
  EXPECT_EQ(taken_by_strangers(budget, 100, kStart + 1h), 0);
}

TEST(NonceBudget, AReloadWithTheSameRateGivesNothing) {
  NonceBudget budget(50);
  EXPECT_EQ(taken_by_strangers(budget, 100, kStart), 50);
  budget.set_rate(50);
  EXPECT_EQ(taken_by_strangers(budget, 100, kStart), 0);
}

TEST(NonceBudget, ThreadsTogetherGetNoMore) {
  NonceBudget budget(1000);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (std::uint32_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::uint32_t number = 0; number < 1000; ++number) {
        if (budget.take(client((thread << 16U) + number), kStart)) ++taken;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace revcache::revocation
