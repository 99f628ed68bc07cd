// When a URL is asked next: pure, so that a table can say what the refresher will do. Deadlines
// come from the evidence (RFC 5280 5.1.2.5 nextUpdate, Next CRL Publish) and from refresh.interval,
// never from max-age: revocations come off schedule. Any thread.
//
// The rules:
//   regular      refresh.interval after the last attempt; jitter takes 2 to 10 % off, adds nothing
//   published    kPublishOffsets after Next CRL Publish, as a CDN needs a moment
//   lapse nears  though all is well: at most a quarter of the time left, at least kUnchangedGap
//   failed       kFirstRetry, doubled up to the interval; at most 1/16 of the time left, at least
//                kFailedGap, so that the end of an outage is noticed before the evidence lapses
//   none held    kUnchangedGap at most while it fails
//   refused      kRefusedGap at least: what answers works, and its next body may be large too
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace revcache::revocation {

// What one URL gave, as far as the schedule needs it.
struct EvidenceDates {
  WallSeconds this_update;
  WallSeconds next_update;
  std::optional<WallSeconds> next_publish;
  friend bool operator==(const EvidenceDates&, const EvidenceDates&) = default;
};

inline constexpr std::chrono::seconds kFirstRetry{5};
inline constexpr std::chrono::seconds kFailedGap{15};
inline constexpr std::chrono::seconds kUnchangedGap{60};
inline constexpr std::chrono::seconds kRefusedGap{300};
// Between an attempt and one that only Next CRL Publish asks for.
inline constexpr std::chrono::seconds kPublishGap{30};
inline constexpr std::array<std::chrono::seconds, 4> kPublishOffsets{
    std::chrono::seconds(5), std::chrono::seconds(30), std::chrono::seconds(120),
    std::chrono::seconds(480)};

// What happened to one URL so far.
struct RefreshHistory {
  std::optional<EvidenceDates> dates;    // of the evidence held
  std::optional<WallTime> last_attempt;  // when it began; when it ended, if it failed
  std::uint32_t consecutive_failures = 0;
  bool refused = false;  // the last failure was an answer that is no evidence
};

// From `now` to `now` + `interval` (at least one second). A last attempt in the future (the clock
// was set back) counts as one just made. `jitter` in [0, 1).
WallTime next_attempt(WallTime now, std::chrono::seconds interval, const RefreshHistory& history,
                      double jitter);

// The longest wait after a failure while evidence has `left` to live (nullopt: none is held): so
// soon is it noticed that an outage is over.
std::chrono::milliseconds retry_wait_max(std::chrono::seconds interval,
                                         std::optional<std::chrono::milliseconds> left);

// No evidence, or it may lapse within two intervals: not to be put off when much is due at once.
bool is_urgent(WallTime now, std::chrono::seconds interval,
               const std::optional<EvidenceDates>& dates);

// Below this much life left, or without evidence, attempts come closer than the interval.
constexpr std::chrono::seconds pressing_below(std::chrono::seconds interval) {
  return 16 * interval;
}

// What made the schedule leave its regular pace within a period.
struct Disturbances {
  std::uint64_t publications = 0;     // distinct Next CRL Publish that passed
  std::uint64_t failure_runs = 0;     // failures in a row count once
  std::uint64_t pressing_spells = 0;  // stretches with less than pressing_below() left
  std::chrono::seconds pressing{0};   // how long they were together
};

// The promise: more attempts than this at one URL never begin within a period. Those that an
// administrator asks for come on top.
std::uint64_t attempts_max(std::chrono::seconds interval, std::chrono::seconds period,
                           const Disturbances& disturbances);
// The same for any history whatsoever: a dead host, a malicious publisher, evidence long lapsed.
std::uint64_t attempts_max(std::chrono::seconds interval, std::chrono::seconds period);

}  // namespace revcache::revocation
