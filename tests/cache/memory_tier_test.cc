#include "cache/memory_tier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/cache/tier_entries.h"

namespace revcache::cache {
namespace {

using testing::entry_of;
using testing::numbered_entry;
using testing::numbered_key;

constexpr std::uint64_t kSeed = 0x5eed;
constexpr std::uint64_t kMebibyte = 1ULL << 20U;

std::uint64_t bytes_in(const MemoryTier& tier) {
  std::uint64_t bytes = 0;
  for (const auto& kind : tier.stats().by_kind) bytes += kind.bytes;
  return bytes;
}

std::uint64_t entries_in(const MemoryTier& tier) {
  std::uint64_t entries = 0;
  for (const auto& kind : tier.stats().by_kind) entries += kind.entries;
  return entries;
}

TEST(MemoryTier, FindsWhatWasPutAndNothingElse) {
  MemoryTier tier(kMebibyte, kSeed);
  const auto entry = numbered_entry(1, 100);
  EXPECT_EQ(tier.find(entry->key), nullptr);
  ASSERT_TRUE(tier.put(entry));
  EXPECT_EQ(tier.find(entry->key), entry);
  EXPECT_EQ(tier.find(numbered_key(2)), nullptr);
  EXPECT_EQ(tier.find(""), nullptr);
}

TEST(MemoryTier, AReplacedEntryIsGoneAndItsBytesAreFree) {
  MemoryTier tier(kMebibyte, kSeed);
  auto old = numbered_entry(1, 50000);
  ASSERT_TRUE(tier.put(old));
  const std::uint64_t before = bytes_in(tier);
  const auto fresh = numbered_entry(1, 100, 1);
  ASSERT_TRUE(tier.put(fresh));
  EXPECT_EQ(tier.find(fresh->key), fresh);
  EXPECT_EQ(entries_in(tier), 1U);
  EXPECT_LE(bytes_in(tier) + 49000, before);
  EXPECT_EQ(old.use_count(), 1) << "the tier still holds what was replaced";
}

TEST(MemoryTier, AnErasedEntryIsGone) {
  MemoryTier tier(kMebibyte, kSeed);
  const auto entry = numbered_entry(1, 100);
  ASSERT_TRUE(tier.put(entry));
  EXPECT_TRUE(tier.erase(entry->key));
  EXPECT_FALSE(tier.erase(entry->key));
  EXPECT_EQ(tier.find(entry->key), nullptr);
  EXPECT_EQ(bytes_in(tier), 0U);
  EXPECT_EQ(entry.use_count(), 1);
}

TEST(MemoryTier, ClearForgetsEverything) {
  MemoryTier tier(kMebibyte, kSeed);
  for (std::uint64_t i = 0; i < 200; ++i) tier.put(numbered_entry(i, 100));
  ASSERT_EQ(entries_in(tier), 200U);
  tier.clear();
  EXPECT_EQ(entries_in(tier), 0U);
  EXPECT_EQ(bytes_in(tier), 0U);
  for (std::uint64_t i = 0; i < 200; ++i) EXPECT_EQ(tier.find(numbered_key(i)), nullptr);
  EXPECT_TRUE(tier.put(numbered_entry(1, 100)));
  EXPECT_NE(tier.find(numbered_key(1)), nullptr);
}

TEST(MemoryTier, TakesAnObjectOfNearlyAQuarterWhateverItsShardAndRefusesALargerOne) {
  MemoryTier tier(16 * kMebibyte, kSeed);
  EXPECT_EQ(tier.object_bytes_max(), 4 * kMebibyte);
  for (std::uint64_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(tier.put(numbered_entry(i, 4 * kMebibyte - 4096)));
    ASSERT_NE(tier.find(numbered_key(i)), nullptr);
    ASSERT_LE(bytes_in(tier), 16 * kMebibyte);
  }
  EXPECT_FALSE(tier.put(numbered_entry(100, 4 * kMebibyte)));
  EXPECT_EQ(tier.find(numbered_key(100)), nullptr);
}

TEST(MemoryTier, ACopyThatIsTooLargeDoesNotLeaveItsPredecessorInPlace) {
  MemoryTier tier(kMebibyte, kSeed);
  ASSERT_TRUE(tier.put(numbered_entry(1, 100)));
  EXPECT_FALSE(tier.put(numbered_entry(1, kMebibyte, 1)));
  EXPECT_EQ(tier.find(numbered_key(1)), nullptr);
}

TEST(MemoryTier, ABudgetOfNothingTakesNothing) {
  MemoryTier tier(0, kSeed);
  EXPECT_FALSE(tier.put(numbered_entry(1, 0)));
  EXPECT_EQ(entries_in(tier), 0U);
}

TEST(MemoryTier, CountsEntriesAndBytesByKindAndEvictions) {
  MemoryTier tier(kMebibyte, kSeed);
  tier.put(entry_of("a", std::string(1000, 'a'), ObjectKind::crl));
  tier.put(entry_of("b", std::string(1000, 'b'), ObjectKind::ocsp));
  tier.put(entry_of("c", std::string(1000, 'c'), ObjectKind::ocsp));
  const auto stats = tier.stats();
  const auto& crl = stats.by_kind[static_cast<std::size_t>(ObjectKind::crl)];
  const auto& ocsp = stats.by_kind[static_cast<std::size_t>(ObjectKind::ocsp)];
  EXPECT_EQ(crl.entries, 1U);
  EXPECT_EQ(ocsp.entries, 2U);
  EXPECT_GE(crl.bytes, 1000U + 200U) << "more than the body is charged";
  EXPECT_GE(ocsp.bytes, 2 * crl.bytes - 64);
  EXPECT_EQ(stats.evictions(), 0U);
  for (std::uint64_t i = 0; i < 2000; ++i) tier.put(numbered_entry(i, 1000));
  EXPECT_EQ(tier.stats().evictions() + entries_in(tier), 2003U);
}

TEST(MemoryTier, TellsWhatWasNeverAskedForFromWhatWasInUseWhenItIsEvicted) {
  MemoryTier tier(kMebibyte, kSeed);
  for (std::uint64_t i = 0; i < 2000; ++i) tier.put(numbered_entry(i, 1000));
  const auto unasked = tier.stats();
  EXPECT_GT(unasked.evicted_unused, 1000U);
  EXPECT_EQ(unasked.evicted_in_use, 0U);
  for (std::uint64_t i = 2000; i < 6000; ++i) {
    tier.put(numbered_entry(i, 1000));
    static_cast<void>(tier.find(numbered_key(i)));
  }
  EXPECT_GT(tier.stats().evicted_in_use, 1000U);
}

TEST(MemoryTier, CountsWhatIsGoneAsItsNewCopyIsTooLarge) {
  MemoryTier tier(kMebibyte, kSeed);
  EXPECT_FALSE(tier.put(numbered_entry(1, kMebibyte)));
  EXPECT_EQ(tier.stats().dropped_too_large, 0U) << "nothing is lost";
  EXPECT_TRUE(tier.put(numbered_entry(1, 1000)));
  EXPECT_FALSE(tier.put(numbered_entry(1, kMebibyte)));
  EXPECT_EQ(tier.stats().dropped_too_large, 1U);
  EXPECT_EQ(tier.stats().evictions(), 0U);
}

// Random calls, and what each may answer.
class RandomCalls {
 public:
  RandomCalls(MemoryTier& tier, std::uint64_t bytes_max, std::uint64_t seed)
      : tier_(tier), bytes_max_(bytes_max), random_(seed), latest_(600) {}

  void step() {
    const std::uint64_t number = random_() % latest_.size();
    const std::uint64_t choice = random_() % 10;
    if (choice == 0) {
      tier_.erase(numbered_key(number));
      latest_[number] = nullptr;
    } else if (choice < 5) {
      put(number, random_() % 20 == 0 ? random_() % 300000 : random_() % 5000);
    } else if (const auto found = tier_.find(numbered_key(number)); found != nullptr) {
      ASSERT_EQ(found, latest_[number]);
    }
  }

  std::uint64_t count_found() {
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; i < latest_.size(); ++i) {
      found += tier_.find(numbered_key(i)) != nullptr ? 1U : 0U;
    }
    return found;
  }

 private:
  void put(std::uint64_t number, std::size_t body_bytes) {
    auto entry = entry_of(numbered_key(number), std::string(body_bytes, 'x'));
    const bool taken = tier_.put(entry);
    latest_[number] = taken ? std::move(entry) : nullptr;
    ASSERT_LE(bytes_in(tier_), bytes_max_);
  }

  MemoryTier& tier_;
  std::uint64_t bytes_max_;
  std::mt19937_64 random_;
  std::vector<StoredResponsePtr> latest_;
};

// A property of every sequence of calls: what put() leaves behind fits, every answer is the last
// thing put under that key, and what the statistics say agrees with what can be found.
TEST(MemoryTier, StaysWithinItsBoundAndAnswersWithTheLatestUnderRandomCalls) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    MemoryTier tier(kMebibyte, seed);
    RandomCalls calls(tier, kMebibyte, seed);
    for (int step = 0; step < 6000 && !::testing::Test::HasFatalFailure(); ++step) calls.step();
    EXPECT_EQ(calls.count_found(), entries_in(tier));
    EXPECT_GT(calls.count_found(), 50U) << "evicts far too much";
  }
}

// What the tier must do better than: the oldest goes first, whatever was asked for.
class PlainFifo {
 public:
  explicit PlainFifo(std::size_t entries_max) : entries_max_(entries_max) {}
  bool ask(std::uint64_t number) {
    if (present_.contains(number)) return true;
    present_.insert(number);
    order_.push_back(number);
    if (order_.size() > entries_max_) {
      present_.erase(order_.front());
      order_.pop_front();
    }
    return false;
  }

 private:
  std::size_t entries_max_;
  std::set<std::uint64_t> present_;
  std::deque<std::uint64_t> order_;
};

TEST(MemoryTier, AHotSetSurvivesAScanOfTenTimesTheCacheWherePlainFifoLosesIt) {
  constexpr std::uint64_t kHot = 200;
  constexpr std::size_t kBody = 2000;
  MemoryTier tier(4 * kMebibyte, kSeed);
  const std::uint64_t capacity = 4 * kMebibyte / (numbered_entry(0, kBody)->memory_bytes() + 128);
  PlainFifo fifo(capacity);
  std::mt19937_64 random(kSeed);
  const auto ask = [&](std::uint64_t number) {
    if (tier.find(numbered_key(number)) != nullptr) return true;
    tier.put(numbered_entry(number, kBody));
    return false;
  };
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < kHot; ++i) {
      ask(i);
      fifo.ask(i);
    }
  }
  // One request for the hot set among ten of the scan.
  std::uint64_t hot_asked = 0;
  std::uint64_t hits = 0;
  std::uint64_t fifo_hits = 0;
  for (std::uint64_t i = 0; i < 10 * capacity; ++i) {
    ask(1000000 + i);
    fifo.ask(1000000 + i);
    if (i % 10 != 0) continue;
    const std::uint64_t hot = random() % kHot;
    ++hot_asked;
    hits += ask(hot) ? 1U : 0U;
    fifo_hits += fifo.ask(hot) ? 1U : 0U;
  }
  EXPECT_GE(hits * 100, hot_asked * 98);
  EXPECT_LE(fifo_hits * 100, hot_asked * 85) << "the scan proves nothing";
}

TEST(MemoryTier, AnObjectThatComesBackSoonAfterItWasEvictedUnaskedIsKept) {
  MemoryTier tier(kMebibyte, kSeed);
  auto scan = [&, next = std::uint64_t{1000}](std::uint64_t count) mutable {
    for (std::uint64_t i = 0; i < count; ++i) tier.put(numbered_entry(next++, 1000));
  };
  scan(2000);
  const auto entry = numbered_entry(1, 1000);
  const auto is_held = [&] { return entry.use_count() > 1; };  // find() would count as a use
  tier.put(entry);
  for (int i = 0; i < 5000 && is_held(); ++i) scan(1);
  ASSERT_FALSE(is_held());
  scan(20);
  tier.put(entry);
  scan(2000);
  EXPECT_TRUE(is_held());
}

void use_at_random(MemoryTier& tier, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int step = 0; step < 4000; ++step) {
    const std::string key = numbered_key(random() % 300);
    const std::uint64_t choice = random() % 1000;
    if (choice == 0) {
      tier.clear();
    } else if (choice == 1) {
      static_cast<void>(tier.stats());
    } else if (choice < 50) {
      tier.erase(key);
    } else if (choice < 400) {
      tier.put(entry_of(key, std::string(random() % 20000, 'x')));
    } else if (const auto found = tier.find(key); found != nullptr) {
      ASSERT_EQ(found->key, key);
    }
  }
}

TEST(MemoryTier, ManyThreadsMayPutFindEraseAndClearAtOnce) {
  MemoryTier tier(kMebibyte, kSeed);
  std::vector<std::thread> threads(4);
  for (std::size_t t = 0; t < threads.size(); ++t) {
    threads[t] = std::thread([&tier, t] { use_at_random(tier, t); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(bytes_in(tier), kMebibyte);
  tier.clear();
  EXPECT_EQ(bytes_in(tier), 0U);
}

}  // namespace
}  // namespace revcache::cache
