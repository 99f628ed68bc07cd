// What requests took in the last minute, the last hour, and each minute of that hour: for people,
// who ask now; Prometheus keeps its own history. Made from samples of the loops' histograms, which
// are sums since the start: the difference of two samples is what happened between them.
//
// record() from one thread, windows() from any, with a lock that each holds for well below a
// millisecond. Memory is bounded: kLatencySlicesMax and kLatencySteps differences of 1.4 KiB each,
// about 120 KiB.
//
// Time. Between two samples lies the longer of what the monotonic and what the wall clock say: the
// monotonic one stands still while a machine sleeps, and the wall clock may be set back. So what
// was before a sleep leaves the windows, and a clock set back changes nothing; one set forward
// ages what is held. A difference counts where its later sample lies, so that an edge of a window
// is as sharp as samples are apart.
//
// Percentiles are interpolated within a bucket of kLatencyBoundsMicros, as if its requests were
// spread evenly over it: the error is at most the width of that bucket. The true value lies within
// a factor of 2.5 of it (5 between 1 and 5 s), and below the first bound within 50 us. Above the
// last bound, 20 s, the answer is 20 s: "at least".
//
// Tunnels (result "bypass") count as requests, but not for percentiles: theirs is the life of a
// connection, not the time of an answer.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "metrics/metrics.h"

namespace revcache::metrics {

inline constexpr std::size_t kLatencyBuckets = kLatencyBoundsMicros.size() + 1;
inline constexpr std::chrono::seconds kLatencySampleInterval{5};
inline constexpr std::chrono::seconds kLatencyStep{60};
inline constexpr std::size_t kLatencySteps = 60;
inline constexpr std::size_t kLatencySlicesMax = 24;  // of the last minute; older ones go first
// Samples further apart are no observation of the time between: the machine slept, or the main
// loop was kept from looking. What they counted is taken as of one interval, the last one.
inline constexpr std::chrono::seconds kLatencyGap{30};

// Sums over kinds and loops since the start.
struct LatencyTotals {
  Table<std::uint64_t, kRequestResults, kLatencyBuckets> buckets{};
  std::uint64_t cacheable = 0;   // of kinds other than "other": CRLs, OCSP answers, certificates
  std::uint64_t from_store = 0;  // of them those with result hit, stale or synthesized

  void add(const LoopMetrics& loop) noexcept;
  void add(const LatencyTotals& other) noexcept;
  // What was counted since `before`. A count that went down began anew: all of it is new.
  [[nodiscard]] LatencyTotals since(const LatencyTotals& before) const noexcept;
};

struct LatencyPercentiles {  // seconds; none without requests
  std::optional<double> p50;
  std::optional<double> p90;
  std::optional<double> p99;
  std::optional<double> p999;
};

// In `totals`, over all results but bypass.
LatencyPercentiles percentiles_of(const LatencyTotals& totals) noexcept;

struct LatencyWindow {
  double seconds = 0;  // of the window that were observed: less after a start, a sleep
  std::uint64_t requests = 0;
  std::array<std::uint64_t, kRequestResults> by_result{};
  LatencyPercentiles percentiles;
  // Share of requests for CRLs, OCSP answers and certificates that were answered from what is held
  // here, without asking an upstream for them: hit, stale and synthesized. As in the dashboards.
  std::optional<double> hit_ratio;
};

struct LatencyStep : LatencyWindow {
  WallTime at;  // its beginning
};

struct LatencyReport {
  LatencyWindow minute;
  LatencyWindow hour;  // the sum of `series`
  // Of kLatencyStep each, oldest first; the last one is under way. Fewer than kLatencySteps in the
  // first hour. A step that nobody observed has 0 seconds.
  std::vector<LatencyStep> series;
};

class LatencyWindows {
 public:
  // `clock` must outlive it.
  explicit LatencyWindows(const Clock& clock) : clock_(clock) {}

  // The totals now: each kLatencySampleInterval or so. The first one is where counting begins.
  void record(const LatencyTotals& totals);
  [[nodiscard]] LatencyReport windows() const;

 private:
  using Elapsed = std::chrono::nanoseconds;  // since the first sample

  struct Slice {
    Elapsed end{0};
    Elapsed observed{0};
    LatencyTotals counts;
  };
  struct Step {
    Elapsed start{0};
    Elapsed observed{0};
    LatencyTotals counts;
  };
  struct Sample {
    WallTime wall;
    MonotonicTime monotonic;
    Elapsed elapsed{0};
    LatencyTotals totals;
  };
  struct State {
    std::optional<Sample> last;
    std::deque<Slice> slices;
    std::deque<Step> steps;  // the last one is open
  };

  static Elapsed elapsed_at(const Sample& last, WallTime wall, MonotonicTime monotonic) noexcept;
  static void open_steps_until(State& state, Elapsed now);

  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace revcache::metrics
