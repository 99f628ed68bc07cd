#include "proxy/upstream_fetch.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream_request.h"

namespace revcache::proxy {

namespace {

std::chrono::milliseconds total_of(const cache::OriginRequest& request,
                                   const UpstreamSettings& settings) {
  return request.timeout.count() > 0 ? request.timeout : settings.config->upstream.timeout;
}

}  // namespace

UpstreamFetch::UpstreamFetch(std::shared_ptr<UpstreamContext> context, cache::OriginRequest request,
                             cache::OriginSink& sink)
    : context_(std::move(context)),
      settings_(context_->settings),
      request_(std::move(request)),
      sink_(&sink),
      body_(SharedBytes::copy_of(request_.body)),
      timeout_(total_of(request_, settings_)) {}

void UpstreamFetch::start() {
  deadline_ = context_->environment.clock.monotonic() + timeout_;
  if (request_.body_source == nullptr) arm_total();
  begin_hop();
}

void UpstreamFetch::arm_total() {
  deadline_ = context_->environment.clock.monotonic() + timeout_;
  total_ = context_->environment.timers.after(timeout_, [this] {
    const auto self = shared_from_this();
    fail_with({ErrorCode::timed_out, Blame::upstream, "no response within the total time"});
  });
}

void UpstreamFetch::begin_hop() {
  candidates_ = context_->mirrors.candidates(request_.uri, context_->environment.clock.monotonic());
  next_candidate_ = 0;
  try_next();
}

void UpstreamFetch::try_next() {
  ++attempts_;
  tried_ = std::move(candidates_[next_candidate_++]);
  attempt_ = std::make_shared<UpstreamHedge>(
      context_, settings_,
      UpstreamHedge::Plan{.first = {request_, body_, tried_, deadline_},
                          .second = mirror_to_hedge_with()},
      static_cast<AttemptListener&>(*this));
  if (paused_) attempt_->pause();
  attempt_->start();
}

// What is small and urgent, and may be asked twice, goes to a second mirror when the first is slow;
// once a fetch, so that slow mirrors do not get twice the requests.
std::optional<http::Uri> UpstreamFetch::mirror_to_hedge_with() const {
  const bool may_be_hedged =
      !hedged_ && request_.kind != ObjectKind::other && is_replayable(request_);
  if (!may_be_hedged || next_candidate_ >= candidates_.size()) return std::nullopt;
  return candidates_[next_candidate_];
}

// The second mirror, if it was asked, has had its turn.
void UpstreamFetch::note_hedge() {
  tried_ = attempt_->tried();
  if (!attempt_->second_begun() || std::exchange(hedged_, true)) return;
  ++next_candidate_;
  ++attempts_;
}

void UpstreamFetch::on_attempt_head(http::ResponseHead head, WallTime request_time) {
  const auto self = shared_from_this();
  note_hedge();
  if (head.status >= 500) {
    context_->mirrors.failed(tried_, context_->environment.clock.monotonic());
    if (another_mirror_may_do()) return leave_attempt(head, [this] { try_next(); });
  } else {
    context_->mirrors.succeeded(tried_);
  }
  if (is_redirect(head)) {
    std::string location(*head.fields.find(http::FieldId::location));
    return leave_attempt(head, [this, status = head.status, location = std::move(location)] {
      follow(status, location);
    });
  }
  head_delivered_ = true;
  if (request_.kind == ObjectKind::other) total_.reset();
  sink_->on_head(std::move(head), request_time);
}

void UpstreamFetch::on_attempt_body(std::string_view piece) { sink_->on_body(piece); }

void UpstreamFetch::on_attempt_complete() {
  const auto self = shared_from_this();
  attempt_.reset();
  if (after_attempt_) return std::exchange(after_attempt_, nullptr)();
  auto* sink = sink_;
  finish();
  sink->on_complete();
}

void UpstreamFetch::on_attempt_failed(Error error) {
  const auto self = shared_from_this();
  note_hedge();
  const bool by_host = error.blame == Blame::upstream;
  if (by_host) context_->mirrors.failed(tried_, context_->environment.clock.monotonic());
  if (by_host && !head_delivered_ && another_mirror_may_do()) {
    context_->environment.metrics.upstream_retries.add();
    return try_next();
  }
  fail_with(std::move(error));
}

// A request that may have reached one host goes to another only if it may be repeated.
bool UpstreamFetch::another_mirror_may_do() const {
  if (next_candidate_ >= candidates_.size()) return false;
  if (!attempt_ || !attempt_->request_begun()) return true;
  return is_replayable(request_) && !attempt_->body_begun();
}

bool UpstreamFetch::is_redirect(const http::ResponseHead& head) const {
  const bool to_be_followed = head.status == 301 || head.status == 302 || head.status == 303 ||
                              head.status == 307 || head.status == 308;
  return request_.follow_redirects && to_be_followed && request_.body_source == nullptr &&
         head.fields.has(http::FieldId::location);
}

// The response is not for the sink. Without content its connection can be used again; content is
// not worth the wait.
void UpstreamFetch::leave_attempt(const http::ResponseHead& head, Callback<> next) {
  if (head.framing == http::BodyFraming::none) {
    after_attempt_ = std::move(next);
    return;
  }
  std::exchange(attempt_, nullptr)->leave();
  next();
}

void UpstreamFetch::follow(std::uint16_t status, const std::string& location) {
  auto target = redirect_target(location);
  if (!target) return fail_with(std::move(target.error()));
  // RFC 9110 15.4.4: See Other is asked for by GET. The others keep their method: an OCSP question
  // that was posted would be lost by turning it into a GET.
  if (status == 303 && request_.method != http::Method::head) {
    request_.method = http::Method::get;
    request_.body.clear();
    request_.has_body = false;
    request_.fields.remove(http::FieldId::content_type);
    body_ = {};
  }
  // RFC 9110 15.4: credentials were meant for the first host.
  if (target->authority() != request_.uri.authority()) {
    request_.fields.remove(http::FieldId::authorization);
    request_.fields.remove("Cookie");
  }
  request_.uri = std::move(*target);
  begin_hop();
}

Result<http::Uri> UpstreamFetch::redirect_target(std::string_view location) {
  auto target = http::resolve_reference(tried_, location);
  if (!target) {
    return fail(ErrorCode::malformed, Blame::upstream, "a redirect to what is no URI");
  }
  if (tried_.scheme() == http::Scheme::https && target->scheme() == http::Scheme::http) {
    return fail(ErrorCode::refused, Blame::upstream, "a redirect from https to http");
  }
  visited_.insert(request_.uri.text());
  if (!visited_.insert(target->text()).second) {
    // Its own doing: loop_detected is said of requests that come back to us.
    return fail(ErrorCode::malformed, Blame::upstream,
                "a redirect loop, back to " + std::string(target->text()));
  }
  if (visited_.size() > settings_.config->limits.upstream_redirects + 1ULL) {
    return fail(ErrorCode::refused, Blame::upstream,
                "more redirects than limits.upstream_redirects");
  }
  const auto verdict =
      settings_.access->destination(target->scheme(), target->host(), target->port());
  if (verdict == Destination::denied) {
    return fail(
        ErrorCode::refused, Blame::client,
        "a redirect to " + std::string(target->authority()) + ", not in access.destinations");
  }
  return target;
}

void UpstreamFetch::pause() {
  paused_ = true;
  if (attempt_) attempt_->pause();
}

void UpstreamFetch::resume() {
  if (!std::exchange(paused_, false)) return;
  const auto attempt = attempt_;
  if (attempt) attempt->resume();
}

void UpstreamFetch::send_body(std::string_view piece, bool last) {
  if (attempt_) attempt_->send_body(piece, last);
  // The source took its own time; the origin's begins when it has the whole request.
  if (last && !head_delivered_) arm_total();
}

void UpstreamFetch::cancel() {
  const auto self = shared_from_this();
  finish();
}

void UpstreamFetch::finish() {
  sink_ = nullptr;
  total_.reset();
  after_attempt_ = nullptr;
  if (attempt_) std::exchange(attempt_, nullptr)->cancel();
}

void UpstreamFetch::fail_with(Error error) {
  log_failure(error);
  auto* sink = sink_;
  finish();
  sink->on_failed(std::move(error));
}

void UpstreamFetch::log_failure(const Error& error) {
  context_->environment.log.warning("upstream failed",
                                    {{"host", std::string_view(tried_.authority())},
                                     {"code", to_string(error.code)},
                                     {"blame", to_string(error.blame)},
                                     {"detail", std::string_view(error.detail)},
                                     {"attempts", static_cast<std::int64_t>(attempts_)}});
}

}  // namespace revcache::proxy
