#include "metrics/collector.h"

#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>

#include "metrics/families.h"
#include "metrics/loop_families.h"
#include "metrics/process_figures.h"

namespace revcache::metrics {
namespace {

using FamilyList = std::vector<prometheus::MetricFamily>;

#if defined(__clang__)
constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "gcc " __VERSION__;
#endif

void add_build_info(const BuildInfo& build, FamilyList& out) {
  Family info = gauge_family("revcache_build_info", "Always 1; the labels say what is running.");
  info.add({{"version", build.version}, {"revision", build.revision}, {"compiler", kCompiler}},
           1.0);
  std::move(info).move_to(out);
}

double seconds_of(WallTime time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000.0;
}

void add_reload(bool successful, std::optional<WallTime> when, FamilyList& out) {
  Family result = gauge_family("revcache_config_last_reload_successful",
                               "1 if the last load of the configuration was successful.");
  result.add({}, successful ? 1.0 : 0.0);
  std::move(result).move_to(out);
  Family time = gauge_family("revcache_config_last_reload_timestamp_seconds",
                             "Unix time of the last successful load of the configuration.");
  time.add({}, when ? seconds_of(*when) : 0.0);
  std::move(time).move_to(out);
}

void add_kinds(const std::array<CacheFigures::Kind, kObjectKinds>& figures, TierLabel tier,
               Family& entries, Family& bytes) {
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    const Labels labels{{"kind", to_string(static_cast<ObjectKind>(kind))},
                        {"tier", to_string(tier)}};
    entries.add(labels, figures[kind].entries);
    bytes.add(labels, figures[kind].bytes);
  }
}

void add_cache_sizes(const CacheFigures& figures, FamilyList& out) {
  Family entries = gauge_family("revcache_cache_entries", "Responses stored.");
  Family bytes = gauge_family("revcache_cache_bytes", "Bytes of the responses stored.");
  Family evictions =
      counter_family("revcache_cache_evictions_total", "Responses dropped to make room.");
  const auto evicted = [&evictions](TierLabel tier, std::string_view reason, std::uint64_t count) {
    evictions.add({{"tier", to_string(tier)}, {"reason", reason}}, count);
  };
  add_kinds(figures.memory, TierLabel::memory, entries, bytes);
  evicted(TierLabel::memory, "unused", figures.memory_evicted_unused);
  evicted(TierLabel::memory, "capacity", figures.memory_evicted_in_use);
  evicted(TierLabel::memory, "too_large", figures.memory_dropped_too_large);
  if (figures.disk) {
    add_kinds(figures.disk->by_kind, TierLabel::disk, entries, bytes);
    evicted(TierLabel::disk, "unused", figures.disk->evicted_unused);
    evicted(TierLabel::disk, "capacity", figures.disk->evicted_in_use);
  }
  std::move(entries).move_to(out);
  std::move(bytes).move_to(out);
  std::move(evictions).move_to(out);
}

void add_disk(const CacheFigures::Disk& disk, FamilyList& out) {
  const auto add = [&out](Family family, std::uint64_t value) {
    family.add({}, value);
    std::move(family).move_to(out);
  };
  add(gauge_family("revcache_disk_allocated_bytes",
                   "Bytes that the disk tier's files take, garbage included."),
      disk.allocated_bytes);
  add(counter_family("revcache_rocksdb_errors_total", "Failed reads and writes of the database."),
      disk.errors);
  add(counter_family("revcache_rocksdb_corrupt_entries_total",
                     "Entries whose checksum did not match; they count as absent."),
      disk.corrupt_entries);
  add(gauge_family("revcache_rocksdb_compaction_pending_bytes", "Bytes waiting for compaction."),
      disk.compaction_pending_bytes);
  add(gauge_family("revcache_rocksdb_memtable_bytes", "Memory of unflushed writes."),
      disk.memtable_bytes);
  add(gauge_family("revcache_rocksdb_block_cache_bytes", "Memory of cached blocks and blobs."),
      disk.block_cache_bytes);
  add(gauge_family("revcache_rocksdb_write_stalled", "1 while writes are held back."),
      disk.write_stalled ? 1 : 0);
}

void add_process(FamilyList& out) {
  const auto figures = read_process_figures();
  if (!figures) return;
  const auto add = [&out](Family family, double value) {
    family.add({}, value);
    std::move(family).move_to(out);
  };
  add(counter_family("process_cpu_seconds_total", "User and system CPU time spent."),
      figures->cpu_seconds);
  add(gauge_family("process_resident_memory_bytes", "Resident memory."),
      static_cast<double>(figures->resident_bytes));
  add(gauge_family("process_virtual_memory_bytes", "Virtual memory."),
      static_cast<double>(figures->virtual_bytes));
  add(gauge_family("process_open_fds", "Open file descriptors."),
      static_cast<double>(figures->open_fds));
  add(gauge_family("process_max_fds", "Limit of open file descriptors."),
      static_cast<double>(figures->max_fds));
  add(gauge_family("process_start_time_seconds", "Unix time of the start of the process."),
      figures->start_time_seconds);
}

}  // namespace

MetricsCollector::MetricsCollector(BuildInfo build) : build_(std::move(build)) {}

void MetricsCollector::add_loop(const LoopMetrics* loop) {
  state_.with([loop](State& state) { state.loops.push_back(loop); });
}

void MetricsCollector::add_loop_lag(std::string loop, const LoopLagHistogram* lag) {
  state_.with([&](State& state) { state.lags.push_back({std::move(loop), lag}); });
}

void MetricsCollector::set_upstream_labels(std::vector<std::string> labels) {
  state_.with([&labels](State& state) { state.upstream_labels = std::move(labels); });
}

void MetricsCollector::set_responder_labels(ResponderLabels labels) {
  state_.with([&labels](State& state) { state.responder_labels = std::move(labels); });
}

void MetricsCollector::set_cache_source(std::function<CacheFigures()> source) {
  state_.with([&source](State& state) { state.cache_source = std::move(source); });
}

void MetricsCollector::add_source(std::function<FamilyList()> source) {
  state_.with([&source](State& state) { state.sources.push_back(std::move(source)); });
}

void MetricsCollector::set_last_reload(bool successful, WallTime when) {
  state_.with([successful, when](State& state) {
    state.reload_successful = successful;
    if (successful) state.reloaded_at = when;
  });
}

FamilyList MetricsCollector::Collect() const {
  // A copy: sources take their time and may take locks of their own.
  const State state = state_.with([](const State& current) { return current; });
  FamilyList out;
  add_loop_families(state.loops, state.upstream_labels, out);
  add_responder_families(state.loops, state.responder_labels, out);
  add_loop_lags(state.lags, out);
  if (state.cache_source) {
    const CacheFigures figures = state.cache_source();
    add_cache_sizes(figures, out);
    if (figures.disk) add_disk(*figures.disk, out);
  }
  for (const auto& source : state.sources) {
    for (auto& family : source()) out.push_back(std::move(family));
  }
  add_reload(state.reload_successful, state.reloaded_at, out);
  add_build_info(build_, out);
  add_process(out);
  return out;
}

LatencyTotals MetricsCollector::latency_totals() const {
  const auto loops = state_.with([](const State& current) { return current.loops; });
  LatencyTotals totals;
  for (const LoopMetrics* loop : loops) totals.add(*loop);
  return totals;
}

std::string to_text(const FamilyList& families) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace revcache::metrics
