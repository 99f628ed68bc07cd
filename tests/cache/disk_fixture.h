// A disk store in a directory of its own, which is deleted in the end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cache/disk_tier.h"
#include "metrics/log.h"
#include "tests/cache/tier_entries.h"

namespace revcache::cache::testing {

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "revcache-test-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

// Stands still until it is advanced. Any thread.
class SteppedClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override {
    return WallTime(std::chrono::milliseconds(1768478400000)) + elapsed();
  }
  [[nodiscard]] MonotonicTime monotonic() const override { return MonotonicTime(elapsed()); }
  void advance(std::chrono::milliseconds by) { elapsed_ms_.fetch_add(by.count()); }

 private:
  [[nodiscard]] std::chrono::milliseconds elapsed() const {
    return std::chrono::milliseconds(elapsed_ms_.load());
  }
  std::atomic<std::int64_t> elapsed_ms_{0};
};

// Keeps the events, without their fields. Any thread.
class RecordingLog final : public metrics::Log {
 public:
  void write(metrics::LogLevel, std::string_view event,
             std::initializer_list<metrics::LogField>) override {
    const std::lock_guard lock(mutex_);
    events_.emplace_back(event);
  }
  [[nodiscard]] std::size_t count(std::string_view event) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(events_.begin(), events_.end(), event));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

class DiskStoreTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kMebibyte = 1ULL << 20U;

  DiskStoreTest() { options_.directory = (root_.path() / "cache").string(); }

  void open() {
    store_.reset();
    auto opened = DiskStore::open(options_, clock_, log_);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

  // nullptr when absent, or when reading fails.
  StoredResponsePtr read(const std::string& key) {
    auto found = store_->read(key);
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : nullptr;
  }

  void write(const StoredResponsePtr& entry) {
    const auto written = store_->write(*entry);
    ASSERT_TRUE(written) << written.error().detail;
  }

  // Files of the database whose names end so, in the order of their numbers.
  [[nodiscard]] std::vector<std::filesystem::path> files(std::string_view extension) const {
    std::vector<std::filesystem::path> found;
    for (const auto& file : std::filesystem::directory_iterator(options_.directory)) {
      if (file.path().extension() == extension) found.push_back(file.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  TempDirectory root_;
  DiskStore::Options options_;
  SteppedClock clock_;
  RecordingLog log_;
  std::shared_ptr<DiskStore> store_;
};

inline std::string contents_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(out).str();
}

inline void overwrite(const std::filesystem::path& path, std::string_view contents) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << contents;
}

// Everything that a client could tell apart.
inline void expect_same(const StoredResponsePtr& found, const StoredResponsePtr& expected) {
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->key, expected->key);
  EXPECT_EQ(found->kind, expected->kind);
  EXPECT_EQ(found->trust, expected->trust);
  EXPECT_EQ(found->status, expected->status);
  EXPECT_EQ(found->etag, expected->etag);
  EXPECT_EQ(found->rendered_head, expected->rendered_head);
  EXPECT_EQ(found->freshness.lifetime, expected->freshness.lifetime);
  EXPECT_EQ(found->freshness.response_time, expected->freshness.response_time);
  EXPECT_EQ(found->body_bytes, expected->body_bytes);
  if (!found->on_disk) {
    EXPECT_TRUE(found->body.text() == expected->body.text());
  }
}

}  // namespace revcache::cache::testing
