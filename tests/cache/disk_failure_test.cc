// The disk tier when the disk, the database or another process is against it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "cache/tier.h"
#include "tests/cache/disk_fixture.h"
#include "tests/cache/full_disk.h"

namespace revcache::cache {
namespace {

using testing::contents_of;
using testing::DiskStoreTest;
using testing::expect_same;
using testing::FullDisk;
using testing::numbered_entry;
using testing::numbered_key;
using testing::overwrite;

class DiskFailureTest : public DiskStoreTest {
 protected:
  // Directories beside the database's own, in order.
  [[nodiscard]] std::vector<std::string> set_aside() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(root_.path())) {
      const std::string name = file.path().filename().string();
      if (name != "cache") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void damage_current() {
    store_.reset();
    overwrite(std::filesystem::path(options_.directory) / "CURRENT", "nonsense");
  }
};

TEST_F(DiskFailureTest, ADamagedDatabaseIsSetAsideAndServingGoesOn) {
  open();
  write(numbered_entry(1, 1000));
  damage_current();
  open();
  EXPECT_EQ(read(numbered_key(1)), nullptr);
  EXPECT_EQ(set_aside(), std::vector<std::string>{"cache.corrupt-1768478400"});
  EXPECT_EQ(log_.count("cache database set aside"), 1U);
  write(numbered_entry(2, 1000));
  open();
  expect_same(read(numbered_key(2)), numbered_entry(2, 1000));
  EXPECT_EQ(set_aside().size(), 1U);
}

TEST_F(DiskFailureTest, OnlyThreeDamagedDatabasesAreKeptTheNewest) {
  std::filesystem::create_directory(root_.path() / "cache.corrupt-notes");
  for (int i = 0; i < 6; ++i) {
    open();
    clock_.advance(std::chrono::hours(1));
    damage_current();
  }
  open();
  EXPECT_EQ(set_aside(),
            (std::vector<std::string>{"cache.corrupt-1768492800", "cache.corrupt-1768496400",
                                      "cache.corrupt-1768500000", "cache.corrupt-notes"}))
      << "six were made an hour apart";
}

TEST_F(DiskFailureTest, ADatabaseThatBreaksTwiceInOneSecondIsSetAsideTwice) {
  for (int i = 0; i < 2; ++i) {
    open();
    damage_current();
  }
  open();
  EXPECT_EQ(set_aside(),
            (std::vector<std::string>{"cache.corrupt-1768478400", "cache.corrupt-1768478401"}));
}

TEST_F(DiskFailureTest, MissingTableAndManifestFilesAreDamage) {
  for (const char* const victim : {".sst", "MANIFEST"}) {
    SCOPED_TRACE(victim);
    open();
    for (std::uint64_t i = 0; i < 12; ++i) write(numbered_entry(i, kPieceBytes));
    open();  // what was in the log is in table files now
    store_.reset();
    std::size_t removed = 0;
    for (const auto& file : std::filesystem::directory_iterator(options_.directory)) {
      if (file.path().string().find(victim) == std::string::npos) continue;
      std::filesystem::remove(file.path());
      ++removed;
    }
    ASSERT_GT(removed, 0U);
    const std::size_t before = log_.count("cache database set aside");
    open();
    EXPECT_EQ(log_.count("cache database set aside"), before + 1);
    EXPECT_EQ(read(numbered_key(1)), nullptr);
  }
}

TEST_F(DiskFailureTest, ADatabaseOfAnotherFormatVersionIsSetAside) {
  open();
  write(numbered_entry(1, 1000));
  store_.reset();
  {
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::DBOptions(), options_.directory,
                                  {{rocksdb::kDefaultColumnFamilyName, {}}, {"data", {}}}, &handles,
                                  &raw)
                    .ok());
    const std::unique_ptr<rocksdb::DB> database(raw);
    ASSERT_TRUE(database->Put(rocksdb::WriteOptions(), "m:format", "999").ok());
    for (auto* handle : handles) ASSERT_TRUE(database->DestroyColumnFamilyHandle(handle).ok());
  }
  open();
  EXPECT_EQ(read(numbered_key(1)), nullptr);
  EXPECT_EQ(set_aside().size(), 1U);
}

TEST_F(DiskFailureTest, ADatabaseThatIsNotOursIsSetAside) {
  {
    rocksdb::DB* raw = nullptr;
    rocksdb::Options options;
    options.create_if_missing = true;
    ASSERT_TRUE(rocksdb::DB::Open(options, options_.directory, &raw).ok());
    const std::unique_ptr<rocksdb::DB> database(raw);
    ASSERT_TRUE(database->Put(rocksdb::WriteOptions(), "a", "b").ok());
  }
  open();
  EXPECT_EQ(set_aside().size(), 1U);
}

TEST_F(DiskFailureTest, ADatabaseThatIsInUseIsLeftAlone) {
  open();
  write(numbered_entry(1, 1000));
  const auto second = DiskStore::open(options_, clock_, log_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().detail.find("lock"), std::string::npos) << second.error().detail;
  EXPECT_TRUE(set_aside().empty());
  expect_same(read(numbered_key(1)), numbered_entry(1, 1000));
}

// The other process is a fork that holds the lock file, which is all that RocksDB sees of it.
TEST_F(DiskFailureTest, ADatabaseThatAnotherProcessUsesIsLeftAlone) {
  open();
  write(numbered_entry(1, 1000));
  store_.reset();
  const std::string lock_file = options_.directory + "/LOCK";
  std::array<int, 2> ready{};
  std::array<int, 2> finish{};
  ASSERT_EQ(pipe(ready.data()), 0);
  ASSERT_EQ(pipe(finish.data()), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int file = ::open(lock_file.c_str(), O_RDWR);
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(file, F_SETLK, &whole) != 0) _exit(1);
    char byte = 'y';
    if (::write(ready[1], &byte, 1) != 1) _exit(2);
    if (::read(finish[0], &byte, 1) != 1) _exit(3);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto refused = DiskStore::open(options_, clock_, log_);
  EXPECT_FALSE(refused);
  EXPECT_TRUE(set_aside().empty());
  ASSERT_EQ(::write(finish[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  for (const int end : {ready[0], ready[1], finish[0], finish[1]}) close(end);
  open();
  expect_same(read(numbered_key(1)), numbered_entry(1, 1000));
}

TEST_F(DiskFailureTest, ADirectoryThatCannotBeMadeIsAClearError) {
  overwrite(root_.path() / "file", "in the way");
  options_.directory = (root_.path() / "file" / "cache").string();
  const auto refused = DiskStore::open(options_, clock_, log_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unreachable);
  EXPECT_NE(refused.error().detail.find(options_.directory), std::string::npos);
}

// How often RocksDB has ended a recovery, by itself or asked to.
class Recoveries final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo&) override {
    const std::lock_guard lock(mutex_);
    ++ended_;
    changed_.notify_all();
  }
  [[nodiscard]] int ended() {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  // False after far longer than it takes.
  [[nodiscard]] bool wait_for_another(int known) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return ended_ > known; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int ended_ = 0;
};

class FullDiskTest : public DiskFailureTest {
 protected:
  FullDiskTest() : disk_(std::make_shared<FullDisk>()), env_(rocksdb::NewCompositeEnv(disk_)) {
    options_.env = env_.get();
    options_.listener = recoveries_;
  }
  ~FullDiskTest() override {
    disk_->set_full(false);
    store_.reset();  // before what it stands on
  }

  // Our own attempts to resume are a second apart; RocksDB, which may be recovering by itself at
  // the same moment, refuses them until it says that it has ended.
  void write_until_it_works(const StoredResponsePtr& entry) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      const int ended = recoveries_->ended();
      clock_.advance(std::chrono::seconds(2));
      if (store_->write(*entry)) return;
      ASSERT_TRUE(recoveries_->wait_for_another(ended)) << "RocksDB never recovered";
    }
    FAIL() << "writes never resumed";
  }

  std::shared_ptr<FullDisk> disk_;
  std::shared_ptr<Recoveries> recoveries_ = std::make_shared<Recoveries>();
  std::unique_ptr<rocksdb::Env> env_;
};

TEST_F(FullDiskTest, WritesFailAndAreCountedReadsGoOn) {
  open();
  write(numbered_entry(1, 1000));
  disk_->set_full(true);
  for (std::uint64_t i = 2; i < 6; ++i) {
    const auto refused = store_->write(*numbered_entry(i, 2 * kPieceBytes));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unreachable);
  }
  EXPECT_GE(store_->stats().errors, 5U);
  EXPECT_GE(log_.count("disk tier failed"), 1U);
  EXPECT_LE(log_.count("disk tier failed"), 4U) << "each failure is counted, not each logged";
  expect_same(read(numbered_key(1)), numbered_entry(1, 1000));
  EXPECT_EQ(read(numbered_key(2)), nullptr);
}

TEST_F(FullDiskTest, WritesGoOnWhenThereIsSpaceAgain) {
  open();
  write(numbered_entry(1, 1000));
  disk_->set_full(true);
  ASSERT_FALSE(store_->write(*numbered_entry(2, 1000)));
  disk_->set_full(false);
  write_until_it_works(numbered_entry(3, 1000));
  EXPECT_EQ(log_.count("disk tier writes again"), 1U);
  expect_same(read(numbered_key(1)), numbered_entry(1, 1000));
  expect_same(read(numbered_key(3)), numbered_entry(3, 1000));
  options_.env = nullptr;
  open();
  expect_same(read(numbered_key(1)), numbered_entry(1, 1000));
  expect_same(read(numbered_key(3)), numbered_entry(3, 1000));
}

TEST_F(FullDiskTest, WhatWasInvalidatedStaysSoAlthoughTheDiskRefuses) {
  open();
  for (std::uint64_t i = 1; i < 4; ++i) write(numbered_entry(i, 1000));
  disk_->set_full(true);
  EXPECT_FALSE(store_->remove(numbered_key(1)));
  store_->owe_removal(numbered_key(2));
  for (const std::uint64_t gone : {1U, 2U}) {
    EXPECT_EQ(read(numbered_key(gone)), nullptr);
    EXPECT_TRUE(store_->certainly_absent(numbered_key(gone)));
  }
  expect_same(read(numbered_key(3)), numbered_entry(3, 1000));
  disk_->set_full(false);
  write_until_it_works(numbered_entry(4, 1000));
  write(numbered_entry(1, 500));
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted ? "after the restart" : "before the restart");
    if (restarted) open();
    expect_same(read(numbered_key(1)), numbered_entry(1, 500));
    EXPECT_EQ(read(numbered_key(2)), nullptr);
    expect_same(read(numbered_key(3)), numbered_entry(3, 1000));
  }
}

TEST_F(FullDiskTest, ADiskThatFillsUpBehindOurBackHurtsNobody) {
  options_.bytes_max = 16 * kMebibyte;
  open();
  // Full at some moment while flushes, compactions and evictions are under way.
  for (std::uint64_t i = 0; i < 120; ++i) {
    if (i == 70) disk_->set_full(true);
    const auto result = store_->write(*numbered_entry(i, kPieceBytes / 2));
    if (i < 70) {
      EXPECT_TRUE(result || result.error().code == ErrorCode::overloaded) << result.error().detail;
    } else if (i > 80) {
      EXPECT_FALSE(result);
    }
  }
  for (std::uint64_t i = 0; i < 120; ++i) {
    const auto found = store_->read(numbered_key(i));
    if (found && *found) expect_same(*found, numbered_entry(i, kPieceBytes / 2));
  }
  EXPECT_EQ(store_->stats().corrupt_entries, 0U);
}

// Again and again, at other moments of flushes, compactions and evictions each time.
TEST_F(FullDiskTest, ADiskThatIsFullNowAndThenCostsWritesButNothingElse) {
  constexpr std::size_t kBody = kPieceBytes / 4;
  options_.bytes_max = 16 * kMebibyte;
  open();
  std::mt19937_64 random(7);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i < 40 + random() % 10; ++i) {
      const std::uint64_t number = random() % 60;
      static_cast<void>(store_->write(*numbered_entry(number, kBody)));
      if (i == 36) disk_->set_full(true);
      const std::uint64_t asked = random() % 60;
      const auto found = store_->read(numbered_key(asked));
      if (found && *found) expect_same(*found, numbered_entry(asked, kBody));
    }
    disk_->set_full(false);
    write_until_it_works(numbered_entry(1, kBody));
  }
  EXPECT_EQ(store_->stats().corrupt_entries, 0U);
  open();
  EXPECT_TRUE(set_aside().empty()) << "a full disk damaged the database";
  expect_same(read(numbered_key(1)), numbered_entry(1, kBody));
}

}  // namespace
}  // namespace revcache::cache
