// Adds up what the loops have counted when Prometheus asks: all metrics of metrics/metrics.h, and
// sources.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "metrics/latency_window.h"
#include "metrics/loop_families.h"
#include "metrics/metrics.h"

namespace revcache::metrics {

struct BuildInfo {
  std::string version;
  std::string revision;  // of the source; may be empty
};

// The state of the tiers at the time of a scrape.
struct CacheFigures {
  struct Kind {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
  };
  struct Disk {
    std::array<Kind, kObjectKinds> by_kind;
    std::uint64_t allocated_bytes = 0;  // on the disk, garbage included
    std::uint64_t evicted_unused = 0;
    std::uint64_t evicted_in_use = 0;
    std::uint64_t errors = 0;
    std::uint64_t corrupt_entries = 0;
    std::uint64_t compaction_pending_bytes = 0;
    std::uint64_t memtable_bytes = 0;
    std::uint64_t block_cache_bytes = 0;
    bool write_stalled = false;
  };
  std::array<Kind, kObjectKinds> memory;
  std::uint64_t memory_evicted_unused = 0;
  std::uint64_t memory_evicted_in_use = 0;
  std::uint64_t memory_dropped_too_large = 0;
  std::optional<Disk> disk;
};

// Thread-safe: the loops go on counting while Collect() reads, and no lock of theirs is taken.
// Collect() allocates thousands of small objects: call it off-loop.
//
// Series that were never touched are left out of the large products of labels (requests_total,
// request_duration_seconds, http_responses_total, cache_lookups_total, upstream_requests_total,
// upstream_request_duration_seconds, collapse_wait_seconds), but for a core that is always there,
// so that rates and alerts start from 0: GET requests of each kind (and POST of OCSP) with result
// hit, miss and error; look-ups of each kind in memory and on disk with outcome hit and miss;
// status codes 200, 304, 403, 502, 503 and 504; for each upstream the outcomes ok, timed_out and
// unreachable. All other families are complete.
class MetricsCollector final : public prometheus::Collectable {
 public:
  explicit MetricsCollector(BuildInfo build);

  // `loop` must outlive the collector.
  void add_loop(const LoopMetrics* loop);
  // A series of revcache_event_loop_lag_seconds. `lag` must outlive the collector.
  void add_loop_lag(std::string loop, const LoopLagHistogram* lag);
  // Names of the indices of LoopMetrics::upstream_requests, after each reload. Indices beyond the
  // list are "other".
  void set_upstream_labels(std::vector<std::string> labels);
  // After each reload.
  void set_responder_labels(ResponderLabels labels);
  // Asked on the scraping thread at each scrape: must be thread-safe and outlive the collector.
  void set_cache_source(std::function<CacheFigures()> source);
  // Families of other parts, asked for in the same way.
  void add_source(std::function<std::vector<prometheus::MetricFamily>()> source);
  // After the first load and after each reload of the configuration.
  void set_last_reload(bool successful, WallTime when);

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
  // What all loops have counted of requests' durations. Cheap enough for the main loop: some
  // thousand loads a loop, no allocation but for the list of loops.
  [[nodiscard]] LatencyTotals latency_totals() const;

 private:
  struct State {
    std::vector<const LoopMetrics*> loops;
    std::vector<NamedLoopLag> lags;
    std::vector<std::string> upstream_labels;
    ResponderLabels responder_labels;
    std::function<CacheFigures()> cache_source;
    std::vector<std::function<std::vector<prometheus::MetricFamily>()>> sources;
    bool reload_successful = false;
    std::optional<WallTime> reloaded_at;  // of the last successful one
  };

  BuildInfo build_;
  Guarded<State> state_;
};

// The text format 0.0.4.
std::string to_text(const std::vector<prometheus::MetricFamily>& families);
inline constexpr std::string_view kTextFormatContentType =
    "text/plain; version=0.0.4; charset=utf-8";

}  // namespace revcache::metrics
