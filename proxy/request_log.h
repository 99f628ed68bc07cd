// Where finished requests are told to: the access log. An interface, so that the proxy can be run
// in simulation.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/ip_address.h"
#include "metrics/log_options.h"
#include "metrics/metrics.h"
#include "proxy/request_exchange.h"

namespace revcache::proxy {

struct FinishedRequest {
  const SocketAddress& client;
  const RequestRecord& record;
  std::uint16_t status = 0;
  std::uint64_t body_bytes = 0;
  std::chrono::nanoseconds duration{0};
};

// Loop thread only; never blocks on the disk.
class RequestLog {
 public:
  virtual ~RequestLog() = default;
  // False for what is not going to be written: its target need not be kept.
  [[nodiscard]] virtual bool wants(const RequestRecord& record) const noexcept = 0;
  virtual void record(const FinishedRequest& request) = 0;
  virtual void set_mode(metrics::AccessLogMode mode) noexcept = 0;  // after a reload
};

}  // namespace revcache::proxy
