// Small puts that nobody waits for go off the loop together.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "cache/disk_tier.h"
#include "tests/cache/disk_tier_fixture.h"
#include "tests/cache/tier_entries.h"

namespace revcache::cache {
namespace {

using testing::numbered_entry;
using testing::numbered_key;
using Fixture = testing::DiskTierFixture;

// Puts `count` small entries and counts what comes of them.
struct Puts {
  Puts(Fixture& f, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      f.tier->put(numbered_entry(i, 10),
                  [this](const Result<void>& put) { ++(put ? succeeded : failed); });
    }
  }
  std::size_t succeeded = 0;
  std::size_t failed = 0;
};

TEST(DiskTierGathering, SmallPutsGoOffTheLoopTogether) {
  Fixture f;
  const Puts puts(f, 10);
  EXPECT_EQ(f.loop.submitted, 0U);
  f.loop.run();
  EXPECT_EQ(f.loop.submitted, 1U);
  EXPECT_EQ(puts.succeeded, 10U);
  EXPECT_EQ(f.store->entries.size(), 10U);
}

TEST(DiskTierGathering, ManyDoNotWaitForTheTime) {
  Fixture f;
  const Puts puts(f, 1000);
  f.loop.run_before_timers();
  EXPECT_GT(puts.succeeded, 900U);
  EXPECT_LE(f.loop.submitted, 100U);
  f.loop.run();
  EXPECT_EQ(puts.succeeded, 1000U);
}

TEST(DiskTierGathering, WhoComesForAKeyThatIsGatheredDoesNotWaitForTheTime) {
  Fixture f;
  const Puts puts(f, 2);
  StoredResponsePtr found;
  bool erased = false;
  f.tier->find(numbered_key(1), [&](const Result<StoredResponsePtr>& got) { found = *got; });
  f.tier->erase(numbered_key(0), [&](const Result<void>& done) { erased = done.has_value(); });
  f.loop.run_before_timers();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->key, numbered_key(1));
  EXPECT_TRUE(erased);
  EXPECT_EQ(f.store->entries.size(), 1U);
}

TEST(DiskTierGathering, ALargePutIsAmongNoOthers) {
  Fixture f;
  const Puts puts(f, 1);
  f.tier->put(numbered_entry(7, 100'000), [](const Result<void>& put) { EXPECT_TRUE(put); });
  f.loop.run_before_timers();
  EXPECT_TRUE(f.store->entries.contains(numbered_key(7)));
  EXPECT_EQ(puts.succeeded, 0U);
  f.loop.run();
  EXPECT_EQ(puts.succeeded, 1U);
}

TEST(DiskTierGathering, WithoutRoomEachIsRefusedAndItsKeyIsFree) {
  Fixture f;
  f.loop.limit = 0;
  const Puts puts(f, 3);
  EXPECT_FALSE(f.tier->certainly_absent(numbered_key(1)));
  f.loop.run();
  EXPECT_EQ(puts.failed, 3U);
  EXPECT_EQ(f.store->overloads, 3U);
  EXPECT_TRUE(f.tier->certainly_absent(numbered_key(1)));
}

TEST(DiskTierGathering, NothingIsHeldBackOnceTheLoopEnds) {
  Fixture f;
  const Puts before(f, 3);
  f.tier->stop_gathering();
  f.loop.run_before_timers();
  EXPECT_EQ(before.succeeded, 3U);
  f.tier->put(numbered_entry(9, 10), [](const Result<void>&) {});
  f.loop.run_before_timers();
  EXPECT_TRUE(f.store->entries.contains(numbered_key(9)));
}

TEST(DiskTierGathering, WhatIsGatheredWhenTheTierGoesIsWritten) {
  Fixture f;
  const Puts puts(f, 3);
  f.tier.reset();
  f.loop.run();
  EXPECT_EQ(puts.succeeded, 3U);
  EXPECT_EQ(f.store->entries.size(), 3U);
}

}  // namespace
}  // namespace revcache::cache
