#include "cache/disk_usage.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

namespace revcache::cache {

std::uint64_t measure_directory(const std::string& directory) {
  constexpr std::uint64_t kStatBlockBytes = 512;  // POSIX leaves it open; Linux does not
  std::uint64_t total = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    struct stat file{};
    if (lstat(at->path().c_str(), &file) != 0 || !S_ISREG(file.st_mode)) continue;
    total += static_cast<std::uint64_t>(file.st_blocks) * kStatBlockBytes;
  }
  return total;
}

bool DiskUsage::admit(std::uint64_t bytes) {
  std::unique_lock lock(mutex_);
  added_ += bytes;
  const bool over = measured_ + added_ > limits_.soft_max;
  if (over || added_ >= limits_.step) {
    due_ = true;
    pass_due_.notify_one();
  }
  if (measured_ + added_ <= limits_.hard_max) return !stopping_;
  // A pass that has begun already may have looked before the last writes.
  const std::uint64_t awaited = passes_begun_ + 1;
  pass_done_.wait(lock, [&] { return stopping_ || passes_done_ >= awaited; });
  return !stopping_ && measured_ + added_ <= limits_.hard_max;
}

void DiskUsage::add(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  added_ += bytes;
}

std::uint64_t DiskUsage::bytes() const {
  const std::lock_guard lock(mutex_);
  return measured_ + added_;
}

bool DiskUsage::begin_pass() {
  std::unique_lock lock(mutex_);
  pass_due_.wait(lock, [&] { return due_ || stopping_; });
  due_ = false;
  ++passes_begun_;
  return !stopping_;
}

std::uint64_t DiskUsage::measure(const std::string& directory) {
  std::unique_lock lock(mutex_);
  const std::uint64_t covered = added_;
  lock.unlock();
  const std::uint64_t bytes = measure_directory(directory);
  lock.lock();
  measured_ = bytes;
  added_ -= covered;
  return bytes;
}

void DiskUsage::end_pass() {
  const std::lock_guard lock(mutex_);
  passes_done_ = passes_begun_;
  pass_done_.notify_all();
}

void DiskUsage::request_pass() {
  const std::lock_guard lock(mutex_);
  due_ = true;
  pass_due_.notify_one();
}

void DiskUsage::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  pass_due_.notify_all();
  pass_done_.notify_all();
}

bool DiskUsage::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace revcache::cache
