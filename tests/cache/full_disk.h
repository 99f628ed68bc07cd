// A file system whose disk can be full: from then on nothing is appended to any file, until there
// is space again. Everything else is the machine's own.
#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace revcache::cache::testing {

class FullDiskFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FullDiskFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, const std::atomic<bool>& full)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(file)), full_(full) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    if (full_.load()) return rocksdb::IOStatus::NoSpace("simulated");
    return rocksdb::FSWritableFileOwnerWrapper::Append(data, options, context);
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           const rocksdb::DataVerificationInfo& verification,
                           rocksdb::IODebugContext* context) override {
    if (full_.load()) return rocksdb::IOStatus::NoSpace("simulated");
    return rocksdb::FSWritableFileOwnerWrapper::Append(data, options, verification, context);
  }

 private:
  const std::atomic<bool>& full_;
};

class FullDisk final : public rocksdb::FileSystemWrapper {
 public:
  FullDisk() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  [[nodiscard]] const char* Name() const override { return "FullDisk"; }

  void set_full(bool full) { full_.store(full); }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus status =
        rocksdb::FileSystemWrapper::NewWritableFile(name, options, &file, context);
    if (status.ok()) *result = std::make_unique<FullDiskFile>(std::move(file), full_);
    return status;
  }

 private:
  std::atomic<bool> full_{false};
};

}  // namespace revcache::cache::testing
