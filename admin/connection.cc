#include "admin/connection.h"

#include <chrono>
#include <expected>
#include <utility>
#include <vector>

#include "admin/api_check.h"
#include "admin/api_status.h"
#include "base/check.h"

namespace revcache::admin {
namespace {

std::uint16_t status_of(http::Refusal refusal) {
  switch (refusal) {
    case http::Refusal::header_too_large:
    case http::Refusal::too_many_fields:
      return 431;
    case http::Refusal::target_too_long:
      return 414;
    case http::Refusal::version_not_supported:
      return 505;
    case http::Refusal::transfer_coding_not_implemented:
      return 501;
    case http::Refusal::none:
    case http::Refusal::bad_request:
      break;
  }
  return 400;
}

}  // namespace

AdminConnection::AdminConnection(AdminServer& server, std::size_t id,
                                 std::unique_ptr<net::Stream> stream)
    : server_(server), id_(id), stream_(std::move(stream)), parser_(server.options_.parser) {}

void AdminConnection::start() {
  watch(server_.options_.idle_timeout);
  stream_->start_reading(*this);
}

void AdminConnection::drain() {
  framing_.keep_alive = false;
  if (!answering_) close();
}

void AdminConnection::close() {
  if (!stream_) return;
  const auto self = shared_from_this();  // the server may hold the last other reference
  deadline_.reset();
  stream_.reset();
  server_.retire(id_);
}

void AdminConnection::on_read(std::string_view chunk) {
  if (lingering_) return;
  const auto self = shared_from_this();
  consume(chunk);
}

void AdminConnection::on_read_end() {
  peer_ended_ = true;
  // A client may finish sending and still wait for its answer.
  if (!answering_) close();
}

void AdminConnection::on_read_error(Error) { close(); }

void AdminConnection::consume(std::string_view chunk) {
  while (stream_ && !answering_ && !chunk.empty()) {
    const http::Step step = parser_.feed(chunk);
    chunk.remove_prefix(step.consumed);
    if (step.kind == http::StepKind::head) {
      on_head();
    } else if (step.kind == http::StepKind::body) {
      on_body(step.body);
    } else if (step.kind == http::StepKind::end) {
      on_body_end();
    } else if (step.kind == http::StepKind::malformed) {
      on_malformed();
      return;
    } else if (!in_head_ && parser_.in_head()) {
      in_head_ = true;
      watch(server_.options_.header_timeout);
    }
  }
  if (stream_ && answering_) unread_ = chunk;
}

void AdminConnection::on_head() {
  const http::RequestHead& head = parser_.head();
  in_head_ = false;
  Decision decision = decide(head, server_.options_.rules);
  // Only the API's bodies are read: what follows another one could not be told from it.
  const bool reads_body = decision.api && head.has_body();
  const bool reusable = head.keep_alive && (!head.has_body() || reads_body) && !server_.draining_ &&
                        head.method != http::Method::connect;
  framing_ = {.keep_alive = reusable,
              .without_body = head.method == http::Method::head,
              .say_keep_alive = head.version < http::Version{1, 1}};
  codings_ = accepted_codings(head.fields);
  if (!codings_.gzip && !codings_.identity) {
    framing_.keep_alive = framing_.keep_alive && !head.has_body();
    begin_answer();
    return send(coding_refusal());
  }
  if (reads_body) {
    called_ = *std::move(decision.api);
    body_.clear();
    watch(server_.options_.body_timeout);
    return;
  }
  begin_answer();
  if (decision.api) {
    call_api(*decision.api, {});
  } else if (decision.file) {
    send(*std::move(decision.file));
  } else if (decision.health_of) {
    tell_health(*std::move(decision.health_of));
  } else if (!decision.page) {
    send(decision.refusal);
  } else if (*decision.page == Page::metrics) {
    make_metrics();
  } else {
    send(page_answer(*decision.page, *server_.sources_));
  }
}

void AdminConnection::on_body(std::string_view piece) {
  if (!called_) return;
  const ApiCall call = called_->call;
  if (piece.size() <= body_bytes_max(call) - body_.size()) {
    body_ += piece;
    return;
  }
  called_.reset();
  framing_.keep_alive = false;
  begin_answer();
  send(too_long(call));
}

void AdminConnection::on_body_end() {
  if (!called_) return;
  begin_answer();
  const ApiRequest request = *std::exchange(called_, std::nullopt);
  call_api(request, std::exchange(body_, {}));
}

void AdminConnection::on_malformed() {
  called_.reset();
  framing_ = {.keep_alive = false};
  codings_ = {};
  begin_answer();
  send(malformed_answer(status_of(parser_.refusal()), "this request cannot be read"));
}

void AdminConnection::begin_answer() {
  answering_ = true;
  stream_->stop_reading();
  watch(server_.options_.answer_timeout);
}

// The disk may be slow, and a change waits until it is durable. One that was begun is carried out
// even if nobody waits for its answer any more.
void AdminConnection::call_api(const ApiRequest& request, std::string body) {
  const auto operations = server_.sources_->operations;
  if (operations == nullptr) return send(api_error(503, "nothing is offered here"));
  if (request.call == ApiCall::refresh) return refresh(body);
  if (request.call == ApiCall::check) return check(std::move(body));
  if (request.call == ApiCall::purge) watch(server_.options_.purge_timeout);
  auto asked = request;
  asked.by = stream_->peer_address().to_string();
  answer_off_loop(
      net::WorkKind::disk,
      [operations, asked = std::move(asked), body = std::move(body)] {
        return answer_call(asked, body, *operations);
      },
      api_error(503, "the disk queue is full: try again"));
}

void AdminConnection::refresh(std::string_view body) {
  const auto target = read_refresh_target(body);
  if (!target) return send(target.error());
  server_.sources_->operations->refresh(
      *target, [weak = weak_from_this()](const Done<std::vector<RefreshedUrl>>& done) {
        const auto self = weak.lock();
        if (self && self->stream_) self->send(refresh_answer(done));
      });
}

// Reading some dozens of certificates would hold up the loop.
void AdminConnection::check(std::string body) {
  auto question = std::make_shared<std::expected<CheckQuestion, Answer>>();
  const bool taken = server_.environment_.work.submit(
      net::WorkKind::parse,
      [question, body = std::move(body)] { *question = read_check_question(body); },
      [question, weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || !self->stream_) return;
        if (!*question) return self->send(question->error());
        self->server_.sources_->operations->check(std::move(**question),
                                                  [weak](Done<std::string> json) {
                                                    const auto waiting = weak.lock();
                                                    if (waiting && waiting->stream_)
                                                      waiting->send(check_answer(std::move(json)));
                                                  });
      });
  if (!taken) send(api_error(503, "the parse queue is full: try again"));
}

// Adding up and formatting thousands of series would hold up the loop.
void AdminConnection::make_metrics() {
  answer_off_loop(
      net::WorkKind::serialise,
      [sources = server_.sources_] { return metrics_answer(sources->metrics_text()); },
      overloaded_answer());
}

// Walks all that is known, as /api/v1/status does.
void AdminConnection::tell_health(std::string authority) {
  const auto operations = server_.sources_->operations;
  if (operations == nullptr) return send(overloaded_answer());
  answer_off_loop(
      net::WorkKind::disk,
      [operations, authority = std::move(authority)] {
        return health_answer(operations->status(), authority);
      },
      overloaded_answer());
}

void AdminConnection::answer_off_loop(net::WorkKind kind, std::function<Answer()> make,
                                      Answer when_full) {
  auto answer = std::make_shared<Answer>();
  const bool taken = server_.environment_.work.submit(
      kind, [answer, make = std::move(make)] { *answer = make(); },
      [answer, weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->stream_) self->send(std::move(*answer));
      });
  if (!taken) send(std::move(when_full));
}

// Compressing is work, too. When there is no room for it the answer goes as it is, to whom takes
// that.
void AdminConnection::send(Answer answer) {
  const bool worth_it = answer.body.size() >= kGzipBytesMin || !codings_.identity;
  if (!codings_.gzip || !worth_it || answer.body.empty()) return write(answer);
  auto shared = std::make_shared<Answer>(std::move(answer));
  const bool taken = server_.environment_.work.submit(
      net::WorkKind::serialise,
      [shared] {
        shared->body = gzip(shared->body);
        shared->gzipped = true;
      },
      [shared, weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->stream_) self->write(*shared);
      });
  if (!taken) write(codings_.identity ? *shared : overloaded_answer());
}

void AdminConnection::write(const Answer& answer) {
  CHECK(answering_);
  std::vector<SharedBytes> pieces;
  pieces.push_back(SharedBytes::take(render(answer, framing_, server_.environment_.clock.wall())));
  stream_->write(std::move(pieces), [weak = weak_from_this()](const Result<void>& written) {
    if (const auto self = weak.lock()) self->on_sent(written.has_value());
  });
}

void AdminConnection::on_sent(bool written) {
  const auto self = shared_from_this();
  answering_ = false;
  if (!stream_) return;
  if (!written || peer_ended_) return close();
  if (!framing_.keep_alive) return linger();
  watch(server_.options_.idle_timeout);
  consume(std::exchange(unread_, {}));
  if (stream_ && !answering_) stream_->start_reading(*this);
}

// Closing while bytes of the client are unread would reset the connection, and with it the answer
// that may not have been read yet (RFC 9112 9.6).
void AdminConnection::linger() {
  lingering_ = true;
  watch(server_.options_.linger_timeout);
  stream_->shutdown_write();
  stream_->start_reading(*this);
}

void AdminConnection::watch(std::chrono::milliseconds timeout) {
  deadline_ = server_.environment_.timers.after(timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->close();
  });
}

}  // namespace revcache::admin
