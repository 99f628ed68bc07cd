// Gathers the facts of the status report from the running parts, and has them judged.
#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <string>
#include <vector>

#include "admin/status.h"
#include "base/clock.h"
#include "config/config.h"
#include "metrics/latency_window.h"
#include "proxy/revocation_parts.h"
#include "revocation/responder_table.h"

namespace revcache::proxy {

// All outlive whoever asks; the functions may be called on any thread but a serving loop's.
struct StatusSources {
  const RevocationParts& revocation;
  const revocation::SignerWatch& signers;
  const Clock& clock;
  WallTime started_at;
  std::function<std::vector<prometheus::MetricFamily>()> metrics;
  std::function<metrics::LatencyReport()> latency;
  // See admin::AdminSources::not_ready.
  std::function<std::vector<std::string>(const config::Config&)> waiting_for;
};

// Any thread but a serving loop's: walks all CRLs, URLs and counters, and may wait a moment for
// what waiting_for() waits for. Takes no lock of a loop.
admin::StatusReport status_report(const StatusSources& sources, const config::Config& config);

// The part of it that is about evidence: pure but for files of authorities' certificates, which are
// read where the state could not be.
void add_evidence(const revocation::Snapshot& known, const RefreshFigures::UrlStates& urls,
                  const config::Config& config, admin::StatusReport& report);

// Signers of the authorities that are there already.
void add_signers(const revocation::ResponderTable& table,
                 const std::vector<revocation::SignerWatch::SignerStatus>& signers,
                 const config::Config& config, admin::StatusReport& report);

}  // namespace revcache::proxy
