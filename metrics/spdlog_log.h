// The log of a running server: one JSON or logfmt line per event, through spdlog.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "metrics/flood_guard.h"
#include "metrics/line_writer.h"
#include "metrics/log.h"
#include "metrics/log_options.h"

namespace revcache::metrics {

// Thread-safe. Lines go into a bounded queue (LineWriter); when that is full they are dropped and
// counted, and the count is logged once there is room. Equal events of more than
// kEqualEventsPerSecondMax a second are counted instead ("events suppressed").
class SpdlogLog final : public Log {
 public:
  // `clock` must outlive the log.
  SpdlogLog(std::unique_ptr<LineWriter> writer, const LogOptions& options, const Clock& clock);
  SpdlogLog(const SpdlogLog&) = delete;
  SpdlogLog& operator=(const SpdlogLog&) = delete;
  ~SpdlogLog() override;  // reports what is still suppressed, writes what waits

  void write(LogLevel level, std::string_view event,
             std::initializer_list<LogField> fields) override;
  void record(std::string_view event, std::initializer_list<LogField> fields) override;

  // For log rotation (SIGHUP), and for changed options after a reload: format and level change at
  // once. When the file cannot be opened the old one stays in use. Blocking.
  Result<void> apply(const LogOptions& options);
  // Opens the file of the last options anew.
  Result<void> reopen();

  // Everything written before is with the kernel. Blocking.
  void flush() { writer_->flush(); }

  [[nodiscard]] LogFormat format() const noexcept {
    return format_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] LineWriter& writer() noexcept { return *writer_; }
  // Lines lost so far: queue full, or not written. Any thread.
  [[nodiscard]] std::uint64_t lines_dropped() const noexcept {
    return lines_dropped_.load(std::memory_order_relaxed) + writer_->lines_failed();
  }

 private:
  void push(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);
  void report(const std::vector<FloodGuard::Suppressed>& suppressed);

  std::unique_ptr<LineWriter> writer_;
  const Clock& clock_;
  std::atomic<LogFormat> format_;
  std::atomic<LogLevel> level_;
  std::atomic<std::uint64_t> lines_dropped_{0};
  std::atomic<std::uint64_t> lines_dropped_unreported_{0};
  Guarded<std::string> file_;
  Guarded<FloodGuard> guard_;
};

// Opens the file, or standard error; fails when it cannot be opened.
Result<std::unique_ptr<SpdlogLog>> make_log(const LogOptions& options, const Clock& clock);

}  // namespace revcache::metrics
