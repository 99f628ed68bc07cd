#include "proxy/parent_tunnel.h"

#include <utility>
#include <vector>

#include "http/serializer.h"
#include "proxy/prefixed_stream.h"

namespace revcache::proxy {

ParentTunnel::ParentTunnel(net::Timers& timers, const http::ParserLimits& limits, Plan plan,
                           net::ConnectDone done)
    : timers_(timers), parser_(limits), plan_(std::move(plan)), done_(std::move(done)) {}

void ParentTunnel::start() {
  std::string head;
  http::append_request_line(head, "CONNECT", plan_.authority);
  http::append_field(head, "Host", plan_.authority);
  if (!plan_.authorization.empty()) {
    http::append_field(head, "Proxy-Authorization", plan_.authorization);
  }
  head += "\r\n";
  parser_.begin(http::Method::connect);
  // A failed write shows in what is read.
  plan_.stream->write({SharedBytes::take(std::move(head))}, [](const auto&) {});
  plan_.stream->start_reading(*this);
  timer_ = timers_.after(plan_.timeout, [self = shared_from_this()] {
    self->finish(fail(ErrorCode::timed_out, Blame::upstream,
                      "the parent proxy did not answer CONNECT " + self->plan_.authority));
  });
}

void ParentTunnel::cancel() {
  const auto self = shared_from_this();
  done_ = nullptr;
  timer_.reset();
  plan_.stream.reset();
}

void ParentTunnel::on_read(std::string_view chunk) {
  while (!chunk.empty()) {
    const auto step = parser_.feed(chunk);
    chunk.remove_prefix(step.consumed);
    if (step.kind == http::StepKind::malformed) {
      return finish(std::unexpected(parser_.error()));
    }
    if (step.kind != http::StepKind::head) continue;
    if (parser_.head().status / 100 != 1) return on_answer(chunk);
  }
}

void ParentTunnel::on_answer(std::string_view rest) {
  const auto status = parser_.head().status;
  if (status / 100 != 2) {
    return finish(fail(ErrorCode::unreachable, Blame::upstream,
                       "the parent proxy answered CONNECT " + plan_.authority + " with " +
                           std::to_string(status)));
  }
  plan_.stream->stop_reading();
  finish(with_prefix(std::move(plan_.stream), std::string(rest), timers_));
}

void ParentTunnel::on_read_end() {
  finish(fail(ErrorCode::disconnected, Blame::upstream,
              "the parent proxy closed instead of answering CONNECT"));
}

void ParentTunnel::on_read_error(Error error) { finish(std::unexpected(std::move(error))); }

void ParentTunnel::finish(Result<std::unique_ptr<net::Stream>> outcome) {
  const auto self = shared_from_this();
  timer_.reset();
  plan_.stream.reset();
  std::exchange(done_, nullptr)(std::move(outcome));
}

}  // namespace revcache::proxy
