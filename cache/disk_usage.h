// How many bytes the disk tier uses, and who may add to them: writers ask here before each batch,
// and wait while the evictor is behind. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

namespace revcache::cache {

// Bytes that the file system has allocated to the files in `directory`, not its subdirectories:
// what `du` says. Files that vanish meanwhile count as nothing.
[[nodiscard]] std::uint64_t measure_directory(const std::string& directory);

class DiskUsage {
 public:
  // Past `soft_max` the evictor is called; past `hard_max` writers wait for it. A pass is also due
  // after each `step` bytes, since what they became on disk is only known by measuring.
  struct Limits {
    std::uint64_t soft_max = 0;
    std::uint64_t hard_max = 0;
    std::uint64_t step = 0;
  };
  explicit DiskUsage(const Limits& limits) : limits_(limits) {}

  // Adds `bytes` about to be written. Past hard_max waits for one pass of the evictor; false when
  // there is no room after it either, or at the end. Never called by the evictor.
  bool admit(std::uint64_t bytes);
  // The same for the evictor's own writes: never waits.
  void add(std::uint64_t bytes);

  [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
  [[nodiscard]] std::uint64_t bytes() const;

  // For the evictor. Waits until a pass is due; false: the end.
  bool begin_pass();
  // Measures `directory`; what is added meanwhile still counts on top.
  std::uint64_t measure(const std::string& directory);
  void end_pass();
  void request_pass();

  void stop();  // wakes everybody
  [[nodiscard]] bool stopping() const;

 private:
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable pass_due_;
  std::condition_variable pass_done_;
  // All under mutex_.
  std::uint64_t measured_ = 0;
  std::uint64_t added_ = 0;  // since the last measurement
  std::uint64_t passes_begun_ = 0;
  std::uint64_t passes_done_ = 0;
  bool due_ = false;
  bool stopping_ = false;
};

}  // namespace revcache::cache
