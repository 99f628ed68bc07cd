#include "tests/sim/sim_origin.h"

#include <algorithm>
#include <utility>

#include "http/parser.h"
#include "http/serializer.h"

namespace revcache::sim {

std::string http_response(unsigned status, std::string_view body, std::string_view fields) {
  std::string out;
  const auto code = static_cast<std::uint16_t>(status);
  http::append_status_line(out, code, http::reason_phrase(code));
  out += fields;
  if (status != 304 && status != 204) {
    http::append_field(out, "Content-Length", std::to_string(body.size()));
  }
  out += "\r\n";
  out += body;
  return out;
}

class SimOrigin::Connection final : public std::enable_shared_from_this<Connection>,
                                    private net::StreamReader {
 public:
  Connection(SimOrigin& origin, std::unique_ptr<net::Stream> stream, std::size_t number)
      : origin_(&origin), stream_(std::move(stream)), number_(number) {
    renew_parser();
  }

  void read() {
    if (stream_) stream_->start_reading(*this);
  }
  void stop_reading() {
    if (stream_) stream_->stop_reading();
  }
  void close() { stream_.reset(); }
  void detach() {
    origin_ = nullptr;
    close();
  }
  [[nodiscard]] bool is_open() const noexcept { return stream_ != nullptr; }
  [[nodiscard]] bool is_idle() const { return parser_->between_messages(); }
  [[nodiscard]] const std::string& received() const noexcept { return received_; }

 private:
  void renew_parser() { parser_ = std::make_unique<http::RequestParser>(limits_); }

  void on_read(std::string_view chunk) override {
    const auto self = shared_from_this();
    received_ += chunk;
    while (!chunk.empty() && stream_) {
      const auto step = parser_->feed(chunk);
      chunk.remove_prefix(step.consumed);
      if (step.kind == http::StepKind::malformed) return close();
      if (step.kind == http::StepKind::head) on_head();
      if (step.kind == http::StepKind::body) request_.body += step.body;
      if (step.kind == http::StepKind::end && !origin_->answer_at_head_) on_request();
    }
  }
  void on_read_end() override { close(); }
  void on_read_error(Error) override { close(); }

  void on_head() {
    const auto& head = parser_->head();
    request_ = {std::string(head.method_text),
                std::string(head.target),
                http::Fields(head.fields),
                {},
                number_,
                origin_->scheduler_.elapsed()};
    const bool tunnel = head.method == http::Method::connect;
    const bool complete = !head.has_body();
    if (complete || origin_->answer_at_head_) on_request();
    if (tunnel) renew_parser();
  }

  void on_request() {
    origin_->requests_.push_back(request_);
    auto answer = origin_->script_(request_);
    origin_->scheduler_.after(answer.delay,
                              [self = shared_from_this(), answer = std::move(answer)]() mutable {
                                self->send(std::move(answer));
                              });
  }

  void send(SimAnswer answer) {
    if (!stream_) return;
    if (answer.bytes.empty()) {
      if (answer.close) close();
      return;
    }
    stream_->write({SharedBytes::take(std::move(answer.bytes))},
                   [self = shared_from_this(), close = answer.close](const auto&) {
                     if (close) self->close();
                   });
  }

  SimOrigin* origin_;
  std::unique_ptr<net::Stream> stream_;
  std::size_t number_;
  http::ParserLimits limits_;
  std::unique_ptr<http::RequestParser> parser_;
  SimRequest request_;
  std::string received_;
};

SimOrigin::SimOrigin(SimScheduler& scheduler, SimNetwork& network, const SocketAddress& address,
                     Script script)
    : scheduler_(scheduler), network_(network), address_(address), script_(std::move(script)) {
  network_.listen(address_, [this](auto stream) {
    auto connection = std::make_shared<Connection>(*this, std::move(stream), accepted_++);
    if (reading_) connection->read();
    connections_.push_back(std::move(connection));
  });
}

SimOrigin::~SimOrigin() {
  network_.stop_listening(address_);
  for (const auto& connection : connections_) connection->detach();
}

void SimOrigin::stop_reading() {
  reading_ = false;
  for (const auto& connection : connections_) connection->stop_reading();
}

void SimOrigin::resume_reading() {
  reading_ = true;
  for (const auto& connection : connections_) connection->read();
}

void SimOrigin::close_connections() {
  for (const auto& connection : connections_) {
    if (connection->is_idle()) connection->close();
  }
}

std::string SimOrigin::received(std::size_t connection) const {
  return connection < connections_.size() ? connections_[connection]->received() : std::string();
}

std::size_t SimOrigin::open_connections() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(connections_, [](const auto& known) { return known->is_open(); }));
}

}  // namespace revcache::sim
