// What a run has found: histograms, counts, and a series over time, for each load. Plain data of a
// fixed size once a run has begun. The generator writes it, reports read it.
//
// Latency counts from the time at which a request was due, so a server that stands still for a
// second is seen to have kept everybody waiting who came in that second. `service` counts from the
// write of the request: what a closed loop would have seen.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/generator/cache_result.h"
#include "bench/generator/histogram.h"
#include "bench/generator/scenario.h"

namespace revcache::bench {

enum class Outcome : std::uint8_t {
  right,         // the status and the bytes that were to come
  wrong_status,  // not 200, nor 304 to a conditional request
  wrong_body,    // 200 with other bytes than before
  ocsp_refused,  // an OCSP answer that is none: tryLater, internalError, …
  not_http,      // something that is no HTTP response
  cut,           // the connection ended too early
  unconnected,   // no connection
  timed_out,     // not within the scenario's timeout
  dropped,       // never sent: too many are waiting for a connection
};
inline constexpr std::size_t kOutcomes = 9;
inline constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {
    "right", "wrong_status", "wrong_body", "ocsp_refused", "not_http",
    "cut",   "unconnected",  "timed_out",  "dropped"};

inline constexpr std::size_t kSlotsMax = 240;
inline constexpr std::size_t kStatuses = 600;

// Arrivals due within one step of time.
struct Slot {
  Histogram latency{Histogram::kCoarseBits};
  std::uint64_t due = 0;
  std::uint64_t right = 0;
  std::uint64_t failed = 0;
  std::uint64_t waited = 0;
  std::uint64_t wrong_body = 0;
  std::array<std::uint64_t, kCacheResults> cache{};  // of requests
};

struct LoadResult {
  std::string name;
  Histogram latency;  // of arrivals: all steps, from the due time; right, wrong and timed out
  Histogram service;  // of requests, from the write
  std::array<std::uint64_t, kOutcomes> outcomes{};   // of arrivals
  std::array<std::uint64_t, kCacheResults> cache{};  // of requests
  std::array<std::uint64_t, kStatuses> statuses{};   // of requests
  std::uint64_t arrivals = 0;
  std::uint64_t requests = 0;
  std::uint64_t waited = 0;  // arrivals for which upstream was waited for
  std::uint64_t from_client_cache = 0;
  std::uint64_t retries = 0;  // an idle connection had just been closed; sent again on a new one
  std::uint64_t connections = 0;
  std::uint64_t body_bytes = 0;
  std::vector<Slot> slots;
};

struct ObjectResult {
  struct Body {
    std::string file;
    std::uint64_t hash = 0;
    std::uint64_t answers = 0;
  };
  std::string name;
  std::vector<Body> bodies;
};

struct ClaimResult {
  std::string text;
  bool held = false;
  std::string found;  // the figures
};

struct Results {
  std::string scenario;
  std::string about;
  std::string compressed;
  std::string target;   // "proxy http://…", "direct"
  std::string started;  // RFC 3339
  std::uint64_t seed = 0;
  std::chrono::milliseconds duration{0};
  std::chrono::nanoseconds took{0};
  std::chrono::nanoseconds slot{0};  // width of a slot
  Histogram lag;                     // how late the generator itself was
  std::uint64_t in_flight_max = 0;
  std::vector<LoadResult> loads;
  std::vector<ObjectResult> objects;
  std::vector<ClaimResult> claims;
};

std::uint64_t failed_of(const LoadResult& load);
// Sums of all loads, with the name "all".
LoadResult total_of(const Results& results);

// What the claims of `scenario` say of `results`: times are taken to whole slots, and a latency's
// maximum is exact to the bucket of the coarse histogram.
std::vector<ClaimResult> judge(const Scenario& scenario, const Results& results);

}  // namespace revcache::bench
