// A disk that refuses at the moments at which RocksDB, as it is packaged, would abort the process.
#include "cache/rocks_refusals.h"

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/cache/disk_fixture.h"
#include "tests/cache/full_disk.h"

namespace revcache::cache {
namespace {

using testing::FullDisk;
using testing::TempDirectory;

constexpr const char* kLast = "z";  // behind every key

class RocksRefusalsTest : public ::testing::Test {
 protected:
  RocksRefusalsTest() : disk_(std::make_shared<FullDisk>()), env_(rocksdb::NewCompositeEnv(disk_)) {
    rocksdb::Options options;
    options.env = env_.get();
    options.create_if_missing = true;
    options.disable_auto_compactions = true;
    rocksdb::DB* opened = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, directory_.path() / "db", &opened).ok());
    rocks_.reset(opened);
  }
  ~RocksRefusalsTest() override {
    disk_->set_full(false);
    rocks_.reset();  // before what it stands on
  }

  rocksdb::ColumnFamilyHandle* family() { return rocks_->DefaultColumnFamily(); }

  rocksdb::Status write(const std::string& key) {
    leave_something_to_flush(*rocks_, family(), "format", "1");
    return rocks_->Put(rocksdb::WriteOptions(), family(), key, std::string(1000, 'x'));
  }

  // RocksDB, which may be recovering by itself, refuses as long as it does.
  void resume() {
    disk_->set_full(false);
    rocksdb::Status status = rocks_->Resume();
    for (int round = 0; !status.ok() && round < 600; ++round) {
      env_->SleepForMicroseconds(100'000);
      status = rocks_->Resume();
    }
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  // Tables in the bottom level, which can be removed as they are.
  void fill() {
    for (int table = 0; table < 2; ++table) {
      for (int i = 10; i < 99; ++i) ASSERT_TRUE(write(std::to_string(i)).ok());
      ASSERT_TRUE(rocks_->Flush(rocksdb::FlushOptions()).ok());
    }
    ASSERT_TRUE(rocks_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr).ok());
  }

  bool has(const std::string& key) {
    std::string value;
    return rocks_->Get(rocksdb::ReadOptions(), key, &value).ok();
  }

  std::size_t tables() const {
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory_.path() / "db")) {
      if (file.path().extension() == ".sst") ++count;
    }
    return count;
  }

  TempDirectory directory_;
  std::shared_ptr<FullDisk> disk_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> rocks_;
};

TEST_F(RocksRefusalsTest, WritesGoOnAfterARefusalWithNothingElseToFlush) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(rocks_->Flush(rocksdb::FlushOptions()).ok());
    disk_->set_full(true);
    ASSERT_FALSE(write("refused").ok());
    resume();
    ASSERT_TRUE(write(std::to_string(round)).ok());
  }
  EXPECT_TRUE(has("0") && has("2"));
  EXPECT_FALSE(has("refused"));
}

TEST_F(RocksRefusalsTest, ResumesAlthoughFilesCouldNotBeRemoved) {
  FileRemoval removal;
  fill();
  disk_->set_full(true);
  ASSERT_FALSE(removal.remove_up_to(*rocks_, family(), kLast).ok());
  ASSERT_FALSE(write("refused").ok());
  resume();
  ASSERT_TRUE(write("written").ok());
  EXPECT_TRUE(has("42"));
}

TEST_F(RocksRefusalsTest, FilesAreDeletedAgainAfterRefusals) {
  FileRemoval removal;
  fill();
  disk_->set_full(true);
  ASSERT_FALSE(removal.remove_up_to(*rocks_, family(), kLast).ok());
  ASSERT_FALSE(removal.remove_up_to(*rocks_, family(), kLast).ok());
  disk_->set_full(false);
  ASSERT_TRUE(removal.remove_up_to(*rocks_, family(), kLast).ok());
  EXPECT_FALSE(has("42"));
  EXPECT_EQ(tables(), 0U);
  fill();
  ASSERT_TRUE(removal.remove_up_to(*rocks_, family(), kLast).ok());
  EXPECT_EQ(tables(), 0U);
}

}  // namespace
}  // namespace revcache::cache
