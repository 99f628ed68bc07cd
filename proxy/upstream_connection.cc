#include "proxy/upstream_connection.h"

#include <utility>

#include "base/check.h"

namespace revcache::proxy {

UpstreamConnection::UpstreamConnection(std::unique_ptr<net::Stream> stream, UpstreamSlot slot,
                                       std::shared_ptr<const config::Config> config,
                                       metrics::Gauge& open_connections)
    : slot_(std::move(slot)),
      config_(std::move(config)),
      open_connections_(open_connections),
      parser_(config_->limits.parser),
      stream_(std::move(stream)) {
  open_connections_.add(1);
}

UpstreamConnection::~UpstreamConnection() { close(); }

void UpstreamConnection::begin(http::Method method, User& user) {
  CHECK(user_ == nullptr && stream_ != nullptr);
  lost_ = nullptr;
  user_ = &user;
  was_used_ = std::exchange(used_, true);
  request_complete_ = response_begun_ = head_delivered_ = keep_alive_ = reusable_ = false;
  paused_ = false;
  parser_.begin(method);
  stream_->start_reading(*this);
}

std::size_t UpstreamConnection::try_write(std::string_view text) {
  return stream_->try_write({&text, 1});
}

void UpstreamConnection::write(std::vector<SharedBytes> pieces, Callback<> sent) {
  stream_->write(std::move(pieces),
                 [self = shared_from_this(), sent = std::move(sent)](const auto& result) mutable {
                   if (result && self->user_ != nullptr) sent();
                 });
}

void UpstreamConnection::pause() {
  paused_ = true;
  if (head_delivered_ && stream_) stream_->stop_reading();
}

void UpstreamConnection::resume() {
  if (!std::exchange(paused_, false) || !head_delivered_ || parsing_) return;
  const auto self = shared_from_this();
  const std::string held = std::exchange(held_, {});
  if (!held.empty()) parse(held);
  if (!paused_ && stream_ && user_ != nullptr) stream_->start_reading(*this);
}

void UpstreamConnection::close() {
  user_ = nullptr;
  lost_ = nullptr;
  close_stream();
  slot_.release();
}

UpstreamSlot UpstreamConnection::close_for_another() {
  auto slot = std::move(slot_);
  close();
  return slot;
}

void UpstreamConnection::close_stream() {
  if (stream_) open_connections_.add(-1);
  stream_.reset();
}

void UpstreamConnection::watch(Callback<> lost) {
  CHECK(reusable_ && user_ == nullptr);
  lost_ = std::move(lost);
  stream_->start_reading(*this);
}

void UpstreamConnection::on_read(std::string_view chunk) {
  if (user_ == nullptr) return lose();
  response_begun_ = true;
  parse(chunk);
}

// Feeds the parser until the chunk is used up, the exchange ends, or its user wants a pause.
void UpstreamConnection::parse(std::string_view chunk) {
  const auto self = shared_from_this();
  parsing_ = true;
  while (!chunk.empty() && user_ != nullptr) {
    if (paused_ && head_delivered_) {
      held_ = chunk;
      stream_->stop_reading();
      break;
    }
    const auto step = parser_.feed(chunk);
    chunk.remove_prefix(step.consumed);
    switch (step.kind) {
      case http::StepKind::need_more:
        break;
      case http::StepKind::head:
        on_head_parsed(!chunk.empty());
        break;
      case http::StepKind::body:
        user_->on_response_body(step.body);
        break;
      case http::StepKind::end:
        end_response(!chunk.empty());
        break;
      case http::StepKind::malformed:
        fail_exchange(parser_.error());
        break;
    }
  }
  parsing_ = false;
  // Its user may have paused and resumed meanwhile.
  if (!paused_ && user_ != nullptr && stream_) stream_->start_reading(*this);
}

void UpstreamConnection::on_head_parsed(bool more_follows) {
  auto& head = parser_.head();
  if (head.status < 200) return;
  head_delivered_ = true;
  keep_alive_ = head.keep_alive;
  const bool complete = head.framing == http::BodyFraming::none;
  user_->on_response_head(std::move(head));
  if (complete && user_ != nullptr) end_response(more_follows);
}

void UpstreamConnection::end_response(bool surplus) {
  // Bytes behind the response answer nothing: the two sides disagree about where it ended.
  reusable_ = keep_alive_ && request_complete_ && !surplus;
  std::exchange(user_, nullptr)->on_response_end();
}

void UpstreamConnection::on_read_end() {
  if (user_ == nullptr) return lose();
  const auto self = shared_from_this();
  keep_alive_ = false;
  const auto step = parser_.finish();
  if (step.kind == http::StepKind::end) return end_response(false);
  if (step.kind == http::StepKind::malformed) return fail_exchange(parser_.error());
  fail_exchange({ErrorCode::disconnected, Blame::upstream, "closed instead of answering"});
}

void UpstreamConnection::on_read_error(Error error) {
  if (user_ == nullptr) return lose();
  error.blame = Blame::upstream;
  fail_exchange(std::move(error));
}

void UpstreamConnection::fail_exchange(Error error) {
  std::exchange(user_, nullptr)->on_connection_failed(std::move(error));
}

void UpstreamConnection::lose() {
  const auto self = shared_from_this();
  close_stream();
  if (lost_) std::exchange(lost_, nullptr)();
}

}  // namespace revcache::proxy
