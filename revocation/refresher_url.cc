#include "revocation/refresher_url.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace revcache::revocation {

namespace {

RefreshCondition condition_of(RefreshOutcome outcome) {
  switch (outcome) {
    case RefreshOutcome::changed:
    case RefreshOutcome::unchanged:
      return RefreshCondition::working;
    case RefreshOutcome::failed:
      return RefreshCondition::failing;
    case RefreshOutcome::refused:
      return RefreshCondition::refused;
  }
  return RefreshCondition::unknown;
}

std::optional<WallTime> not_after(std::optional<WallTime> time, WallTime now) {
  if (time) time = std::min(*time, now);
  return time;
}

}  // namespace

std::string_view to_string(RefreshOutcome outcome) noexcept {
  switch (outcome) {
    case RefreshOutcome::changed:
      return "changed";
    case RefreshOutcome::unchanged:
      return "unchanged";
    case RefreshOutcome::failed:
      return "failed";
    case RefreshOutcome::refused:
      return "refused";
  }
  return "unknown";
}

RefresherUrl::RefresherUrl(const RefreshRecord& record, WallTime now)
    : last_success_(not_after(record.last_success, now)),
      last_asked_(not_after(record.last_asked, now)),
      last_outcome_(record.last_outcome) {
  history_ = {.dates = record.dates,
              .last_attempt = not_after(record.last_attempt, now),
              .consecutive_failures = record.consecutive_failures,
              .refused = record.last_outcome == RefreshOutcome::refused};
  if (record.last_attempt) condition_ = condition_of(record.last_outcome);
}

RefreshRecord RefresherUrl::record() const {
  return {.dates = history_.dates,
          .last_attempt = history_.last_attempt,
          .last_success = last_success_,
          .last_asked = last_asked_,
          .last_outcome = last_outcome_,
          .consecutive_failures = history_.consecutive_failures};
}

Refresher::UrlState RefresherUrl::state() const {
  Refresher::UrlState state;
  state.dates = history_.dates;
  state.last_attempt = history_.last_attempt;
  state.last_success = last_success_;
  state.last_outcome = last_outcome_;
  state.consecutive_failures = history_.consecutive_failures;
  state.last_detail = last_detail_;
  return state;
}

void RefresherUrl::note(RefreshReport report, WallTime begun, WallTime now) {
  last_outcome_ = report.outcome;
  condition_ = condition_of(report.outcome);
  last_detail_ = std::move(report.detail);
  if (last_detail_.size() > kRefreshDetailBytesMax) last_detail_.resize(kRefreshDetailBytesMax);
  if (condition_ == RefreshCondition::working) {
    // From its beginning: what was published during a slow transfer is not in it.
    history_ = {.dates = report.dates, .last_attempt = begun};
    last_success_ = now;
    return;
  }
  if (report.dates) history_.dates = report.dates;
  history_.last_attempt = now;  // from its end: a timeout is longer than the first waits
  history_.refused = condition_ == RefreshCondition::refused;
  if (history_.consecutive_failures < std::numeric_limits<std::uint32_t>::max()) {
    ++history_.consecutive_failures;
  }
}

void RefresherUrl::learn(const EvidenceDates& dates, WallTime now) {
  last_asked_ = now;
  if (history_.dates && dates.this_update < history_.dates->this_update) return;
  history_ = {.dates = dates, .last_attempt = history_.last_attempt.value_or(now)};
  last_success_ = now;
  last_outcome_ = RefreshOutcome::changed;
  condition_ = RefreshCondition::working;
  last_detail_.clear();
}

void RefresherUrl::clock_stepped(std::chrono::milliseconds by) {
  for (auto* time : {&history_.last_attempt, &last_success_, &last_asked_}) {
    if (*time) **time += by;
  }
}

bool RefresherUrl::is_urgent(WallTime now, std::chrono::seconds interval) const {
  const bool has_none_by_nature =
      !history_.dates && condition_ == RefreshCondition::working;  // a certificate
  return !has_none_by_nature && revocation::is_urgent(now, interval, history_.dates);
}

bool RefresherUrl::is_forgotten(WallTime now, std::chrono::seconds keep) const {
  return !last_asked_ || now - *last_asked_ >= keep;
}

bool RefresherUrl::lapses(WallTime now) {
  const bool lapsed = history_.dates && history_.dates->next_update <= now;
  return std::exchange(lapse_told_, lapsed) != lapsed && lapsed;
}

}  // namespace revcache::revocation
