// The access log of one loop, written through metrics/access_log.
#pragma once

#include "base/clock.h"
#include "metrics/access_log.h"
#include "proxy/request_log.h"

namespace revcache::proxy {

// Loop thread only. `log`, `metrics` and `clock` outlive it.
class RequestLogLines final : public RequestLog {
 public:
  RequestLogLines(metrics::SpdlogLog& log, metrics::AccessLogMode mode,
                  metrics::LoopMetrics& metrics, const Clock& clock)
      : log_(log, mode, metrics), clock_(clock) {}

  [[nodiscard]] bool wants(const RequestRecord& record) const noexcept override {
    return log_.wants(record.ready || record.result == metrics::RequestResult::hit);
  }
  void set_mode(metrics::AccessLogMode mode) noexcept override { log_.set_mode(mode); }
  void record(const FinishedRequest& request) override;

 private:
  metrics::AccessLog log_;
  const Clock& clock_;
};

}  // namespace revcache::proxy
