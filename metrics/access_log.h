// The access log: one line per request, in the form of the event log.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/object_kind.h"
#include "metrics/log_options.h"
#include "metrics/metrics.h"
#include "metrics/spdlog_log.h"

namespace revcache::metrics {

// One request, when its answer has been sent. Views need to live for the call only.
struct AccessRecord {
  WallTime time;  // when the answer was complete
  SocketAddress client;
  std::string_view method;  // as received
  std::string_view url;     // normalised, or the target as received when it could not be read
  std::uint16_t status = 0;
  std::uint64_t bytes = 0;  // sent, head included
  std::chrono::nanoseconds duration{0};
  ObjectKind kind = ObjectKind::other;
  RequestResult result = RequestResult::miss;
  std::string_view cache_status;   // value of Cache-Status, as sent; may be empty
  std::string_view upstream_host;  // may be empty
  std::string_view error;          // detail of a failure; may be empty
};

// Of one loop; its thread only.
class AccessLog {
 public:
  // `log` and `metrics` must outlive it.
  AccessLog(SpdlogLog& log, AccessLogMode mode, LoopMetrics& metrics) noexcept
      : log_(log), metrics_(metrics), mode_(mode) {}

  void set_mode(AccessLogMode mode) noexcept { mode_ = mode; }

  // Whether write() would write: one comparison. A memory hit is an answer that waited for nothing.
  [[nodiscard]] bool wants(bool memory_hit) const noexcept {
    return mode_ > (memory_hit ? AccessLogMode::misses : AccessLogMode::off);
  }

  // Call when wants(). Never waits; a line that finds the queue full is dropped and counted.
  void write(const AccessRecord& record);

 private:
  SpdlogLog& log_;
  LoopMetrics& metrics_;
  AccessLogMode mode_;
};

}  // namespace revcache::metrics
