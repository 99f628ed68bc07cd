// The bound of the disk tier: what `du` says, garbage included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cache/disk_usage.h"
#include "cache/tier.h"
#include "tests/cache/disk_fixture.h"

namespace revcache::cache {
namespace {

using testing::DiskStoreTest;
using testing::expect_same;
using testing::numbered_entry;
using testing::numbered_key;
using testing::overwrite;
using testing::TempDirectory;

class DiskBoundTest : public DiskStoreTest {
 protected:
  static constexpr std::uint64_t kBytesMax = 24 * kMebibyte;

  DiskBoundTest() { options_.bytes_max = kBytesMax; }

  [[nodiscard]] std::uint64_t measure() const { return measure_directory(options_.directory); }

  // Writes until the disk was filled `times` times over, and gives the largest size ever seen. A
  // write that is told to come back later does, until it is done: on a slow machine eviction may be
  // far behind, and an entry left out would be missed by whoever looks for it.
  std::uint64_t fill(double times, std::size_t body_bytes, std::uint64_t first_number) {
    std::uint64_t written = 0;
    std::uint64_t largest = 0;
    for (std::uint64_t number = first_number;
         static_cast<double>(written) < times * static_cast<double>(kBytesMax); ++number) {
      const auto entry = numbered_entry(number, body_bytes);
      if (!write_patiently(*entry)) return largest;
      written += body_bytes;
      largest = std::max(largest, number % 8 == 0 ? measure() : 0);
    }
    return largest;
  }

  [[nodiscard]] bool write_patiently(const StoredResponse& entry) {
    for (;;) {
      const auto result = store_->write(entry);
      if (result) return true;
      if (result.error().code != ErrorCode::overloaded) {
        ADD_FAILURE() << result.error().detail;
        return false;
      }
      std::this_thread::yield();
    }
  }
};

TEST(DiskUsage, CountsWhatTheFilesOfTheDirectoryOccupy) {
  const TempDirectory root;
  EXPECT_EQ(measure_directory((root.path() / "absent").string()), 0U);
  overwrite(root.path() / "a", std::string(100000, 'a'));
  overwrite(root.path() / "b", std::string(1, 'b'));
  std::filesystem::create_directory(root.path() / "sub");
  overwrite(root.path() / "sub" / "c", std::string(1000000, 'c'));
  const std::uint64_t bytes = measure_directory(root.path().string());
  EXPECT_GE(bytes, 100001U);
  EXPECT_LT(bytes, 200000U) << "whole blocks, but not the subdirectory";
}

TEST_F(DiskBoundTest, StaysBelowTheBoundAndItsSlackWhileItIsFilledThreeTimesOver) {
  open();
  std::uint64_t first = 0;
  for (const std::size_t body_bytes :
       {std::size_t{100000}, 3 * kPieceBytes + 5, std::size_t{9000}}) {
    SCOPED_TRACE(body_bytes);
    const std::uint64_t largest = fill(3, body_bytes, first);
    first += 1000000;
    EXPECT_LE(largest, kBytesMax + DiskStore::slack_bytes(kBytesMax));
    EXPECT_GE(largest, kBytesMax / 2) << "half of what may be used lies idle";
  }
  EXPECT_LE(measure(), kBytesMax + DiskStore::slack_bytes(kBytesMax));
  const auto stats = store_->stats();
  EXPECT_EQ(stats.errors, 0U);
  EXPECT_EQ(stats.corrupt_entries, 0U);
  EXPECT_GT(stats.evictions(), 500U);
  EXPECT_EQ(stats.evicted_in_use, 0U) << "nothing was read";
  std::uint64_t live = 0;
  for (const auto& kind : stats.by_kind) live += kind.bytes;
  EXPECT_LE(live, stats.bytes) << "what was evicted still counts";
}

TEST_F(DiskBoundTest, TheNewestEntriesAreStillThereAndTheOldestAreGone) {
  open();
  constexpr std::size_t kBody = 100000;
  fill(3, kBody, 0);
  const std::uint64_t written = 3 * kBytesMax / kBody + 1;
  // Half of the bound is certainly live: a quarter each for the log, and for what was just dropped.
  for (std::uint64_t number = written - kBytesMax / kBody / 2; number < written; ++number) {
    expect_same(read(numbered_key(number)), numbered_entry(number, kBody));
  }
  EXPECT_EQ(read(numbered_key(0)), nullptr);
  EXPECT_EQ(read(numbered_key(written / 4)), nullptr);
  EXPECT_EQ(store_->stats().corrupt_entries, 0U) << "an evicted entry is not a damaged one";
}

TEST_F(DiskBoundTest, WhatIsReadAgainAndAgainIsNotEvicted) {
  open();
  constexpr std::size_t kBody = 100000;
  constexpr std::uint64_t kHot = 20;
  for (std::uint64_t i = 0; i < kHot; ++i)
    write(numbered_entry(i, i % 2 == 0 ? kBody : kBody / 10));
  for (int round = 0; round < 30; ++round) {
    for (std::uint64_t i = 0; i < kHot; ++i) {
      SCOPED_TRACE("entry " + std::to_string(i) + " in round " + std::to_string(round));
      const auto found = read(numbered_key(i));
      ASSERT_NE(found, nullptr);
      ASSERT_TRUE(found->body.text() ==
                  numbered_entry(i, i % 2 == 0 ? kBody : kBody / 10)->body.text());
    }
    fill(0.1, kBody, 1000 + static_cast<std::uint64_t>(round) * 1000);
  }
}

// Ten entries that are replaced all the time, and ten that nobody asks for: the disk is full of
// garbage, not of entries, and nothing needs to go.
TEST_F(DiskBoundTest, ReplacedEntriesMakeRoomWithoutCostingOthersTheirPlace) {
  options_.bytes_max = 2 * kBytesMax;
  open();
  constexpr std::size_t kBody = 300000;
  for (std::uint64_t i = 10; i < 20; ++i) ASSERT_TRUE(write_patiently(*numbered_entry(i, kBody)));
  for (std::uint64_t version = 1; version < 40; ++version) {
    for (std::uint64_t i = 0; i < 10; ++i) {
      ASSERT_TRUE(write_patiently(*numbered_entry(i, kBody, version)));
    }
    ASSERT_LE(measure(), 2 * kBytesMax + DiskStore::slack_bytes(2 * kBytesMax));
  }
  for (std::uint64_t i = 0; i < 10; ++i) {
    expect_same(read(numbered_key(i)), numbered_entry(i, kBody, 39));
  }
  for (std::uint64_t i = 10; i < 20; ++i) {
    expect_same(read(numbered_key(i)), numbered_entry(i, kBody));
  }
}

TEST_F(DiskBoundTest, ErasedEntriesMakeRoom) {
  open();
  for (std::uint64_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(write_patiently(*numbered_entry(i, kPieceBytes)));
    ASSERT_TRUE(store_->remove(numbered_key(i)));
    ASSERT_LE(measure(), kBytesMax + DiskStore::slack_bytes(kBytesMax));
  }
  EXPECT_EQ(store_->stats().evictions(), 0U);
}

TEST_F(DiskBoundTest, ManySmallEntriesWithLongKeysStayWithinTheBoundToo) {
  open();
  const std::string tail(2000, 'q');
  for (std::uint64_t i = 0; i < 9000; ++i) {
    const auto entry = testing::entry_of("http://" + std::to_string(i * 7919 % 9000) + tail, "x");
    const auto written = store_->write(*entry);
    ASSERT_TRUE(written || written.error().code == ErrorCode::overloaded);
    if (i % 500 == 0) {
      ASSERT_LE(measure(), kBytesMax + DiskStore::slack_bytes(kBytesMax));
    }
  }
  EXPECT_GT(store_->stats().evictions(), 0U);
  EXPECT_EQ(store_->stats().corrupt_entries, 0U);
}

TEST_F(DiskBoundTest, ASmallerBoundTakesEffectAfterARestart) {
  open();
  fill(1, 100000, 0);
  options_.bytes_max = 16 * kMebibyte;
  open();
  // The evictor works on its own; nothing is written to remind it.
  while (measure() > 16 * kMebibyte) std::this_thread::yield();
  fill(0.1, 100000, 5000);
  EXPECT_LE(measure(), 16 * kMebibyte + DiskStore::slack_bytes(16 * kMebibyte));
}

}  // namespace
}  // namespace revcache::cache
