// The responder as metrics see it.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "config/config.h"
#include "metrics/loop_families.h"
#include "revocation/responder_table.h"

namespace revcache::proxy {

// Authorities that have a signer, by the label that SigningAuthority has, and what each rule means.
metrics::ResponderLabels responder_labels(const revocation::ResponderTable& table);

// revcache_signer_not_after_timestamp_seconds and revcache_signer_usable.
std::vector<prometheus::MetricFamily> signer_families(const revocation::SignerWatch& signers);

}  // namespace revcache::proxy
