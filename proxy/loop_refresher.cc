#include "proxy/loop_refresher.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "cache/asked_marks.h"
#include "revocation/object_form.h"

namespace revcache::proxy {

namespace {

// States of thousands of URLs are not copied for each attempt.
constexpr std::chrono::seconds kFiguresDelay{1};

std::map<std::string, std::string, std::less<>> authorities_by_url(const config::Config& config) {
  std::map<std::string, std::string, std::less<>> authorities;
  for (const auto& authority : config.authorities) {
    for (const auto& url : authority.crls) authorities.emplace(url.text(), authority.name);
  }
  return authorities;
}

}  // namespace

using revocation::EvidenceDates;
using revocation::RefreshOutcome;
using revocation::RefreshReport;

// One conditional GET. Owned by the refresher until it has its answer.
class LoopRefresher::Attempt final : private cache::AnswerSink {
 public:
  Attempt(LoopRefresher& owner, http::Uri uri, Callback<RefreshReport> done)
      : owner_(owner),
        url_(uri.text()),
        done_(std::move(done)),
        before_(owner.parts_.evidence.dates_of(url_)) {
    cache::CacheRequest request;
    request.kind = revocation::kind_by_request(http::Method::get, url_, {});
    // Known by its URL, whatever the extension says.
    if (request.kind != ObjectKind::delta_crl) request.kind = ObjectKind::crl;
    request.uri = std::move(uri);
    request.method_text = "GET";
    request.key = url_;
    request.directives.no_cache = true;
    request.for_refresh = true;
    pending_ = owner_.parts_.cache.start(std::move(request), *this);
  }

  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  Callback<RefreshReport> take_done() { return std::move(done_); }

 private:
  void on_answer(cache::CacheAnswer answer) override {
    if (answer.failure) return finish_failed(*answer.failure);
    if (answer.response->status != 200) {
      return finish(RefreshOutcome::failed,
                    "upstream answered " + std::to_string(answer.response->status));
    }
    const auto now = owner_.parts_.evidence.dates_of(url_);
    if (!now)
      return finish(RefreshOutcome::refused, "the body is no evidence: its issuer is unknown");
    finish(now == before_ ? RefreshOutcome::unchanged : RefreshOutcome::changed, {});
  }
  void on_stream_head(http::ResponseHead head, const cache::CacheStatus&,
                      metrics::RequestResult) override {
    finish(RefreshOutcome::failed, "upstream answered " + std::to_string(head.status));
  }
  void on_stream_body(std::string_view) override {}
  void on_stream_end() override {}
  void on_failed(Error error, metrics::RequestResult) override { finish_failed(error); }

  void finish_failed(const Error& error) {
    const bool refused = error.code == ErrorCode::untrusted ||
                         (error.code == ErrorCode::malformed && error.blame == Blame::upstream);
    finish(refused ? RefreshOutcome::refused : RefreshOutcome::failed,
           std::string(to_string(error.code)) + ": " + error.detail);
  }

  void finish(RefreshOutcome outcome, std::string detail) {
    owner_.end(*this, {.outcome = outcome,
                       .dates = owner_.parts_.evidence.dates_of(url_),
                       .detail = std::move(detail)});
  }

  LoopRefresher& owner_;
  std::string url_;
  Callback<RefreshReport> done_;
  std::optional<EvidenceDates> before_;
  std::unique_ptr<cache::PendingAnswer> pending_;
};

LoopRefresher::LoopRefresher(const Parts& parts, std::shared_ptr<const Settings> settings)
    : parts_(parts),
      settings_(std::move(settings)),
      refresher_({*this, *this, parts.timers, parts.clock, parts.log, parts.seed}, options()) {}

LoopRefresher::~LoopRefresher() = default;

revocation::Refresher::Options LoopRefresher::options() const {
  const config::Config& config = *settings_->config;
  return {.interval = config.refresh.interval,
          .keep = config.refresh.keep,
          .urls_max = config.limits.refresh_urls};
}

std::vector<std::string> LoopRefresher::configured_urls() const {
  std::set<std::string> urls;
  const config::Config& config = *settings_->config;
  for (const auto& url : config.refresh.urls) urls.insert(url.text());
  for (const auto& authority : config.authorities) {
    for (const auto& url : authority.crls) urls.insert(url.text());
  }
  return {urls.begin(), urls.end()};
}

void LoopRefresher::start(const std::vector<std::pair<std::string, std::string>>& records) {
  if (parts_.figures != nullptr) {
    parts_.figures->configure(authorities_by_url(*settings_->config));
  }
  refresher_.start(configured_urls(), records);
  // The cache that held their evidence was lost, or what it held has lapsed.
  for (const auto& state : refresher_.states()) {
    if (!parts_.evidence.dates_of(state.url)) refresher_.refresh_now(state.url, nullptr);
  }
  tell_figures();
}

void LoopRefresher::count(const std::string& url, RefreshOutcome outcome) {
  if (parts_.figures != nullptr) {
    parts_.figures->count(url, outcome, *parts_.evidence.snapshot());
  }
  tell_figures();
}

void LoopRefresher::tell_figures() {
  if (parts_.figures == nullptr || std::exchange(figures_due_, true)) return;
  figures_timer_ = parts_.timers.after(kFiguresDelay, [this] {
    figures_due_ = false;
    parts_.figures->publish(refresher_.states());
  });
}

void LoopRefresher::apply(std::shared_ptr<const Settings> settings) {
  settings_ = std::move(settings);
  refresher_.configure(options(), configured_urls());
  if (parts_.figures != nullptr) {
    parts_.figures->configure(authorities_by_url(*settings_->config));
  }
  tell_figures();
}

void LoopRefresher::learn(const std::string& url, const EvidenceDates& dates) {
  if (refresher_.learn(url, dates)) tell_figures();
}

bool LoopRefresher::refresh_now(const std::string& url, Callback<RefreshReport> done) {
  return refresher_.refresh_now(url, std::move(done));
}

void LoopRefresher::stop() { refresher_.stop(); }

std::vector<revocation::Refresher::UrlState> LoopRefresher::states() const {
  return refresher_.states();
}

void LoopRefresher::refresh(const std::string& url, Callback<RefreshReport> done) {
  std::string storage;
  const auto uri = http::parse_absolute_form(url, storage);
  const auto allowed =
      uri ? settings_->access->destination(uri->scheme, uri->host, uri->port) : Destination::denied;
  if (allowed != Destination::allowed) {
    // Learned under rules that have changed since.
    auto refused = std::make_shared<Callback<RefreshReport>>(std::move(done));
    count(url, RefreshOutcome::failed);
    return parts_.cache.context().executor.post([refused] {
      (*refused)({.outcome = RefreshOutcome::failed,
                  .dates = {},
                  .detail = "refused: the host is no longer in access.destinations"});
    });
  }
  auto attempt = std::make_unique<Attempt>(*this, http::Uri(*uri), std::move(done));
  auto* key = attempt.get();
  attempts_.emplace(key, std::move(attempt));
}

void LoopRefresher::end(Attempt& attempt, RefreshReport report) {
  const auto node = attempts_.extract(&attempt);
  if (node.empty()) return;
  count(attempt.url(), report.outcome);
  auto done = attempt.take_done();
  if (done != nullptr) done(std::move(report));
}

bool LoopRefresher::was_asked_for(const std::string& url) {
  return parts_.cache.context().shared.asked.take(cache::asked_mark(url));
}

void LoopRefresher::put(const std::string& url, std::string record) {
  const auto written = parts_.background.submit(
      net::WorkKind::disk,
      [this, url, record = std::move(record)] {
        static_cast<void>(parts_.state.put_refresh_record(url, record));
      },
      [] {});
  if (!written)
    parts_.log.debug("refresh record not written: the disk queue is full", {{"url", url}});
}

void LoopRefresher::erase(const std::string& url) {
  const auto erased = parts_.background.submit(
      net::WorkKind::disk,
      [this, url] { static_cast<void>(parts_.state.erase_refresh_record(url)); }, [] {});
  if (!erased)
    parts_.log.debug("refresh record not erased: the disk queue is full", {{"url", url}});
}

}  // namespace revcache::proxy
