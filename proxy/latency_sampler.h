// Feeds metrics::LatencyWindows from the main loop's timer.
#pragma once

#include <memory>

#include "base/clock.h"
#include "metrics/collector.h"
#include "metrics/latency_window.h"
#include "net/timers.h"

namespace revcache::proxy {

// Made and destroyed on the loop of `timers`; what it is given must outlive it.
class LatencySampler {
 public:
  // Takes the first sample at once: what was counted before it is in no window.
  LatencySampler(net::Timers& timers, const metrics::MetricsCollector& collector,
                 const Clock& clock);

  // Any thread.
  [[nodiscard]] metrics::LatencyReport windows() const { return windows_.windows(); }

 private:
  void sample();

  net::Timers& timers_;
  const metrics::MetricsCollector& collector_;
  metrics::LatencyWindows windows_;
  std::unique_ptr<net::Timer> timer_;
};

}  // namespace revcache::proxy
