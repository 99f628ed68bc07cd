#include "bench/generator/connection.h"

#include <utility>

namespace revcache::bench {

Connection::Connection(uv_loop_t& loop, std::string& buffer, ConnectionOwner& owner)
    : buffer_(buffer), owner_(owner), tcp_(new uv_tcp_t) {
  uv_tcp_init(&loop, tcp_.get());
  tcp_->data = this;
}

void Connection::send(const sockaddr_storage& peer, std::string request) {
  request_ = std::move(request);
  busy_ = true;
  ++sent_;
  parser_.reset();
  if (connected_) return write();
  auto* connecting = new uv_connect_t;
  connecting->data = nullptr;
  const auto* address = reinterpret_cast<const sockaddr*>(&peer);
  if (uv_tcp_connect(connecting, tcp_.get(), address, on_connect) < 0) {
    delete connecting;
    end(Outcome::unconnected);
  }
}

void Connection::on_connect(uv_connect_t* request, int status) {
  auto* self = static_cast<Connection*>(request->handle->data);
  delete request;
  if (self == nullptr) return;
  if (status < 0) return self->end(Outcome::unconnected);
  self->connected_ = true;
  uv_tcp_nodelay(self->tcp_.get(), 1);
  uv_read_start(self->stream(), on_allocate, on_read);
  self->write();
}

void Connection::write() {
  written_at_ = uv_hrtime();
  uv_buf_t whole = uv_buf_init(request_.data(), static_cast<unsigned>(request_.size()));
  // A request is far smaller than an empty socket buffer: less than all of it is a failure.
  if (uv_try_write(stream(), &whole, 1) != static_cast<int>(request_.size())) end(Outcome::cut);
}

void Connection::on_allocate(uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* out) {
  auto* self = static_cast<Connection*>(handle->data);
  if (self == nullptr) {
    *out = uv_buf_init(nullptr, 0);
    return;
  }
  *out = uv_buf_init(self->buffer_.data(), static_cast<unsigned>(self->buffer_.size()));
}

void Connection::on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  auto* self = static_cast<Connection*>(stream->data);
  if (self == nullptr || count == 0) return;
  if (count > 0) return self->take({buffer->base, static_cast<std::size_t>(count)});
  const bool whole = self->busy_ && self->parser_.begun() &&
                     self->parser_.finish() == ResponseParser::Step::complete;
  self->end(whole ? Outcome::right : Outcome::cut);
}

// Octets behind an answer, or without a question, make the connection useless.
void Connection::take(std::string_view chunk) {
  if (!busy_) return end(Outcome::cut);
  switch (parser_.feed(chunk)) {
    case ResponseParser::Step::need_more:
      return;
    case ResponseParser::Step::malformed:
      return end(Outcome::not_http);
    case ResponseParser::Step::complete:
      return end(chunk.empty() ? Outcome::right : Outcome::not_http);
  }
}

void Connection::end(Outcome outcome) {
  busy_ = false;
  owner_.on_ended(*this, outcome);
}

}  // namespace revcache::bench
