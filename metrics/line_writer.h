// Lines to a file or to standard error, written by a thread of their own through a spdlog sink: a
// loop never waits for the disk.
#pragma once

#include <spdlog/sinks/sink.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"

namespace revcache::metrics {

inline constexpr std::size_t kWaitingLinesMax = 8192;
inline constexpr std::size_t kWaitingBytesMax = 4U << 20U;
// After it has written the thread lets lines gather for so long: to wake it for each one would cost
// a loop more than the line does. The first line after a silence is written at once.
inline constexpr std::chrono::milliseconds kGatherTime{5};

class LineWriter {
 public:
  // Appends to `file`, or writes to standard error when the
  // name is empty. Fails with unreachable, blame local.
  static Result<std::unique_ptr<LineWriter>> open(const std::string& file);
  // For tests: any sink, and how long lines are gathered.
  explicit LineWriter(std::shared_ptr<spdlog::sinks::sink> sink,
                      std::chrono::milliseconds gather_time = kGatherTime);

  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter();  // writes what waits, then ends

  // Takes one line with its line end. False, and the line is dropped, when too much is waiting. Any
  // thread; the lock is held to append a string.
  bool push(std::string_view line);

  // Opens `file` anew, for log rotation or another name; lines pushed before go to the old file.
  // When that fails the old one stays in use. Blocking; any thread.
  Result<void> reopen(const std::string& file);

  // Returns once everything pushed before is written. Blocking; any thread.
  void flush();

  // Lines that the sink did not take, as when the disk is full. Any thread.
  [[nodiscard]] std::uint64_t lines_failed() const noexcept {
    return lines_failed_.load(std::memory_order_relaxed);
  }

 private:
  void run();
  // False when the sink failed.
  static bool write(spdlog::sinks::sink& sink, const std::string& text);

  const std::chrono::milliseconds gather_time_;
  std::mutex mutex_;
  std::condition_variable arrived_;  // only the thread waits for it
  std::condition_variable written_;
  std::string waiting_;
  std::uint64_t lines_pushed_ = 0;  // since the start
  std::uint64_t lines_taken_ = 0;   // from waiting_, by the thread
  std::uint64_t lines_done_ = 0;    // written or failed
  std::atomic<std::uint64_t> lines_failed_{0};
  std::uint64_t lines_urgent_ = 0;  // somebody waits until so many are done
  bool asleep_ = false;             // the thread, until the next line
  bool ending_ = false;
  std::shared_ptr<spdlog::sinks::sink> sink_;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace revcache::metrics
