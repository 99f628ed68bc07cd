// What the judgement of bodies counts. Thread-safe: bodies are judged on pool threads.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <vector>

#include "base/object_kind.h"
#include "metrics/counter.h"
#include "pki/refusal.h"

namespace revcache::revocation {

struct EvidenceCounters {
  std::array<std::array<metrics::SharedCounter, pki::kRefusals>, kObjectKinds> refused;
  std::array<metrics::SharedCounter, kObjectKinds> verified;
  std::array<metrics::SharedCounter, kObjectKinds> unverified;
  metrics::SharedCounter revocations_added;
  metrics::SharedCounter revocations_lifted;
  metrics::SharedCounter revocations_disappeared;  // left the CRL early: stay revoked here
  metrics::SharedLatencyHistogram crl_parse_duration;
  metrics::SharedCounter over_bytes_max;  // verified, but too much to keep as evidence
  metrics::SharedCounter issuers_over_max;
  metrics::SharedCounter urls_over_max;

  // revcache_evidence_* and what of revcache_crl_* is counted; label `kind`, and `reason` of a
  // refusal.
  [[nodiscard]] std::vector<prometheus::MetricFamily> families() const;
};

}  // namespace revcache::revocation
