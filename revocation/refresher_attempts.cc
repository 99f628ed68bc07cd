// The attempts: when one begins, and what its end brings about.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "revocation/refresher_state.h"

namespace revcache::revocation {

namespace {

using std::chrono::milliseconds;

// A wall clock that moved this much against monotonic time was set; less is drift.
constexpr std::chrono::seconds kClockStepMin{2};
// How often that is looked at, at least.
constexpr std::chrono::seconds kClockLook{60};

std::string_view to_string(RefreshCondition condition) {
  switch (condition) {
    case RefreshCondition::unknown:
      return "unknown";
    case RefreshCondition::working:
      return "working";
    case RefreshCondition::failing:
      return "failing";
    case RefreshCondition::refused:
      return "refused";
  }
  return "unknown";
}

}  // namespace

bool Refresher::State::refresh_now(const std::string& url, Callback<RefreshReport> done) {
  const auto known = known_.find(url);
  if (stopping_ || known == known_.end()) return false;
  notice_clock_step();
  auto& entry = known->second;
  auto& waiters =
      entry.stage == Stage::under_way ? under_way_.at(entry.attempt).asked : entry.asked;
  if (done) waiters.push_back(std::move(done));
  if (entry.stage == Stage::queued && entry.priority != RefreshPriority::asked) {
    queue_.erase(entry.host, url);
    enqueue(known, RefreshPriority::asked);
  } else if (entry.stage == Stage::waiting) {
    enqueue(known, RefreshPriority::asked);
  }
  begin_what_may();
  arm();
  return true;
}

void Refresher::State::wake() {
  notice_clock_step();
  end_overdue();
  enqueue_due();
  begin_what_may();
  arm();
}

// Waits count in monotonic time and go on as they are; what depends on the dates of evidence is
// planned anew.
void Refresher::State::notice_clock_step() {
  const std::chrono::nanoseconds offset =
      parts_.clock.wall().time_since_epoch() - parts_.clock.monotonic().time_since_epoch();
  const auto step = offset - std::exchange(clock_offset_, offset);
  if (std::chrono::abs(step) < kClockStepMin) return;
  const auto by = std::chrono::duration_cast<milliseconds>(step);
  for (auto& [url, entry] : known_) entry.url.clock_stepped(by);
  if (!stopping_) plan_all();
}

void Refresher::State::enqueue_due() {
  const auto monotonic = parts_.clock.monotonic();
  const auto now = parts_.clock.wall();
  while (!line_.empty() && line_.begin()->first.first <= monotonic) {
    const auto known = line_.begin()->second;
    auto& entry = known->second;
    if (parts_.source.was_asked_for(known->first)) entry.url.asked(now);
    if (!entry.configured && entry.url.is_forgotten(now, options_.keep)) {
      drop(known, "nobody asks for it");
      continue;
    }
    enqueue(known, entry.url.is_urgent(now, options_.interval) ? RefreshPriority::urgent
                                                               : RefreshPriority::regular);
  }
}

void Refresher::State::enqueue(KnownUrls::iterator known, RefreshPriority priority) {
  take_out_of_line(known->second);
  known->second.stage = Stage::queued;
  known->second.priority = priority;
  queue_.push(known->second.host, known->first, priority);
}

void Refresher::State::begin_what_may() {
  while (auto turn = queue_.take()) begin(*turn);
}

void Refresher::State::begin(const RefresherQueue::Turn& turn) {
  const auto known = known_.find(turn.url);
  CHECK(known != known_.end() && known->second.stage == Stage::queued);
  const auto attempt = ++last_attempt_;
  known->second.stage = Stage::under_way;
  known->second.attempt = attempt;
  under_way_.emplace(attempt, Attempt{.url = turn.url,
                                      .host = turn.host,
                                      .begun = parts_.clock.monotonic(),
                                      .asked = std::exchange(known->second.asked, {})});
  parts_.source.refresh(known->first, [weak = weak_from_this(), attempt](RefreshReport report) {
    const auto self = weak.lock();
    if (!self) return;
    self->notice_clock_step();
    self->end(attempt, std::move(report));
  });
}

// A fetch that is given up does not hold its place for ever.
void Refresher::State::end_overdue() {
  std::vector<std::uint64_t> overdue;
  for (const auto& [attempt, fetch] : under_way_) {
    if (parts_.clock.monotonic() - fetch.begun >= options_.attempt_time_max) {
      overdue.push_back(attempt);
    }
  }
  for (const auto attempt : overdue) {
    end(attempt, {.outcome = RefreshOutcome::failed,
                  .dates = std::nullopt,
                  .detail = "no end within the time of an attempt"});
  }
}

// A report that comes after its attempt was given up changes nothing.
void Refresher::State::end(std::uint64_t attempt, RefreshReport report) {
  auto ended = under_way_.extract(attempt);
  if (ended.empty() || closed_) return;
  auto& fetch = ended.mapped();
  queue_.finished(fetch.host, report.outcome != RefreshOutcome::failed);
  const auto known = known_.find(fetch.url);
  if (known != known_.end() && known->second.stage == Stage::under_way &&
      known->second.attempt == attempt) {
    const auto taken =
        std::chrono::duration_cast<milliseconds>(parts_.clock.monotonic() - fetch.begun);
    note(known, report, parts_.clock.wall() - taken);
  }
  begin_what_may();
  arm();
  // Last, as they may call back or end the refresher.
  for (auto& asked : fetch.asked) {
    if (!closed_) asked(report);
  }
}

void Refresher::State::note(KnownUrls::iterator known, const RefreshReport& report,
                            WallTime begun) {
  auto& entry = known->second;
  const auto before = entry.url.condition();
  entry.url.note(report, begun, parts_.clock.wall());
  entry.stage = Stage::waiting;
  tell(known->first, entry.url, before);
  remember(known->first, entry.url);
  if (!stopping_) plan(known);
}

// One line when things change, none for each attempt.
void Refresher::State::tell(const std::string& url, RefresherUrl& known, RefreshCondition before) {
  const auto after = known.condition();
  const auto state = known.state();
  if (after != before && after == RefreshCondition::working) {
    const auto level =
        before == RefreshCondition::unknown ? metrics::LogLevel::debug : metrics::LogLevel::info;
    parts_.log.write(level, "refresh works",
                     {{"url", std::string_view(url)}, {"before", to_string(before)}});
  } else if (after != before) {
    parts_.log.warning(after == RefreshCondition::failing ? "refresh fails" : "refresh refused",
                       {{"url", std::string_view(url)},
                        {"before", to_string(before)},
                        {"detail", std::string_view(state.last_detail)}});
  }
  if (!known.lapses(parts_.clock.wall())) return;
  parts_.log.error("evidence lapsed", {{"url", std::string_view(url)},
                                       {"detail", std::string_view(state.last_detail)}});
}

void Refresher::State::remember(const std::string& url, const RefresherUrl& known) {
  parts_.memory.put(url, encode_refresh_record(url, known.record()));
}

MonotonicTime Refresher::State::next_wake() const {
  auto at = MonotonicTime::max();
  if (!line_.empty()) {
    at = std::min(line_.begin()->first.first, parts_.clock.monotonic() + kClockLook);
  }
  for (const auto& [attempt, fetch] : under_way_) {
    at = std::min(at, fetch.begun + options_.attempt_time_max);
  }
  return at;
}

// One timer for everything. One that is armed for an earlier time is left alone: to wake in vain
// costs less than to arm anew at each change.
void Refresher::State::arm() {
  if (closed_) return;
  const auto at = next_wake();
  if (at == MonotonicTime::max()) return timer_.reset();
  if (timer_ && armed_for_ <= at) return;
  const auto wait = std::chrono::ceil<milliseconds>(at - parts_.clock.monotonic());
  armed_for_ = at;
  timer_ = parts_.timers.after(std::max(wait, milliseconds(0)), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->timer_.reset();
    self->wake();
  });
}

void Refresher::State::stop() {
  if (std::exchange(stopping_, true)) return;
  line_.clear();
  queue_.clear();
  for (auto& [url, entry] : known_) {
    entry.due = {};
    if (entry.stage == Stage::queued) entry.stage = Stage::waiting;
    answer_later(std::exchange(entry.asked, {}), "the process is stopping");
  }
  arm();
}

void Refresher::State::close() {
  stop();
  closed_ = true;
  under_way_.clear();
  refused_.clear();
  refused_timer_.reset();
  timer_.reset();
}

// Never inside the call that made it so.
void Refresher::State::answer_later(Callbacks callbacks, std::string_view why) {
  for (auto& callback : callbacks) refused_.emplace_back(std::move(callback), why);
  if (refused_.empty() || refused_timer_) return;
  refused_timer_ = parts_.timers.after(milliseconds(0), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->answer_refused();
  });
}

void Refresher::State::answer_refused() {
  refused_timer_.reset();
  for (auto& [callback, why] : std::exchange(refused_, {})) {
    if (closed_) return;
    callback({.outcome = RefreshOutcome::failed, .dates = std::nullopt, .detail = why});
  }
}

}  // namespace revcache::revocation
