// The families that are sums over the loops' counters, and those that tell of each loop.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/metrics.h"

namespace revcache::metrics {

// Appends to `out`. Which untouched series are left out: see MetricsCollector.
void add_loop_families(const std::vector<const LoopMetrics*>& loops,
                       const std::vector<std::string>& upstream_labels,
                       std::vector<prometheus::MetricFamily>& out);

// What the indices of the responder's counters mean.
struct ResponderLabels {
  struct Authority {
    std::string name;
    std::string signer;
  };
  struct Rule {
    std::string_view name;             // "crl_absent"
    std::string_view decision;         // "good"
    std::string_view response_status;  // RFC 6960 4.2.1: "successful"
    std::string_view cert_status;      // "good"; "none" of an error status
  };
  std::vector<Authority> authorities;  // by their label; past the list: "other"
  std::array<Rule, kAnswerRules> rules{};
};

// The responder's families. Of authorities and rules, those that were counted, and crl_absent of
// each configured authority; of its responses tryLater, too.
void add_responder_families(const std::vector<const LoopMetrics*>& loops,
                            const ResponderLabels& labels,
                            std::vector<prometheus::MetricFamily>& out);

// What one loop recorded of its rounds; the name is the label `loop`.
struct NamedLoopLag {
  std::string loop;
  const LoopLagHistogram* lag = nullptr;
};

void add_loop_lags(const std::vector<NamedLoopLag>& lags,
                   std::vector<prometheus::MetricFamily>& out);

}  // namespace revcache::metrics
