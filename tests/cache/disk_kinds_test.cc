// What the disk tier holds of each kind, as it is counted while it changes and anew at each
// opening.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cache/disk_fixture.h"

namespace revcache::cache {
namespace {

using testing::DiskStoreTest;
using testing::entry_of;
using testing::noise;

class DiskKindsTest : public DiskStoreTest {
 protected:
  using Entries = std::array<std::uint64_t, kObjectKinds>;

  static std::string key_of(std::uint64_t number) {
    return "http://a.test/" + std::to_string(number);
  }
  void put(std::uint64_t number, ObjectKind kind, std::size_t body_bytes = 100) {
    write(entry_of(key_of(number), noise(number, body_bytes), kind));
  }
  [[nodiscard]] Entries entries() const {
    Entries entries{};
    for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
      entries[kind] = store_->stats().by_kind[kind].entries;
    }
    return entries;
  }
  [[nodiscard]] std::uint64_t bytes_of(ObjectKind kind) const {
    return store_->stats().by_kind[static_cast<std::size_t>(kind)].bytes;
  }
  // The database is opened again, and counted.
  void open_again(std::uint64_t expected_entries) {
    open();
    while (store_->stats().entries() != expected_entries) std::this_thread::yield();
  }
};

TEST_F(DiskKindsTest, FollowWritesReplacementsAndRemovals) {
  open();
  put(1, ObjectKind::crl);
  put(2, ObjectKind::ocsp);
  put(3, ObjectKind::ocsp);
  EXPECT_EQ(entries(), (Entries{1, 0, 2, 0, 0}));
  put(3, ObjectKind::aia);  // what a URL gives may turn out to be something else
  put(2, ObjectKind::ocsp);
  EXPECT_EQ(entries(), (Entries{1, 0, 1, 1, 0}));
  ASSERT_TRUE(store_->remove(key_of(1)));
  ASSERT_TRUE(store_->remove(key_of(1)));
  EXPECT_EQ(entries(), (Entries{0, 0, 1, 1, 0}));
  EXPECT_EQ(bytes_of(ObjectKind::crl), 0U);
}

TEST_F(DiskKindsTest, BytesAreThoseOfTheRecords) {
  open();
  put(1, ObjectKind::crl, 1000);
  put(2, ObjectKind::delta_crl, 3 * kPieceBytes);
  EXPECT_GE(bytes_of(ObjectKind::crl), 1000U);
  EXPECT_LT(bytes_of(ObjectKind::crl), 2000U);
  EXPECT_GE(bytes_of(ObjectKind::delta_crl), 3 * kPieceBytes);
  EXPECT_LT(bytes_of(ObjectKind::delta_crl), 3 * kPieceBytes + 1000);
  put(2, ObjectKind::delta_crl, 1000);
  EXPECT_LT(bytes_of(ObjectKind::delta_crl), 2000U);
}

TEST_F(DiskKindsTest, AreTheSameAfterARestart) {
  open();
  for (std::uint64_t i = 0; i < 50; ++i) put(i, static_cast<ObjectKind>(i % 3), 100 + i);
  for (std::uint64_t i = 0; i < 10; ++i) put(i, ObjectKind::other);
  for (std::uint64_t i = 40; i < 50; ++i) ASSERT_TRUE(store_->remove(key_of(i)));
  while (store_->stats().entries() != 40) std::this_thread::yield();
  const auto before = store_->stats().by_kind;
  open_again(40);
  const auto after = store_->stats().by_kind;
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    EXPECT_EQ(after[kind].entries, before[kind].entries) << kind;
    EXPECT_EQ(after[kind].bytes, before[kind].bytes) << kind;
  }
}

TEST_F(DiskKindsTest, AreNoughtAfterEverythingWasPurged) {
  open();
  for (std::uint64_t i = 0; i < 9; ++i) put(i, ObjectKind::ocsp);
  ASSERT_TRUE(store_->clear());
  EXPECT_EQ(entries(), Entries{});
  EXPECT_EQ(bytes_of(ObjectKind::ocsp), 0U);
  put(1, ObjectKind::crl);
  open_again(1);
  EXPECT_EQ(entries(), (Entries{1, 0, 0, 0, 0}));
}

TEST_F(DiskKindsTest, AfterEvictionThoseCountThatAreStillThere) {
  options_.bytes_max = 24 * kMebibyte;
  open();
  constexpr std::uint64_t kEntries = 900;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    const auto entry =
        entry_of(key_of(i), noise(i, 100000), i % 2 == 0 ? ObjectKind::crl : ObjectKind::ocsp);
    for (auto written = store_->write(*entry); !written; written = store_->write(*entry)) {
      ASSERT_EQ(written.error().code, ErrorCode::overloaded);
      std::this_thread::yield();
    }
    // Some are in use, and are written again when the ring gets there.
    if (i % 7 == 0) static_cast<void>(read(key_of(i)));
  }
  ASSERT_GT(store_->stats().evictions(), 0U);
  store_.reset();  // ends the evictor
  open();
  Entries there{};
  std::uint64_t all = 0;
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    const auto found = read(key_of(i));
    if (found == nullptr) continue;
    ++there[static_cast<std::size_t>(found->kind)];
    ++all;
  }
  while (store_->stats().entries() != all) std::this_thread::yield();
  EXPECT_EQ(entries(), there);
}

}  // namespace
}  // namespace revcache::cache
