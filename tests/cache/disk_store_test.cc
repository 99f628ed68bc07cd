// What the disk store keeps, over restarts too.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cache/disk_record.h"
#include "tests/cache/disk_fixture.h"

namespace revcache::cache {
namespace {

using testing::contents_of;
using testing::DiskStoreTest;
using testing::entry_of;
using testing::expect_same;
using testing::numbered_entry;
using testing::numbered_key;
using testing::overwrite;

TEST_F(DiskStoreTest, FindsWhatWasWrittenAndNothingElse) {
  open();
  EXPECT_EQ(read(numbered_key(1)), nullptr);
  write(numbered_entry(1, 1000));
  expect_same(read(numbered_key(1)), numbered_entry(1, 1000));
  EXPECT_EQ(read(numbered_key(2)), nullptr);
  EXPECT_EQ(read(""), nullptr);
}

TEST_F(DiskStoreTest, KeepsBodiesOfAnySizeOverARestart) {
  const std::vector<std::size_t> sizes{0,
                                       1,
                                       kInlineBodyBytesMax,
                                       kInlineBodyBytesMax + 1,
                                       kPieceBytes - 1,
                                       kPieceBytes,
                                       kPieceBytes + 1,
                                       5 * kPieceBytes + 12345};
  open();
  for (std::size_t i = 0; i < sizes.size(); ++i) write(numbered_entry(i, sizes[i]));
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted ? "after the restart" : "before the restart");
    if (restarted) open();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      SCOPED_TRACE(sizes[i]);
      expect_same(read(numbered_key(i)), numbered_entry(i, sizes[i]));
    }
  }
}

// Whatever memory holds of the index: what is there is never called absent.
TEST_F(DiskStoreTest, WhatIsCertainlyAbsentIsNotThere) {
  constexpr std::uint64_t kEntries = 300;
  open();
  EXPECT_TRUE(store_->certainly_absent(numbered_key(1)));
  for (std::uint64_t i = 0; i < kEntries; ++i) write(numbered_entry(i, 100));
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted ? "after the restart" : "before the restart");
    if (restarted) open();
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      EXPECT_FALSE(store_->certainly_absent(numbered_key(i)));
    }
    // One look at the disk brings the filter into memory, which then knows of nearly all others.
    EXPECT_EQ(read(numbered_key(kEntries)), nullptr);
    std::uint64_t known = 0;
    for (std::uint64_t i = kEntries; i < 2 * kEntries; ++i) {
      if (store_->certainly_absent(numbered_key(i))) ++known;
    }
    EXPECT_GE(known, kEntries * 9 / 10);
  }
  ASSERT_TRUE(store_->remove(numbered_key(7)));
  EXPECT_TRUE(store_->certainly_absent(numbered_key(7)));
}

TEST_F(DiskStoreTest, KeysAreAnyOctets) {
  open();
  const std::vector<std::string> keys{"",   std::string("\0\0", 2), "\xff\xff\xff", "m:format",
                                      "kk", std::string(20000, 'u')};
  for (const std::string& key : keys) write(entry_of(key, "body of " + key));
  open();
  for (const std::string& key : keys) expect_same(read(key), entry_of(key, "body of " + key));
}

TEST_F(DiskStoreTest, TheLatestWriteOfAKeyWins) {
  open();
  write(numbered_entry(1, 3 * kPieceBytes, 1));
  write(numbered_entry(1, 100, 2));
  expect_same(read(numbered_key(1)), numbered_entry(1, 100, 2));
  write(numbered_entry(1, 2 * kPieceBytes, 3));
  open();
  expect_same(read(numbered_key(1)), numbered_entry(1, 2 * kPieceBytes, 3));
}

TEST_F(DiskStoreTest, ARemovedEntryStaysAway) {
  open();
  write(numbered_entry(1, 100));
  write(numbered_entry(2, 2 * kPieceBytes));
  ASSERT_TRUE(store_->remove(numbered_key(1)));
  ASSERT_TRUE(store_->remove(numbered_key(2)));
  ASSERT_TRUE(store_->remove(numbered_key(3))) << "absent already";
  EXPECT_EQ(read(numbered_key(1)), nullptr);
  open();
  EXPECT_EQ(read(numbered_key(1)), nullptr);
  EXPECT_EQ(read(numbered_key(2)), nullptr);
}

TEST_F(DiskStoreTest, ClearForgetsEverythingAndFreesTheDisk) {
  open();
  for (std::uint64_t i = 0; i < 20; ++i) write(numbered_entry(i, kPieceBytes));
  ASSERT_TRUE(store_->clear());
  for (std::uint64_t i = 0; i < 20; ++i) EXPECT_EQ(read(numbered_key(i)), nullptr);
  EXPECT_EQ(store_->stats().entries(), 0U);
  std::uint64_t bytes = 0;
  for (const auto& file : files(".sst")) bytes += std::filesystem::file_size(file);
  EXPECT_LT(bytes, kMebibyte);
  write(numbered_entry(1, 100));
  open();
  expect_same(read(numbered_key(1)), numbered_entry(1, 100));
  EXPECT_EQ(read(numbered_key(2)), nullptr);
}

TEST_F(DiskStoreTest, ALargeBodyStaysOnDiskAndIsReadInPieces) {
  options_.whole_body_bytes_max = 2 * kPieceBytes;
  open();
  write(numbered_entry(1, 2 * kPieceBytes));
  EXPECT_FALSE(read(numbered_key(1))->on_disk);

  const auto large = numbered_entry(2, 3 * kPieceBytes + 77);
  write(large);
  const auto found = read(numbered_key(2));
  expect_same(found, large);
  ASSERT_TRUE(found->on_disk);
  EXPECT_TRUE(found->body.empty());
  std::string body;
  for (std::uint64_t index = 0; index < 4; ++index) {
    const auto piece = store_->read_piece(*found, index);
    ASSERT_TRUE(piece) << piece.error().detail;
    body += piece->text();
  }
  EXPECT_TRUE(body == large->body.text());
}

TEST_F(DiskStoreTest, PiecesOfAReplacedBodyAreStillTheOldOnesNeverAMixture) {
  options_.whole_body_bytes_max = kPieceBytes;
  open();
  const auto old = numbered_entry(1, 3 * kPieceBytes, 1);
  write(old);
  const auto found = read(numbered_key(1));
  write(numbered_entry(1, 3 * kPieceBytes, 2));
  const auto piece = store_->read_piece(*found, 1);
  // The space is garbage now, and may be gone: then an error, but never a piece of the new body.
  if (piece) {
    EXPECT_TRUE(piece->text() == old->body.text().substr(kPieceBytes, kPieceBytes));
  } else {
    EXPECT_EQ(piece.error().code, ErrorCode::corrupt);
  }
}

TEST_F(DiskStoreTest, ANewHeadKeepsTheBodyThatIsTooLargeForMemory) {
  options_.whole_body_bytes_max = kPieceBytes;
  open();
  const auto large = numbered_entry(1, 3 * kPieceBytes);
  write(large);
  StoredResponse freshened(*read(numbered_key(1)));
  freshened.freshness.lifetime = std::chrono::hours(9);
  freshened.fields.set(http::FieldId::etag, "\"new\"");
  const auto head = finish(std::move(freshened));
  ASSERT_TRUE(head->on_disk);
  write(head);
  open();
  const auto found = read(numbered_key(1));
  expect_same(found, head);
  EXPECT_EQ(found->etag, "\"new\"");
  const auto piece = store_->read_piece(*found, 2);
  ASSERT_TRUE(piece);
  EXPECT_TRUE(piece->text() == large->body.text().substr(2 * kPieceBytes));

  write(numbered_entry(1, 2 * kPieceBytes, 5));
  const auto refused = store_->write(*head);
  ASSERT_FALSE(refused) << "a head was put on another body";
  EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
}

TEST_F(DiskStoreTest, RefusesWhatWouldTakeMoreThanAQuarterOfTheDisk) {
  options_.bytes_max = 32 * kMebibyte;
  open();
  write(numbered_entry(1, 8 * kMebibyte));
  const auto refused = store_->write(*numbered_entry(2, 8 * kMebibyte + 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
}

TEST_F(DiskStoreTest, CountsEntriesAndKnowsThemAgainAfterARestart) {
  open();
  for (std::uint64_t i = 0; i < 50; ++i) write(numbered_entry(i, 100));
  for (std::uint64_t i = 0; i < 50; ++i) write(numbered_entry(i, 200, 1));
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(store_->remove(numbered_key(i)));
  while (store_->stats().entries() != 40U) std::this_thread::yield();
  open();
  while (store_->stats().entries() != 40U) std::this_thread::yield();
}

// The damage is done to a table file, past RocksDB's own view of it being correct or not.
TEST_F(DiskStoreTest, ADamagedEntryIsAbsentErasedAndCounted) {
  open();
  write(numbered_entry(1, 3 * kPieceBytes));
  write(numbered_entry(2, 100));
  open();  // what was in the log is in table files now
  store_.reset();
  const auto tables = files(".sst");
  ASSERT_FALSE(tables.empty());
  std::uint64_t damaged = 0;
  const std::string needle(
      numbered_entry(1, 3 * kPieceBytes)->body.text().substr(kPieceBytes + 1000, 64));
  for (const auto& table : tables) {
    std::string bytes = contents_of(table);
    const std::size_t at = bytes.find(needle);
    if (at == std::string::npos) continue;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    overwrite(table, bytes);
    ++damaged;
  }
  ASSERT_EQ(damaged, 1U);
  open();
  EXPECT_EQ(read(numbered_key(1)), nullptr);
  EXPECT_EQ(store_->stats().corrupt_entries, 1U);
  EXPECT_EQ(log_.count("damaged disk entry erased"), 1U);
  expect_same(read(numbered_key(2)), numbered_entry(2, 100));
  EXPECT_EQ(read(numbered_key(1)), nullptr);
  EXPECT_EQ(store_->stats().corrupt_entries, 1U) << "it was not erased";
  write(numbered_entry(1, 100, 9));
  expect_same(read(numbered_key(1)), numbered_entry(1, 100, 9));
}

// One of many threads. The version of an entry is in its size, so that a reader knows what the body
// must be.
void use_at_random(DiskStore& store, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int step = 0; step < 60; ++step) {
    const std::uint64_t number = random() % 20;
    const std::uint64_t choice = random() % 10;
    if (choice == 0) {
      EXPECT_TRUE(store.remove(numbered_key(number)));
    } else if (choice < 5) {
      const std::size_t size = random() % 2 == 0 ? 1000 + random() % 3 : kPieceBytes + number;
      const auto written = store.write(*numbered_entry(number, size, size));
      EXPECT_TRUE(written || written.error().code == ErrorCode::overloaded);
    } else {
      const auto found = store.read(numbered_key(number));
      ASSERT_TRUE(found);
      if (*found == nullptr) continue;
      const std::size_t size = (*found)->body_bytes;
      EXPECT_TRUE((*found)->body.text() == numbered_entry(number, size, size)->body.text());
    }
  }
}

TEST_F(DiskStoreTest, ManyThreadsMayReadWriteAndRemoveAtOnce) {
  options_.bytes_max = 24 * kMebibyte;
  open();
  std::vector<std::thread> threads(4);
  for (std::size_t t = 0; t < threads.size(); ++t) {
    threads[t] = std::thread([this, t] { use_at_random(*store_, t); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->stats().corrupt_entries, 0U);
  EXPECT_EQ(store_->stats().errors, 0U);
}

}  // namespace
}  // namespace revcache::cache
