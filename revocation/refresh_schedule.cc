#include "revocation/refresh_schedule.h"

#include <algorithm>

namespace revcache::revocation {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kUnchangedFraction = 4;
constexpr int kFailedFraction = 16;
constexpr milliseconds kPublishJitterMax{10'000};

// Always a little less than asked for: the transfer itself must fit into the interval too.
milliseconds shortened(milliseconds wait, double jitter) {
  const double share = 0.98 - 0.08 * std::clamp(jitter, 0.0, 1.0);
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * share));
}

// kFirstRetry, doubled with each further failure, up to the interval.
milliseconds backed_off(seconds interval, std::uint32_t failures) {
  milliseconds wait = kFirstRetry;
  for (std::uint32_t failure = 1; failure < failures && wait < interval; ++failure) wait *= 2;
  return std::min<milliseconds>(wait, interval);
}

milliseconds wait_after_success(seconds interval, std::optional<milliseconds> left) {
  if (!left) return interval;  // verified, but of a kind that has no dates
  return std::min<milliseconds>(interval,
                                std::max<milliseconds>(kUnchangedGap, *left / kUnchangedFraction));
}

milliseconds wait_after(seconds interval, const RefreshHistory& history,
                        std::optional<milliseconds> left) {
  if (history.consecutive_failures == 0) return wait_after_success(interval, left);
  const auto wait =
      std::min(backed_off(interval, history.consecutive_failures), retry_wait_max(interval, left));
  if (!history.refused) return wait;
  return std::max(wait, std::min<milliseconds>(interval, kRefusedGap));
}

// The first attempt after `base` that Next CRL Publish asks for. Never at one offset twice: jitter
// only moves an attempt away from the offset, to where it counts as made.
std::optional<WallTime> after_publication(WallTime base, seconds interval,
                                          const RefreshHistory& history, double jitter) {
  if (!history.dates || !history.dates->next_publish) return std::nullopt;
  for (const auto offset : kPublishOffsets) {
    const WallTime earliest = *history.dates->next_publish + offset;
    if (earliest <= base) continue;
    const auto spread = std::min<milliseconds>(offset, kPublishJitterMax).count();
    const milliseconds moved{static_cast<std::int64_t>(jitter * static_cast<double>(spread))};
    return std::max(earliest + moved, base + std::min<milliseconds>(interval, kPublishGap));
  }
  return std::nullopt;
}

seconds at_least_a_second(seconds interval) { return std::max(interval, seconds(1)); }

// How often `gap`, shortened by all its jitter, fits into `period`.
std::uint64_t gaps_in(seconds period, seconds gap) {
  const auto shortest = static_cast<std::uint64_t>(milliseconds(gap).count()) * 9 / 10;
  const auto whole =
      static_cast<std::uint64_t>(std::max<std::int64_t>(milliseconds(period).count(), 0));
  return (whole + shortest - 1) / shortest;
}

// Waits after failures that are shorter than the interval although nothing presses.
std::uint64_t quick_retries(seconds interval) {
  std::uint64_t retries = 0;
  for (seconds wait = kFirstRetry; wait < interval; wait *= 2) ++retries;
  return retries;
}

}  // namespace

WallTime next_attempt(WallTime now, seconds interval, const RefreshHistory& history,
                      double jitter) {
  interval = at_least_a_second(interval);
  if (!history.last_attempt) return now;
  const WallTime base = std::min(*history.last_attempt, now);
  std::optional<milliseconds> left;
  if (history.dates) left = history.dates->next_update - base;
  WallTime next = base + shortened(wait_after(interval, history, left), jitter);
  if (const auto published = after_publication(base, interval, history, jitter)) {
    next = std::min(next, *published);
  }
  return std::max(next, now);
}

milliseconds retry_wait_max(seconds interval, std::optional<milliseconds> left) {
  if (!left) return std::min<milliseconds>(interval, kUnchangedGap);
  return std::min<milliseconds>(interval,
                                std::max<milliseconds>(kFailedGap, *left / kFailedFraction));
}

bool is_urgent(WallTime now, seconds interval, const std::optional<EvidenceDates>& dates) {
  return !dates || dates->next_update - now < 2 * interval;
}

std::uint64_t attempts_max(seconds interval, seconds period, const Disturbances& disturbances) {
  interval = at_least_a_second(interval);
  const auto regular = 1 + gaps_in(period, interval);
  const auto published = disturbances.publications * kPublishOffsets.size();
  const auto retried = disturbances.failure_runs * quick_retries(interval);
  const auto pressing =
      gaps_in(disturbances.pressing, std::min(interval, kFailedGap)) + disturbances.pressing_spells;
  return regular + published + retried + pressing;
}

std::uint64_t attempts_max(seconds interval, seconds period) {
  interval = at_least_a_second(interval);
  // The waits after a first and a second failure are shorter than kFailedGap, but a success lies
  // before each pair of them, and the wait after it makes up for both if it is kPublishGap or more.
  const auto gap = interval < kPublishGap ? std::min(interval, kFirstRetry) : kFailedGap;
  return 2 + gaps_in(period, gap);
}

}  // namespace revcache::revocation
