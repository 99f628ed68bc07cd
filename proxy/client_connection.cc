#include "proxy/client_connection.h"

#include <utility>

#include "base/check.h"
#include "proxy/request_handler.h"

namespace revcache::proxy {

using http::StepKind;
using metrics::Limit;

namespace {

// Input that waits behind a reply under way: enough for deep pipelining, no more.
constexpr std::size_t kPendingInputBytesMax = 64 * 1024;
// A connection that we end while the client may still be sending (RFC 9112 9.6).
constexpr std::chrono::milliseconds kLingerTimeout{2000};

metrics::MethodLabel label_of(http::Method method) noexcept {
  switch (method) {
    case http::Method::get:
      return metrics::MethodLabel::get;
    case http::Method::head:
      return metrics::MethodLabel::head;
    case http::Method::post:
      return metrics::MethodLabel::post;
    case http::Method::connect:
      return metrics::MethodLabel::connect;
    case http::Method::options:
      return metrics::MethodLabel::options;
    default:
      return metrics::MethodLabel::other;
  }
}

}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<net::Stream> stream, WorkerContext& context,
                                   ConnectionOwner& owner)
    : stream_(std::move(stream)),
      context_(context),
      owner_(owner),
      channel_(*stream_, *this),
      peer_(stream_->peer_address()),
      client_allowed_(context.settings->access->client_allowed(peer_.ip)) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::start() {
  set_deadline(limits().idle_timeout);
  reading_ = true;
  stream_->start_reading(*this);
}

void ClientConnection::set_deadline(std::chrono::milliseconds after) noexcept {
  deadline_ = context_.clock.monotonic() + after;
}

void ClientConnection::on_read(std::string_view chunk) {
  if (mode_ == Mode::discard) {
    body_received_ += chunk.size();
    if (body_received_ > limits().request_body_bytes) close_now();
    return;
  }
  const bool must_wait = mode_ == Mode::blocked || !pending_input_.empty() ||
                         (mode_ == Mode::body && !exchange_->wants_body());
  if (must_wait) return stash(chunk);
  consume(chunk);
}

void ClientConnection::stash(std::string_view rest) {
  pending_input_.append(rest);
  if (pending_input_.size() < kPendingInputBytesMax || !reading_) return;
  reading_ = false;
  stream_->stop_reading();
}

void ClientConnection::consume(std::string_view chunk) {
  consuming_ = true;
  while (!chunk.empty() && consume_step(chunk)) {
  }
  consuming_ = false;
  if (mode_ == Mode::closed) return;
  if (!chunk.empty() && mode_ != Mode::discard) stash(chunk);
  if (mode_ == Mode::await_head) {
    if (parser_ != nullptr && parser_->between_messages()) release_parser();
    const bool in_head = parser_ != nullptr;
    if (in_head && !in_head_) set_deadline(limits().header_timeout);
    in_head_ = in_head;
  }
}

// False: no more of this chunk can be taken now.
bool ClientConnection::consume_step(std::string_view& chunk) {
  if (mode_ != Mode::await_head && mode_ != Mode::body) return false;
  if (mode_ == Mode::body && !exchange_->wants_body()) return false;
  if (parser_ == nullptr) parser_ = owner_.borrow_parser();
  const auto step = parser_->feed(chunk);
  chunk.remove_prefix(step.consumed);
  switch (step.kind) {
    case StepKind::need_more:
      return step.consumed > 0 && !chunk.empty();
    case StepKind::malformed:
      on_malformed();
      return false;
    case StepKind::head:
      on_head(chunk);
      return true;
    case StepKind::body:
      return on_body(step.body);
    case StepKind::end:
      if (exchange_ == nullptr) return true;
      if (mode_ == Mode::body) mode_ = Mode::blocked;
      exchange_->on_body_end();
      return true;
  }
  return false;
}

bool ClientConnection::on_body(std::string_view piece) {
  if (exchange_ == nullptr) return true;  // of a request that was replied to without it
  body_received_ += piece.size();
  if (body_received_ > limits().request_body_bytes) {
    context_.metrics.limits_hit[metrics::index(Limit::body_bytes)].add();
    if (channel_.started()) {
      close_now();
    } else {
      channel_.close_after();
      channel_.send_text({.status = 413,
                          .text = "Request body over limits.request_body_bytes",
                          .close = true,
                          .allow = {},
                          .cache_status = {}},
                         std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
      record_.result = metrics::RequestResult::denied;
      pump();
    }
    return false;
  }
  set_deadline(limits().body_timeout);
  exchange_->on_body(piece);
  return mode_ == Mode::body;
}

void ClientConnection::on_head(std::string_view rest) {
  const auto& head = parser_->head();
  in_head_ = false;
  in_request_ = true;
  body_received_ = 0;
  ++requests_;
  request_began_ = context_.clock.monotonic();
  context_.metrics.requests_in_flight.add(1);
  const auto most = limits().requests_per_connection;
  const bool last = most != 0 && requests_ >= most;
  if (last) context_.metrics.limits_hit[metrics::index(Limit::requests_per_connection)].add();
  // RFC 9110 9.3.6: what follows a CONNECT was meant for the tunnel, also when there is none.
  const bool goes_on = head.keep_alive && !last && head.method != http::Method::connect;
  channel_.begin(head, goes_on && !owner_.draining());

  RequestInput input{
      .head = head, .body = {}, .client = peer_.ip, .client_allowed = client_allowed_};
  if (head.framing == http::BodyFraming::length && rest.size() >= head.content_length) {
    input.body = rest.substr(0, head.content_length);
  }
  const bool body_is_here = input.body.has_value() || head.framing == http::BodyFraming::none;
  exchange_ = handle_request(context_, input, channel_, record_, *this);
  if (exchange_ == nullptr) {
    if (!body_is_here) channel_.close_after();
    if (channel_.state() == ReplyChannel::State::complete) return finish_request();
    mode_ = Mode::blocked;
    return pump();
  }
  mode_ = head.has_body() ? Mode::body : Mode::blocked;
  if (head.has_body()) set_deadline(limits().body_timeout);
  exchange_->start();
}

void ClientConnection::on_malformed() {
  const auto refusal = parser_->refusal();
  if (refusal == http::Refusal::header_too_large) {
    context_.metrics.limits_hit[metrics::index(Limit::header_bytes)].add();
  } else if (refusal == http::Refusal::too_many_fields) {
    context_.metrics.limits_hit[metrics::index(Limit::header_fields)].add();
  } else if (refusal == http::Refusal::target_too_long) {
    context_.metrics.limits_hit[metrics::index(Limit::target_bytes)].add();
  }
  if (in_request_) {
    // Inside a body: whatever was going on cannot be completed.
    if (channel_.started()) return close_now();
  } else {
    in_request_ = true;
    request_began_ = context_.clock.monotonic();
    context_.metrics.requests_in_flight.add(1);
    channel_.begin(http::RequestHead{}, false);
  }
  record_.kind = ObjectKind::other;
  record_.result = metrics::RequestResult::denied;
  record_.detail = parser_->error().detail;
  channel_.send_text(reply_for(refusal),
                     std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
  mode_ = Mode::blocked;
  pump();
}

void ClientConnection::resume_input() {
  if (consuming_ || mode_ == Mode::closed || mode_ == Mode::discard) return;
  const bool ready = mode_ == Mode::await_head || (mode_ == Mode::body && exchange_->wants_body());
  if (!ready) return;
  if (!pending_input_.empty()) {
    const auto input = std::exchange(pending_input_, {});
    consume(input);
    if (mode_ == Mode::closed || mode_ == Mode::tunnel) return;
  }
  const bool waits_for_more = mode_ == Mode::await_head || mode_ == Mode::body;
  if (peer_finished_ && waits_for_more) return close_now();
  if (!reading_ && pending_input_.size() < kPendingInputBytesMax && !peer_finished_) {
    reading_ = true;
    stream_->start_reading(*this);
  }
}

void ClientConnection::pump() {
  if (mode_ == Mode::closed) return;
  if (channel_.state() == ReplyChannel::State::broken) return close_now();
  if (!channel_.drained()) set_deadline(limits().write_timeout);
  if (!in_request_ || channel_.state() != ReplyChannel::State::complete) return;
  finish_request();
  // Also after an asynchronous reply: what came meanwhile is looked at now.
  resume_input();
  // An idle connection holds no parser: that keeps it small, and drain() knows it by that.
  const bool idle = mode_ == Mode::await_head && !consuming_ && parser_ != nullptr;
  if (idle && parser_->between_messages()) release_parser();
}

void ClientConnection::finish_request() {
  record_request();
  in_request_ = false;
  let_go_of_exchange();
  const bool body_unread = mode_ == Mode::body;
  mode_ = Mode::await_head;
  if (!channel_.keep_alive() || owner_.draining() || body_unread) return close_gracefully();
  set_deadline(limits().idle_timeout);
}

void ClientConnection::record_request() {
  auto& metrics = context_.metrics;
  const auto kind = metrics::index(record_.kind);
  const auto result = metrics::index(record_.result);
  const auto duration = context_.precise_clock.monotonic() - request_began_;
  metrics.requests_in_flight.add(-1);
  metrics.requests[kind][metrics::index(label_of(record_.method))][result].add();
  metrics.request_duration[kind][result].observe(duration);
  if (channel_.status() < metrics.responses_by_status.size()) {
    metrics.responses_by_status[channel_.status()].add();
  }
  metrics.response_bytes[kind].add(channel_.body_bytes());
  context_.request_log.record({.client = peer_,
                               .record = record_,
                               .status = channel_.status(),
                               .body_bytes = channel_.body_bytes(),
                               .duration = duration});
}

void ClientConnection::close_gracefully() {
  const bool more_may_come = parser_ != nullptr && !parser_->between_messages();
  if (!more_may_come && pending_input_.empty()) return close_now();
  mode_ = Mode::discard;
  pending_input_.clear();
  body_received_ = 0;
  stream_->shutdown_write();
  set_deadline(kLingerTimeout);
  if (!reading_) {
    reading_ = true;
    stream_->start_reading(*this);
  }
}

void ClientConnection::on_read_end() {
  peer_finished_ = true;
  reading_ = false;
  if (mode_ == Mode::blocked && in_request_) return;  // a client may half-close and still listen
  close_now();
}

void ClientConnection::on_read_error(Error) { close_now(); }

void ClientConnection::close_now() {
  if (mode_ == Mode::closed) return;
  mode_ = Mode::closed;
  if (in_request_) {
    if (channel_.status() == 0 || channel_.state() != ReplyChannel::State::complete) {
      record_.result = metrics::RequestResult::error;
      if (record_.detail.empty()) record_.detail = "the connection was cut";
    }
    record_request();
    in_request_ = false;
  }
  let_go_of_exchange();
  // The next connection takes it, unless it stands inside a message of this one.
  if (parser_ != nullptr && parser_->between_messages()) release_parser();
  parser_.reset();
  stream_.reset();
  owner_.retire(*this);
}

void ClientConnection::let_go_of_exchange() {
  if (exchange_ == nullptr) return;
  exchange_->let_go();
  owner_.bury(std::move(exchange_));
}

void ClientConnection::drain() {
  if (mode_ == Mode::tunnel || (mode_ == Mode::await_head && parser_ == nullptr)) {
    return close_now();
  }
  channel_.close_after();
}

void ClientConnection::release_parser() { owner_.return_parser(std::move(parser_)); }

void ClientConnection::check_deadline(MonotonicTime now) {
  if (now < deadline_ || mode_ == Mode::closed) return;
  auto count = [this](Limit limit) { context_.metrics.limits_hit[metrics::index(limit)].add(); };
  switch (mode_) {
    case Mode::await_head:
      if (!in_head_) {
        count(Limit::idle_timeout);
        return close_now();
      }
      count(Limit::header_timeout);
      break;
    case Mode::body:
      if (!exchange_->wants_body() && channel_.drained())
        return;  // upstream is slow, not the client
      if (!channel_.drained()) {
        count(Limit::write_timeout);
        return close_now();
      }
      count(Limit::body_timeout);
      break;
    case Mode::blocked:
      if (channel_.drained()) return;  // upstream has its own deadlines
      count(Limit::write_timeout);
      return close_now();
    case Mode::discard:
    case Mode::tunnel:
      count(Limit::idle_timeout);
      return close_now();
    case Mode::closed:
      return;
  }
  if (channel_.started() && in_request_) return close_now();
  if (!in_request_) {
    in_request_ = true;
    request_began_ = context_.clock.monotonic();
    context_.metrics.requests_in_flight.add(1);
    channel_.begin(http::RequestHead{}, false);
  }
  record_.result = metrics::RequestResult::denied;
  channel_.send_text({.status = 408,
                      .text = "The request did not arrive in time: see limits.header_timeout and "
                              "limits.body_timeout",
                      .close = true,
                      .allow = {},
                      .cache_status = {}},
                     std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
  mode_ = Mode::body;
  pump();
}

void ClientConnection::begin_tunnel() {
  mode_ = Mode::tunnel;
  set_deadline(limits().tunnel_idle_timeout);
  parser_.reset();  // it takes no more bytes after a CONNECT: nobody else can use it
  const auto early = std::exchange(pending_input_, {});
  exchange_->take_stream(*stream_, early);
}

void ClientConnection::tunnel_active() { set_deadline(limits().tunnel_idle_timeout); }

void ClientConnection::tunnel_ended() { close_now(); }

void ClientConnection::on_reply_progress() { set_deadline(limits().write_timeout); }

void ClientConnection::on_reply_drained() {
  if (exchange_ != nullptr) exchange_->on_reply_drained();
  pump();
}

void ClientConnection::on_reply_broken() { close_now(); }

}  // namespace revcache::proxy
