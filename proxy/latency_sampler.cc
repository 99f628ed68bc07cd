#include "proxy/latency_sampler.h"

namespace revcache::proxy {

LatencySampler::LatencySampler(net::Timers& timers, const metrics::MetricsCollector& collector,
                               const Clock& clock)
    : timers_(timers), collector_(collector), windows_(clock) {
  sample();
}

void LatencySampler::sample() {
  timer_ = timers_.after(metrics::kLatencySampleInterval, [this] { sample(); });
  windows_.record(collector_.latency_totals());
}

}  // namespace revcache::proxy
