#include "proxy/upstream_attempt.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "proxy/upstream_request.h"

namespace revcache::proxy {

namespace {

using metrics::UpstreamOutcome;
using metrics::UpstreamPhase;

constexpr std::chrono::seconds kRateWindow{5};  // of limits.upstream_rate_min

UpstreamOutcome outcome_of(std::uint16_t status) {
  if (status == 304) return UpstreamOutcome::not_modified;
  if (status >= 500) return UpstreamOutcome::server_error;
  return status >= 400 ? UpstreamOutcome::client_error : UpstreamOutcome::ok;
}

UpstreamOutcome outcome_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::timed_out:
      return UpstreamOutcome::timed_out;
    case ErrorCode::unreachable:
      return UpstreamOutcome::unreachable;
    case ErrorCode::disconnected:
      return UpstreamOutcome::disconnected;
    case ErrorCode::untrusted:
      return UpstreamOutcome::untrusted;
    case ErrorCode::refused:
    case ErrorCode::loop_detected:
      return UpstreamOutcome::refused;
    default:
      return UpstreamOutcome::malformed;
  }
}

// RFC 9112 7.1: "1f4\r\n".
std::string chunk_line(std::size_t bytes) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16).ptr;
  return std::string(digits.data(), end) + "\r\n";
}

}  // namespace

UpstreamAttempt::UpstreamAttempt(std::shared_ptr<UpstreamContext> context,
                                 UpstreamSettings settings, Plan plan, AttemptListener& listener)
    : context_(std::move(context)),
      settings_(std::move(settings)),
      plan_(std::move(plan)),
      listener_(&listener),
      route_(route_to(plan_.uri, settings_)) {}

void UpstreamAttempt::start() {
  arm_deadline();
  // What could not be repeated is not tried on a connection that may be dead.
  acquire(!is_replayable(plan_.request));
}

void UpstreamAttempt::arm_deadline() {
  timer_ = context_->environment.timers.after(settings_.config->upstream.attempt_timeout, [this] {
    const auto self = shared_from_this();
    on_deadline();
  });
}

void UpstreamAttempt::acquire(bool fresh) {
  const auto key = route_.pool_key();
  auto lease = context_->pool.try_acquire(key, fresh);
  if (lease) return on_lease(std::move(*lease));
  ticket_ = context_->pool.wait(key, fresh, [this](UpstreamLease granted) {
    const auto self = shared_from_this();
    ticket_.reset();
    on_lease(std::move(granted));
  });
  if (ticket_) return;
  timer_ = context_->environment.timers.after(std::chrono::milliseconds(0), [this] {
    const auto self = shared_from_this();
    fail_with({ErrorCode::overloaded, Blame::local,
               "too many requests wait for an upstream connection (limits.upstream_queue)"});
  });
}

void UpstreamAttempt::on_lease(UpstreamLease lease) {
  if (lease.idle) return exchange_on(std::move(lease.idle));
  dial(std::move(lease.slot));
}

void UpstreamAttempt::dial(UpstreamSlot slot) {
  slot_ = std::move(slot);
  const auto& environment = context_->environment;
  const auto deadline = std::min(
      plan_.deadline, environment.clock.monotonic() + settings_.config->upstream.attempt_timeout);
  dial_ = std::make_shared<UpstreamDial>(
      environment, settings_, route_, deadline,
      [self = shared_from_this()](auto dialed) { self->on_dialed(std::move(dialed)); });
  dial_->start();
}

void UpstreamAttempt::on_dialed(Result<std::unique_ptr<net::Stream>> dialed) {
  dial_.reset();
  if (!dialed) return fail_with(std::move(dialed.error()));
  exchange_on(
      std::make_shared<UpstreamConnection>(std::move(*dialed), std::move(slot_), settings_.config,
                                           context_->environment.metrics.upstream_connections));
}

void UpstreamAttempt::exchange_on(std::shared_ptr<UpstreamConnection> connection) {
  const auto& clock = context_->environment.clock;
  connection_ = std::move(connection);
  request_begun_ = true;
  request_time_ = clock.wall();
  phase_began_ = clock.monotonic();
  connection_->begin(plan_.request.method, *this);
  if (paused_) connection_->pause();
  send_request();
}

void UpstreamAttempt::send_request() {
  std::string head =
      render_request_head(plan_.request, plan_.uri, route_, context_->environment.instance_id);
  const bool head_is_all = plan_.body.empty() && plan_.request.body_source == nullptr;
  if (head_is_all) {
    // Nearly always the socket takes it, and nothing has to wait for that to be told.
    const std::size_t taken = connection_->try_write(head);
    if (taken == head.size()) return connection_->request_complete();
    head.erase(0, taken);
  }
  std::vector<SharedBytes> pieces;
  pieces.push_back(SharedBytes::take(std::move(head)));
  if (!plan_.body.empty()) pieces.push_back(plan_.body);
  connection_->write(std::move(pieces), [self = shared_from_this()] { self->on_request_sent(); });
}

void UpstreamAttempt::on_request_sent() {
  if (plan_.request.body_source == nullptr) return connection_->request_complete();
  want_body();
}

void UpstreamAttempt::want_body() {
  body_begun_ = true;
  if (!head_seen_) timer_.reset();  // the source has its own deadlines
  plan_.request.body_source->want_body();
}

void UpstreamAttempt::send_body(std::string_view piece, bool last) {
  if (!connection_ || !body_begun_) return;
  std::vector<SharedBytes> pieces;
  const bool chunked = !plan_.request.body_length.has_value();
  if (chunked && !piece.empty()) pieces.push_back(SharedBytes::take(chunk_line(piece.size())));
  if (!piece.empty()) pieces.push_back(SharedBytes::copy_of(piece));
  std::string end = chunked && !piece.empty() ? "\r\n" : "";
  if (chunked && last) end += "0\r\n\r\n";
  if (!end.empty()) pieces.push_back(SharedBytes::take(std::move(end)));
  if (pieces.empty()) return on_piece_sent(last);
  if (!head_seen_) arm_deadline();
  connection_->write(std::move(pieces),
                     [self = shared_from_this(), last] { self->on_piece_sent(last); });
}

void UpstreamAttempt::on_piece_sent(bool last) {
  if (!last) return want_body();
  connection_->request_complete();
  if (!head_seen_) arm_deadline();
}

void UpstreamAttempt::on_response_head(http::ResponseHead head) {
  const auto self = shared_from_this();
  observe(UpstreamPhase::first_byte, phase_began_);
  phase_began_ = context_->environment.clock.monotonic();
  head_seen_ = true;
  status_ = head.status;
  timer_.reset();
  if (!paused_) watch_rate();
  listener_->on_attempt_head(std::move(head), request_time_);
}

void UpstreamAttempt::on_response_body(std::string_view piece) {
  const auto self = shared_from_this();
  window_bytes_ += piece.size();
  const auto kind = static_cast<std::size_t>(plan_.request.kind);
  context_->environment.metrics.upstream_response_bytes[kind].add(piece.size());
  listener_->on_attempt_body(piece);
}

void UpstreamAttempt::on_response_end() {
  const auto self = shared_from_this();
  observe(UpstreamPhase::body, phase_began_);
  count(outcome_of(status_));
  timer_.reset();
  context_->pool.release(std::exchange(connection_, nullptr));
  std::exchange(listener_, nullptr)->on_attempt_complete();
}

void UpstreamAttempt::on_connection_failed(Error error) {
  const auto self = shared_from_this();
  if (error.code == ErrorCode::disconnected && may_try_again(error.code)) return try_again();
  fail_with(std::move(error));
}

void UpstreamAttempt::on_deadline() {
  if (may_try_again(ErrorCode::timed_out)) return try_again();
  const auto* waiting = ticket_ ? "no connection became free" : "no answer";
  fail_with({ErrorCode::timed_out, Blame::upstream,
             std::string(waiting) + " within upstream.attempt_timeout"});
}

// Looks at a body once per window; a pause begins a new one.
void UpstreamAttempt::watch_rate() {
  window_bytes_ = 0;
  timer_ = context_->environment.timers.after(kRateWindow, [this] {
    const auto self = shared_from_this();
    const auto rate = settings_.config->limits.upstream_rate_min;
    const auto wanted = rate * static_cast<std::uint64_t>(kRateWindow.count());
    if (window_bytes_ >= std::max<std::uint64_t>(wanted, 1)) return watch_rate();
    fail_with({ErrorCode::timed_out, Blame::upstream,
               "the body came slower than limits.upstream_rate_min"});
  });
}

// RFC 9112 9.3.1: a connection that was idle may be closed just as we send on it. Without a byte
// of a response the request may be repeated on a new one, if it is of the kind.
bool UpstreamAttempt::may_try_again(ErrorCode code) const {
  if (!connection_ || !connection_->was_used() || connection_->response_begun()) return false;
  if (!is_replayable(plan_.request)) return false;
  return code == ErrorCode::disconnected || code == ErrorCode::timed_out;
}

void UpstreamAttempt::try_again() {
  context_->environment.metrics.upstream_retries.add();
  arm_deadline();
  auto slot = connection_->close_for_another();
  connection_.reset();
  dial(std::move(slot));
}

void UpstreamAttempt::pause() {
  paused_ = true;
  if (head_seen_) timer_.reset();
  if (connection_) connection_->pause();
}

void UpstreamAttempt::resume() {
  if (!std::exchange(paused_, false)) return;
  const auto self = shared_from_this();
  if (head_seen_ && listener_ != nullptr) watch_rate();
  const auto connection = connection_;
  if (connection) connection->resume();
}

void UpstreamAttempt::cancel() {
  const auto self = shared_from_this();
  listener_ = nullptr;
  release_all();
}

void UpstreamAttempt::leave() {
  count(outcome_of(status_));
  cancel();
}

void UpstreamAttempt::release_all() {
  timer_.reset();
  ticket_.reset();
  if (dial_) std::exchange(dial_, nullptr)->cancel();
  if (connection_) std::exchange(connection_, nullptr)->close();
  slot_.release();
}

void UpstreamAttempt::fail_with(Error error) {
  const auto self = shared_from_this();
  if (error.code != ErrorCode::overloaded) count(outcome_of(error.code));
  release_all();
  std::exchange(listener_, nullptr)->on_attempt_failed(std::move(error));
}

void UpstreamAttempt::count(UpstreamOutcome outcome) {
  auto& metrics = context_->environment.metrics;
  metrics.upstream_requests[route_.label][metrics::index(outcome)].add();
  if (outcome == UpstreamOutcome::refused) return;  // by ourselves: tells nothing of the host
  const bool answered = outcome == UpstreamOutcome::ok ||
                        outcome == UpstreamOutcome::not_modified ||
                        outcome == UpstreamOutcome::client_error;
  auto& times = answered ? metrics.upstream_answered_at : metrics.upstream_failed_at;
  times[route_.label].set(context_->environment.clock.wall().time_since_epoch().count());
}

void UpstreamAttempt::observe(UpstreamPhase phase, MonotonicTime since) {
  context_->environment.metrics.upstream_duration[route_.label][metrics::index(phase)].observe(
      context_->environment.clock.monotonic() - since);
}

}  // namespace revcache::proxy
