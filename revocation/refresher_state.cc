// Which URLs are known, and when each is asked next.
#include "revocation/refresher_state.h"

#include <algorithm>
#include <set>
#include <utility>

#include "http/uri.h"

namespace revcache::revocation {

namespace {

// The part of the interval that what is overdue is spread over; the rest is for the fetches.
constexpr double kSpreadShare = 0.98;

// What the limit for each host counts by.
std::string host_of(const std::string& url) {
  std::string storage;
  const auto uri = http::parse_absolute_form(url, storage);
  return uri ? std::string(uri->authority) : url;
}

}  // namespace

Refresher::State::State(Parts parts, Options options)
    : parts_(parts),
      options_(options),
      random_(parts.seed),
      queue_(
          {.per_host_max = options.concurrent_per_host_max, .total_max = options.concurrent_max}),
      clock_offset_(parts.clock.wall().time_since_epoch() -
                    parts.clock.monotonic().time_since_epoch()) {}

void Refresher::State::start(const std::vector<std::string>& configured_urls,
                             const std::vector<std::pair<std::string, std::string>>& records) {
  notice_clock_step();
  restore(records);
  apply_configured(configured_urls);
  keep_latest_asked();
  plan_all();
  arm();
}

void Refresher::State::configure(Options options, const std::vector<std::string>& configured_urls) {
  if (stopping_) return;
  notice_clock_step();
  options_ = options;
  queue_.set_limits(
      {.per_host_max = options.concurrent_per_host_max, .total_max = options.concurrent_max});
  apply_configured(configured_urls);
  plan_all();
  begin_what_may();
  arm();
}

void Refresher::State::restore(const std::vector<std::pair<std::string, std::string>>& records) {
  const auto now = parts_.clock.wall();
  std::int64_t damaged = 0;
  std::string_view damaged_url;
  std::string reason;
  for (const auto& [url, bytes] : records) {
    const auto record = decode_refresh_record(url, bytes);
    if (record) {
      if (!known_.contains(url)) add(url, RefresherUrl(*record, now));
      continue;
    }
    parts_.memory.erase(url);
    if (damaged++ == 0) {
      damaged_url = url;
      reason = record.error().detail;
    }
  }
  if (damaged == 0) return;
  parts_.log.warning("refresh records damaged", {{"records", damaged},
                                                 {"first_url", damaged_url},
                                                 {"first_reason", std::string_view(reason)}});
}

// Those that are no longer configured stay as learned ones while clients ask for them.
void Refresher::State::apply_configured(const std::vector<std::string>& urls) {
  const std::set<std::string_view> configured(urls.begin(), urls.end());
  const auto now = parts_.clock.wall();
  for (auto known = known_.begin(); known != known_.end();) {
    const auto current = known++;
    if (configured.contains(current->first)) continue;
    if (current->second.configured && parts_.source.was_asked_for(current->first)) {
      current->second.url.asked(now);
    }
    if (current->second.url.is_forgotten(now, options_.keep)) {
      drop(current, "nobody asks for it");
    } else if (std::exchange(current->second.configured, false)) {
      ++learned_;
    }
  }
  for (const auto& url : urls) {
    const auto known = known_.find(url);
    auto& entry = (known == known_.end() ? add(url, {}) : known)->second;
    if (!std::exchange(entry.configured, true)) --learned_;
  }
}

// After a limit was lowered between two runs.
void Refresher::State::keep_latest_asked() {
  if (learned_ <= options_.urls_max) return;
  std::vector<KnownUrls::iterator> learned;
  for (auto known = known_.begin(); known != known_.end(); ++known) {
    if (!known->second.configured) learned.push_back(known);
  }
  std::ranges::sort(learned, [](const auto& left, const auto& right) {
    const auto& left_asked = left->second.url.last_asked();
    const auto& right_asked = right->second.url.last_asked();
    return left_asked != right_asked ? left_asked > right_asked : left->first < right->first;
  });
  parts_.log.warning("refresh knows too many urls",
                     {{"urls_max", static_cast<std::int64_t>(options_.urls_max)},
                      {"learned", static_cast<std::int64_t>(learned.size())}});
  for (std::size_t index = options_.urls_max; index < learned.size(); ++index) {
    drop(learned[index], "too many urls are known");
  }
}

// As a learned one, not yet in line.
Refresher::State::KnownUrls::iterator Refresher::State::add(const std::string& url,
                                                            RefresherUrl known) {
  const auto added = known_.emplace(url, Known{}).first;
  added->second.url = std::move(known);
  added->second.host = host_of(url);
  queue_.enter(added->second.host);
  ++learned_;
  return added;
}

void Refresher::State::drop(KnownUrls::iterator known, std::string_view why) {
  parts_.log.info("refresh url dropped",
                  {{"url", std::string_view(known->first)}, {"reason", why}});
  parts_.memory.erase(known->first);
  auto& entry = known->second;
  take_out_of_line(entry);
  if (entry.stage == Stage::queued) queue_.erase(entry.host, known->first);
  answer_later(std::move(entry.asked), why);
  queue_.leave(entry.host);
  if (!entry.configured) --learned_;
  known_.erase(known);
  if (learned_ < options_.urls_max) full_told_ = false;
}

bool Refresher::State::learn(const std::string& url, const EvidenceDates& dates) {
  if (stopping_) return false;
  notice_clock_step();
  auto known = known_.find(url);
  if (known == known_.end()) {
    if (learned_ >= options_.urls_max) {
      ++learn_refusals_;
      if (!std::exchange(full_told_, true)) {
        parts_.log.warning("refresh knows too many urls",
                           {{"urls_max", static_cast<std::int64_t>(options_.urls_max)},
                            {"refused_url", std::string_view(url)}});
      }
      return false;
    }
    known = add(url, {});
  }
  auto& entry = known->second;
  const auto before = entry.url.condition();
  const bool is_news = entry.url.history().dates != dates;
  entry.url.learn(dates, parts_.clock.wall());
  if (!is_news && before == RefreshCondition::working) return true;
  tell(url, entry.url, before);
  remember(url, entry.url);
  if (entry.stage == Stage::waiting) plan(known);
  arm();
  return true;
}

void Refresher::State::plan(KnownUrls::iterator known) {
  const auto now = parts_.clock.wall();
  const auto next = next_attempt(now, options_.interval, known->second.url.history(), jitter());
  put_in_line(known, parts_.clock.monotonic() + (next - now));
}

// What fell due meanwhile is spread over an interval, but for what cannot wait: no burst.
void Refresher::State::plan_all() {
  const auto now = parts_.clock.wall();
  const auto monotonic = parts_.clock.monotonic();
  std::vector<KnownUrls::iterator> overdue;
  for (auto known = known_.begin(); known != known_.end(); ++known) {
    auto& entry = known->second;
    if (entry.stage != Stage::waiting) continue;
    const auto next = next_attempt(now, options_.interval, entry.url.history(), jitter());
    if (next > now || entry.url.is_urgent(now, options_.interval)) {
      put_in_line(known, monotonic + (next - now));
    } else {
      overdue.push_back(known);
    }
  }
  std::ranges::shuffle(overdue, random_);
  const std::chrono::duration<double> slice =
      kSpreadShare * options_.interval /
      static_cast<double>(std::max<std::size_t>(overdue.size(), 1));
  for (std::size_t index = 0; index < overdue.size(); ++index) {
    const auto delay = slice * (static_cast<double>(index) + jitter());
    const auto at = monotonic + std::chrono::duration_cast<std::chrono::nanoseconds>(delay);
    const auto& due = overdue[index]->second.due;
    // Planning again and again must not put it off for ever.
    put_in_line(overdue[index], due.second != 0 ? std::min(due.first, at) : at);
  }
}

void Refresher::State::put_in_line(KnownUrls::iterator known, MonotonicTime at) {
  take_out_of_line(known->second);
  known->second.stage = Stage::waiting;
  known->second.due = {at, ++last_number_};
  line_.emplace(known->second.due, known);
}

void Refresher::State::take_out_of_line(Known& known) {
  if (known.due.second != 0) line_.erase(known.due);
  known.due = {};
}

std::vector<Refresher::UrlState> Refresher::State::states() const {
  const auto now = parts_.clock.wall();
  const auto monotonic = parts_.clock.monotonic();
  std::vector<UrlState> states;
  states.reserve(known_.size());
  for (const auto& [url, entry] : known_) {
    UrlState state = entry.url.state();
    state.url = url;
    state.configured = entry.configured;
    state.next_attempt = now;
    if (entry.due.second != 0 && entry.due.first > monotonic) {
      state.next_attempt +=
          std::chrono::duration_cast<std::chrono::milliseconds>(entry.due.first - monotonic);
    }
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace revcache::revocation
