// One loop's way to the disk store: order, limits, and callbacks.
#include "cache/disk_tier.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/cache/disk_fixture.h"
#include "tests/cache/disk_tier_fixture.h"
#include "tests/cache/tier_entries.h"

namespace revcache::cache {
namespace {

using testing::DrawnOrder;
using testing::entry_of;
using testing::numbered_entry;
using testing::numbered_key;
using Fixture = testing::DiskTierFixture;

TEST(DiskTier, NoCallbackRunsBeforeItsCallHasReturnedAndEachRunsOnce) {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
    SCOPED_TRACE(limit);
    Fixture f;
    f.loop.limit = limit;
    int called = 0;
    const auto entry = numbered_entry(1, 10);
    f.tier->put(entry, [&](const Result<void>&) { ++called; });
    f.tier->find(entry->key, [&](const Result<StoredResponsePtr>&) { ++called; });
    f.tier->read_piece(entry, 0, [&](const Result<SharedBytes>&) { ++called; });
    f.tier->erase(entry->key, [&](const Result<void>&) { ++called; });
    EXPECT_EQ(called, 0);
    f.loop.run();
    EXPECT_EQ(called, 4);
  }
}

TEST(DiskTier, WithoutRoomAFindIsAMissAndTheOthersSaySo) {
  Fixture f;
  f.store->entries[numbered_key(1)] = numbered_entry(1, 10);
  f.loop.limit = 0;
  int answers = 0;
  const auto expect_overloaded = [&](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::overloaded);
    EXPECT_EQ(result.error().blame, Blame::local);
    ++answers;
  };
  f.tier->find(numbered_key(1), [&](const Result<StoredResponsePtr>& found) {
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, nullptr);
    ++answers;
  });
  f.tier->put(numbered_entry(2, 10), expect_overloaded);
  f.tier->erase(numbered_key(1), expect_overloaded);
  f.tier->read_piece(numbered_entry(1, 10), 0, expect_overloaded);
  f.loop.run();
  EXPECT_EQ(answers, 4);
  EXPECT_EQ(f.store->overloads, 4U);
}

TEST(DiskTier, CallsThatWaitForOthersOfTheirKeyAreLimitedToo) {
  Fixture f;
  std::size_t refused = 0;
  std::size_t done = 0;
  constexpr std::size_t kCalls = 5000;
  for (std::size_t i = 0; i < kCalls; ++i) {
    f.tier->put(numbered_entry(1, i % 100), [&](const Result<void>& put) {
      ++done;
      refused += put ? 0U : 1U;
    });
  }
  f.loop.run();
  EXPECT_EQ(done, kCalls);
  EXPECT_GT(refused, 0U);
  EXPECT_LT(refused, kCalls);
  EXPECT_EQ(f.store->overloads, refused);
}

TEST(DiskTier, ARemovalThatHasNoRoomIsOwed) {
  Fixture f;
  const std::string key = numbered_key(1);
  f.loop.limit = 0;
  f.tier->erase(key, [](const Result<void>& erased) { EXPECT_FALSE(erased); });
  EXPECT_EQ(f.store->owed, std::vector<std::string>{key}) << "at once: the next find() must know";
  f.loop.run();

  // One that waits for another call of its key, until there is no room for it.
  f.store->owed.clear();
  f.loop.limit = 1;
  f.tier->put(numbered_entry(1, 10), [&](const Result<void>&) { f.loop.limit = 0; });
  f.tier->erase(key, [](const Result<void>& erased) { EXPECT_FALSE(erased); });
  EXPECT_TRUE(f.store->owed.empty()) << "the put before it would come after it";
  f.loop.run();
  EXPECT_EQ(f.store->owed, std::vector<std::string>{key});
}

TEST(DiskTier, ARemovalTakesTheRoomOfWhatWaitsBeforeIt) {
  Fixture f;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 5000; ++i) {
    f.tier->put(numbered_entry(1, 10), [&](const Result<void>& put) { refused += put ? 0U : 1U; });
  }
  bool erased = false;
  f.tier->erase(numbered_key(1), [&](const Result<void>& done) { erased = done.has_value(); });
  f.loop.run();
  EXPECT_TRUE(erased);
  EXPECT_EQ(refused, 4999U) << "all but the one that ran";
  EXPECT_TRUE(f.store->entries.empty());
  EXPECT_TRUE(f.store->owed.empty());
}

TEST(DiskTier, WhatIsUnderWayOfOneKeyWhenTheTierGoesIsRemovedAllTheSame) {
  Fixture f;
  f.tier->put(numbered_entry(1, 10), [](const Result<void>&) {});
  f.tier->erase(numbered_key(1), [](const Result<void>&) {});
  f.tier.reset();
  f.loop.run();
  EXPECT_EQ(f.store->owed, std::vector<std::string>{numbered_key(1)});
}

TEST(DiskTier, FailuresOfTheStoreArePassedOn) {
  Fixture f;
  f.store->fails = true;
  int failures = 0;
  const auto count_failure = [&](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().detail, "told to");
    ++failures;
  };
  f.tier->find("k", count_failure);
  f.tier->put(numbered_entry(1, 10), count_failure);
  f.tier->erase("k", count_failure);
  f.tier->read_piece(numbered_entry(1, 10), 0, count_failure);
  f.loop.run();
  EXPECT_EQ(failures, 4);
}

TEST(DiskTier, PiecesComeByNumber) {
  Fixture f;
  const auto entry = numbered_entry(1, 10);
  std::string body;
  f.tier->read_piece(entry, 3, [&](const Result<SharedBytes>& piece) { body = piece->text(); });
  f.loop.run();
  EXPECT_EQ(body, entry->key + "#3");
}

// Whatever the pool does: of one key's calls each sees what was called before it, and nothing of
// what was called after.
TEST(DiskTier, CallsOfOneKeyTakeEffectInTheirOrder) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Fixture f(seed);
    std::mt19937_64 random(seed);
    std::map<std::string, std::string> now;  // body by key
    std::size_t called = 0;
    for (std::size_t i = 0; i < 200; ++i) {
      const std::string key = numbered_key(random() % 3);
      switch (random() % 3) {
        case 0: {
          const std::string body = std::to_string(i);
          f.tier->put(entry_of(key, body), [&](const Result<void>& put) {
            EXPECT_TRUE(put);
            ++called;
          });
          now[key] = body;
          break;
        }
        case 1:
          f.tier->erase(key, [&](const Result<void>& erased) {
            EXPECT_TRUE(erased);
            ++called;
          });
          now.erase(key);
          break;
        default: {
          const auto expected = now.contains(key) ? now[key] : "absent";
          f.tier->find(key, [&, expected](const Result<StoredResponsePtr>& found) {
            ASSERT_TRUE(found);
            EXPECT_EQ(*found == nullptr ? "absent" : (*found)->body.text(), expected);
            ++called;
          });
        }
      }
      if (random() % 50 == 0) f.loop.run();
    }
    f.loop.run();
    EXPECT_EQ(called, 200U);
    EXPECT_EQ(f.store->entries.size(), now.size());
  }
}

TEST(DiskTier, NothingIsCertainlyAbsentWhileACallOfItsKeyIsUnderWay) {
  Fixture f;
  const std::string key = numbered_key(1);
  EXPECT_TRUE(f.tier->certainly_absent(key));
  f.tier->put(numbered_entry(1, 10), [](const Result<void>&) {});
  EXPECT_FALSE(f.tier->certainly_absent(key));
  EXPECT_TRUE(f.tier->certainly_absent(numbered_key(2)));
  f.loop.run();
  EXPECT_FALSE(f.tier->certainly_absent(key)) << "it is there";
  f.tier->erase(key, [](const Result<void>&) {});
  f.loop.run();
  EXPECT_TRUE(f.tier->certainly_absent(key));
}

TEST(DiskTier, ACallbackMayCallAgain) {
  Fixture f;
  std::vector<std::string> seen;
  const std::string key = numbered_key(1);
  f.tier->put(numbered_entry(1, 10), [&](const Result<void>&) {
    seen.emplace_back("put");
    f.tier->erase(key, [&](const Result<void>&) { seen.emplace_back("erased"); });
    f.tier->find(key, [&](const Result<StoredResponsePtr>& found) {
      seen.emplace_back(*found == nullptr ? "absent" : "there");
    });
  });
  f.loop.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"put", "erased", "absent"}));
}

TEST(DiskTier, WhatIsUnderWayWhenTheTierGoesIsStillAnsweredOnce) {
  Fixture f;
  int succeeded = 0;
  int failed = 0;
  for (int i = 0; i < 3; ++i) {
    f.tier->put(numbered_entry(1, 10),
                [&](const Result<void>& put) { ++(put ? succeeded : failed); });
  }
  f.tier.reset();
  f.loop.run();
  EXPECT_EQ(succeeded, 1) << "it was running";
  EXPECT_EQ(failed, 2) << "they were waiting";
}

class DiskTierOverRocks : public testing::DiskStoreTest {};

TEST_F(DiskTierOverRocks, StoresFindsAndErases) {
  options_.whole_body_bytes_max = kPieceBytes;
  open();
  DrawnOrder loop(1);
  const auto tier = make_disk_tier(store_, {.work = loop, .executor = loop, .timers = loop});
  const auto large = numbered_entry(2, 2 * kPieceBytes + 5);
  StoredResponsePtr found;
  const auto keep = [&](const Result<StoredResponsePtr>& result) {
    found = result.value_or(nullptr);
  };
  tier->put(numbered_entry(1, 1000), [](const Result<void>& put) { EXPECT_TRUE(put); });
  tier->find(numbered_key(1), keep);
  loop.run();
  testing::expect_same(found, numbered_entry(1, 1000));

  tier->put(large, [](const Result<void>& put) { EXPECT_TRUE(put); });
  tier->find(large->key, keep);
  loop.run();
  testing::expect_same(found, large);
  ASSERT_TRUE(found->on_disk);
  std::string body;
  for (std::uint64_t index = 0; index < 3; ++index) {
    tier->read_piece(found, index,
                     [&](const Result<SharedBytes>& piece) { body += piece->text(); });
    loop.run();
  }
  EXPECT_TRUE(body == large->body.text());

  tier->erase(numbered_key(1), [](const Result<void>& erased) { EXPECT_TRUE(erased); });
  tier->find(numbered_key(1), keep);
  loop.run();
  EXPECT_EQ(found, nullptr);
}

}  // namespace
}  // namespace revcache::cache
