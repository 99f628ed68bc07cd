// What the refresher knows of one URL, and what a report does to it. Pure; one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "revocation/refresh_record.h"
#include "revocation/refresh_schedule.h"
#include "revocation/refresher.h"

namespace revcache::revocation {

// Of what upstream said: the rest is cut.
inline constexpr std::size_t kRefreshDetailBytesMax = 256;

// Outcomes that an operator tells apart; a line is logged when one URL goes from one to another.
enum class RefreshCondition : std::uint8_t { unknown, working, failing, refused };

class RefresherUrl {
 public:
  RefresherUrl() = default;
  // As remembered. What lies in the future (the clock was set back) counts as now.
  RefresherUrl(const RefreshRecord& record, WallTime now);

  [[nodiscard]] RefreshRecord record() const;
  // Without url, configured and next_attempt, which are the refresher's.
  [[nodiscard]] Refresher::UrlState state() const;
  [[nodiscard]] const RefreshHistory& history() const noexcept { return history_; }
  [[nodiscard]] const std::optional<WallTime>& last_asked() const noexcept { return last_asked_; }
  [[nodiscard]] RefreshCondition condition() const noexcept { return condition_; }

  // An attempt that began at `begun` ended at `now`.
  void note(RefreshReport report, WallTime begun, WallTime now);
  // A client's fetch gave verified evidence: what is older than what is held changes nothing.
  void learn(const EvidenceDates& dates, WallTime now);
  void asked(WallTime now) { last_asked_ = now; }
  // The wall clock jumped: what was so long ago still is. Dates of evidence stand as they are.
  void clock_stepped(std::chrono::milliseconds by);

  // What must not be put off when much is due at once.
  [[nodiscard]] bool is_urgent(WallTime now, std::chrono::seconds interval) const;
  // A learned URL nobody asked for in `keep`.
  [[nodiscard]] bool is_forgotten(WallTime now, std::chrono::seconds keep) const;
  // True once for each time that held evidence passed its nextUpdate.
  bool lapses(WallTime now);

 private:
  RefreshHistory history_;
  std::optional<WallTime> last_success_;
  std::optional<WallTime> last_asked_;
  RefreshOutcome last_outcome_ = RefreshOutcome::failed;
  RefreshCondition condition_ = RefreshCondition::unknown;
  std::string last_detail_;
  bool lapse_told_ = false;
};

}  // namespace revcache::revocation
