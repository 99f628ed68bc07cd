#include "proxy/upstream_hedge.h"

#include <chrono>
#include <utility>

namespace revcache::proxy {

namespace {

constexpr std::uint16_t kServerError = 500;

}  // namespace

UpstreamHedge::UpstreamHedge(std::shared_ptr<UpstreamContext> context, UpstreamSettings settings,
                             Plan plan, AttemptListener& listener)
    : context_(std::move(context)),
      settings_(std::move(settings)),
      plan_(std::move(plan)),
      listener_(&listener) {}

void UpstreamHedge::start() {
  const auto& environment = context_->environment;
  if (plan_.second) {
    const auto wait = context_->mirrors.hedge_after(plan_.first.uri, *plan_.second,
                                                    environment.clock.monotonic());
    if (wait) timer_ = environment.timers.after(*wait, [this] { begin_second(); });
  }
  begin(first_, plan_.first.uri);
}

void UpstreamHedge::begin(Side& side, const http::Uri& uri) {
  side.began = context_->environment.clock.monotonic();
  side.attempt = std::make_shared<UpstreamAttempt>(
      context_, settings_,
      UpstreamAttempt::Plan{plan_.first.request, plan_.first.body, uri, plan_.first.deadline},
      static_cast<AttemptListener&>(side));
  if (paused_) side.attempt->pause();
  side.attempt->start();
}

void UpstreamHedge::begin_second() {
  const auto self = shared_from_this();
  timer_.reset();
  context_->environment.log.debug("upstream hedged", {{"slow", plan_.first.uri.authority()},
                                                      {"asked", plan_.second->authority()}});
  begin(second_, *plan_.second);
}

void UpstreamHedge::Side::on_attempt_head(http::ResponseHead head, WallTime request_time) {
  const auto self = hedge.shared_from_this();
  hedge.on_head(*this, std::move(head), request_time);
}

void UpstreamHedge::Side::on_attempt_body(std::string_view piece) {
  const auto self = hedge.shared_from_this();
  hedge.listener_->on_attempt_body(piece);
}

void UpstreamHedge::Side::on_attempt_complete() {
  const auto self = hedge.shared_from_this();
  ended = true;
  std::exchange(hedge.listener_, nullptr)->on_attempt_complete();
}

void UpstreamHedge::Side::on_attempt_failed(Error error) {
  const auto self = hedge.shared_from_this();
  ended = true;
  hedge.on_failed(*this, std::move(error));
}

void UpstreamHedge::on_head(Side& side, http::ResponseHead head, WallTime request_time) {
  const auto now = context_->environment.clock.monotonic();
  if (head.status >= kServerError && other(side).is_pending()) {
    context_->mirrors.failed(side.attempt->uri(), now);
    side.ended = true;
    return side.attempt->leave();
  }
  winner_ = &side;
  timer_.reset();
  drop(other(side));
  // Nothing is learned of the loser: how slow it would have been, nobody knows.
  if (head.status < kServerError) {
    context_->mirrors.answered(side.attempt->uri(),
                               std::chrono::ceil<std::chrono::milliseconds>(now - side.began));
  }
  listener_->on_attempt_head(std::move(head), request_time);
}

void UpstreamHedge::on_failed(Side& side, Error error) {
  if (winner_ == nullptr && other(side).is_pending()) {
    if (error.blame == Blame::upstream) {
      context_->mirrors.failed(side.attempt->uri(), context_->environment.clock.monotonic());
    }
    return;
  }
  winner_ = &side;
  timer_.reset();
  std::exchange(listener_, nullptr)->on_attempt_failed(std::move(error));
}

void UpstreamHedge::drop(Side& side) {
  if (!side.is_pending()) return;
  side.ended = true;
  side.attempt->cancel();
}

void UpstreamHedge::cancel() {
  const auto self = shared_from_this();
  listener_ = nullptr;
  timer_.reset();
  drop(first_);
  drop(second_);
}

void UpstreamHedge::leave() {
  const auto self = shared_from_this();
  if (winner_ != nullptr && winner_->is_pending()) {
    winner_->ended = true;
    winner_->attempt->leave();
  }
  cancel();
}

void UpstreamHedge::pause() {
  paused_ = true;
  for (auto* side : {&first_, &second_}) {
    if (side->is_pending()) side->attempt->pause();
  }
}

void UpstreamHedge::resume() {
  const auto self = shared_from_this();
  paused_ = false;
  for (auto* side : {&first_, &second_}) {
    const auto attempt = side->is_pending() ? side->attempt : nullptr;
    if (attempt) attempt->resume();
  }
}

// Of a request that is hedged never: a streamed body cannot be sent twice.
void UpstreamHedge::send_body(std::string_view piece, bool last) {
  if (first_.is_pending()) first_.attempt->send_body(piece, last);
}

bool UpstreamHedge::body_begun() const noexcept {
  return first_.attempt && first_.attempt->body_begun();
}

bool UpstreamHedge::request_begun() const noexcept {
  return (first_.attempt && first_.attempt->request_begun()) ||
         (second_.attempt && second_.attempt->request_begun());
}

const http::Uri& UpstreamHedge::tried() const noexcept {
  if (winner_ != nullptr) return winner_->attempt->uri();
  return (second_begun() ? second_ : first_).attempt->uri();
}

}  // namespace revcache::proxy
