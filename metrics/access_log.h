// The access log: one line per request, in the form of the event log.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/object_kind.h"
#include "metrics/flood_guard.h"
#include "metrics/log_line.h"
#include "metrics/log_options.h"
#include "metrics/metrics.h"
#include "metrics/spdlog_log.h"

namespace revcache::metrics {

// One request, when its answer has been sent. Views need to live for the call only.
struct AccessRecord {
  WallTime time;      // when the answer was complete
  MonotonicTime now;  // the same
  SocketAddress client;
  std::string_view method;  // as received
  std::string_view url;     // normalised, or the target as received when it could not be read
  std::uint16_t status = 0;
  std::uint64_t bytes = 0;  // sent, head included
  std::chrono::nanoseconds duration{0};
  ObjectKind kind = ObjectKind::other;
  RequestResult result = RequestResult::miss;
  std::string_view cache_status;  // value of Cache-Status, as sent; may be empty
  std::string_view error;         // detail of a failure; may be empty
};

// Refusals and errors of a loop that get a line within a second; what is beyond is counted, by
// result, and the count is written with the next request ("requests suppressed"). Other results are
// what log.access asked for, and bounded by the queue alone.
inline constexpr std::uint32_t kFailedRequestsPerSecondMax = 100;

// Of one loop; its thread only.
class AccessLog {
 public:
  // `log` and `metrics` must outlive it.
  AccessLog(SpdlogLog& log, AccessLogMode mode, LoopMetrics& metrics) noexcept
      : log_(log), metrics_(metrics), mode_(mode) {}
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;
  ~AccessLog();  // writes what is still only counted

  void set_mode(AccessLogMode mode) noexcept { mode_ = mode; }

  // Whether write() would write: one comparison. A memory hit is an answer that waited for nothing.
  [[nodiscard]] bool wants(bool memory_hit) const noexcept {
    return mode_ > (memory_hit ? AccessLogMode::misses : AccessLogMode::off);
  }

  // Call when wants(). Never waits; a line that finds the queue full is dropped and counted.
  void write(const AccessRecord& record);

 private:
  [[nodiscard]] bool is_sampled_out(const AccessRecord& record);
  void report(const std::vector<FloodGuard::Suppressed>& suppressed, WallTime time);
  void push(LogLine line);

  SpdlogLog& log_;
  LoopMetrics& metrics_;
  AccessLogMode mode_;
  FloodGuard guard_{kFailedRequestsPerSecondMax};
  WallTime last_;  // of the last record
};

}  // namespace revcache::metrics
