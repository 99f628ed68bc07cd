#include <nlohmann/json.hpp>

#include <cstdio>

#include "bench/generator/report.h"

namespace revcache::bench {
namespace {

using Json = nlohmann::ordered_json;

double microseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e3;
}
double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

Json latency_json(const Histogram& histogram) {
  Json percentiles = Json::object();
  for (const Percentile& percentile : kPercentiles) {
    percentiles[percentile.name] = microseconds(histogram.quantile(percentile.fraction));
  }
  return {{"count", histogram.count()},
          {"min", microseconds(histogram.min())},
          {"mean", microseconds(histogram.mean())},
          {"max", microseconds(histogram.max())},
          {"percentiles", percentiles}};
}

template <std::size_t Size>
Json counts_json(const std::array<std::uint64_t, Size>& all,
                 const std::array<std::string_view, Size>& names) {
  Json counts = Json::object();
  for (std::size_t at = 0; at < Size; ++at) counts[std::string(names[at])] = all[at];
  return counts;
}

Json series_json(const LoadResult& load, std::chrono::nanoseconds slot) {
  Json series = Json::array();
  for (std::size_t at = 0; at < load.slots.size(); ++at) {
    const Slot& one = load.slots[at];
    series.push_back({{"at_seconds", seconds(slot * static_cast<std::int64_t>(at))},
                      {"due", one.due},
                      {"right", one.right},
                      {"failed", one.failed},
                      {"waited", one.waited},
                      {"p50_us", microseconds(one.latency.quantile(0.5))},
                      {"p99_us", microseconds(one.latency.quantile(0.99))},
                      {"max_us", microseconds(one.latency.max())}});
  }
  return series;
}

Json load_json(const LoadResult& load, std::chrono::nanoseconds slot) {
  Json statuses = Json::object();
  for (std::size_t status = 0; status < kStatuses; ++status) {
    if (load.statuses[status] != 0) statuses[std::to_string(status)] = load.statuses[status];
  }
  return {{"name", load.name},
          {"arrivals", load.arrivals},
          {"failed", failed_of(load)},
          {"requests", load.requests},
          {"waited_for_upstream", load.waited},
          {"from_client_cache", load.from_client_cache},
          {"retries", load.retries},
          {"connections", load.connections},
          {"body_bytes", load.body_bytes},
          {"latency_us", latency_json(load.latency)},
          {"service_us", latency_json(load.service)},
          {"outcomes", counts_json(load.outcomes, kOutcomeNames)},
          {"cache", counts_json(load.cache, kCacheResultNames)},
          {"status", statuses},
          {"series", series_json(load, slot)}};
}

Json objects_json(const Results& results) {
  Json objects = Json::array();
  for (const ObjectResult& object : results.objects) {
    if (object.bodies.empty()) continue;
    Json bodies = Json::array();
    for (const ObjectResult::Body& body : object.bodies) {
      char hash[17];
      std::snprintf(hash, sizeof(hash), "%016llx", static_cast<unsigned long long>(body.hash));
      bodies.push_back({{"file", body.file}, {"xxh3", hash}, {"answers", body.answers}});
    }
    objects.push_back({{"name", object.name}, {"bodies", bodies}});
  }
  return objects;
}

}  // namespace

std::string json_report(const Results& results) {
  Json loads = Json::array();
  for (const LoadResult& load : results.loads) loads.push_back(load_json(load, results.slot));
  Json claims = Json::array();
  for (const ClaimResult& claim : results.claims) {
    claims.push_back({{"text", claim.text}, {"held", claim.held}, {"found", claim.found}});
  }
  const Json document = {{"schema", kReportSchema},
                         {"scenario", results.scenario},
                         {"about", results.about},
                         {"compressed", results.compressed},
                         {"target", results.target},
                         {"started", results.started},
                         {"seed", results.seed},
                         {"duration_seconds", seconds(results.duration)},
                         {"took_seconds", seconds(results.took)},
                         {"slot_seconds", seconds(results.slot)},
                         {"in_flight_max", results.in_flight_max},
                         {"generator_late_us", latency_json(results.lag)},
                         {"total", load_json(total_of(results), results.slot)},
                         {"loads", loads},
                         {"objects", objects_json(results)},
                         {"claims", claims}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace revcache::bench
