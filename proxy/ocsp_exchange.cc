#include "proxy/ocsp_exchange.h"

#include <chrono>
#include <utility>
#include <variant>

#include "cache/validation.h"
#include "pki/ocsp_builder.h"
#include "pki/ocsp_request.h"

namespace revcache::proxy {

using metrics::RequestResult;
using pki::OcspResponseStatus;
using revocation::OcspReply;
using revocation::OcspSignaturePtr;

namespace {

void refuse(const OcspConnection& connection, const TextReply& reply, RequestResult result) {
  connection.record.result = result;
  if (reply.status >= 400) connection.record.detail = reply.text;
  connection.channel.send_text(
      reply, std::chrono::floor<std::chrono::seconds>(connection.context.clock.wall()));
}

void send(const OcspConnection& connection, const OcspReply& reply, http::Method method,
          const http::FieldsView& fields) {
  cache::ReplyPlan plan;
  if (fields.has_any(kConditionFields)) {
    const auto now = std::chrono::floor<std::chrono::seconds>(connection.context.clock.wall());
    plan = cache::plan_reply(method, fields, *reply.response, now, cache::Role::origin_server);
  }
  if (plan.reply == cache::Reply::precondition_failed) {
    return refuse(connection,
                  {.status = 412,
                   .text = "A condition of the request is not met",
                   .allow = {},
                   .cache_status = {}},
                  RequestResult::denied);
  }
  connection.record.result = RequestResult::synthesized;
  connection.channel.send_stored({.response = reply.response,
                                  .status = {.hit = true, .ttl = reply.ttl},
                                  .age = reply.age,
                                  .result = RequestResult::synthesized},
                                 plan);
}

// RFC 6960 A.2: an error status is a response like any other; it has no dates to be cached by.
void send(const OcspConnection& connection, OcspResponseStatus status) {
  connection.record.detail = "OCSP " + std::string(pki::to_string(status));
  connection.record.result = RequestResult::synthesized;
  connection.channel.send_text(
      {.status = 200,
       .text = std::string(pki::ocsp_error_response(status)),
       .text_is_binary = true,
       .allow = {},
       .content_type = "application/ocsp-response",
       .cache_control = "no-store",
       .cache_status = {}},
      std::chrono::floor<std::chrono::seconds>(connection.context.clock.wall()));
}

// Sends what is known: an answer or an OCSP error. Where neither is, there is a signature to wait
// for. Outcome: OcspNow or OcspResult.
template <class Outcome>
void send_known(const OcspConnection& connection, const Outcome& outcome, http::Method method,
                const http::FieldsView& fields) {
  if (const auto* reply = std::get_if<OcspReply>(&outcome)) {
    send(connection, *reply, method, fields);
  } else if (const auto* status = std::get_if<OcspResponseStatus>(&outcome)) {
    send(connection, *status);
  }
}

}  // namespace

std::unique_ptr<RequestExchange> OcspExchange::answer(const OcspConnection& connection,
                                                      const revocation::OcspQuery& query,
                                                      const http::RequestHead& head) {
  connection.record.kind = ObjectKind::ocsp;
  auto now = connection.context.responder->answer(query);
  connection.record.ready = std::holds_alternative<OcspReply>(now);
  send_known(connection, now, head.method, head.fields);
  // The answer is known; what is left is for the log.
  if (connection.context.request_log.wants(connection.record)) {
    connection.record.target = std::string(head.target);
  }
  if (auto* signature = std::get_if<OcspSignaturePtr>(&now)) {
    connection.record.target = std::string(head.target);
    return std::unique_ptr<RequestExchange>(new OcspExchange(
        connection, std::move(*signature), conditions_of(head.method, head.fields)));
  }
  return nullptr;
}

OcspExchange::OcspExchange(const OcspConnection& connection, std::string authority,
                           ClientConditions conditions)
    : connection_(connection),
      conditions_(std::move(conditions)),
      authority_(std::move(authority)),
      self_(std::make_shared<OcspExchange*>(this)) {}

OcspExchange::OcspExchange(const OcspConnection& connection, std::string host, std::uint16_t port,
                           std::unique_ptr<ForwardExchange> otherwise, ClientConditions conditions)
    : connection_(connection),
      conditions_(std::move(conditions)),
      host_(std::move(host)),
      port_(port),
      otherwise_(std::move(otherwise)),
      self_(std::make_shared<OcspExchange*>(this)) {}

OcspExchange::OcspExchange(const OcspConnection& connection, OcspSignaturePtr signature,
                           ClientConditions conditions)
    : connection_(connection),
      conditions_(std::move(conditions)),
      signature_(std::move(signature)),
      question_is_known_(true),
      self_(std::make_shared<OcspExchange*>(this)) {}

void OcspExchange::start() {
  if (question_is_known_) {
    // A body came together with the head. It is read over: left unread, it would be the end of the
    // connection.
    wants_body_ = true;
    return wait_for(std::move(signature_));
  }
  wants_body_ = true;
  if (std::exchange(expects_continue_, false)) connection_.channel.send_continue();
  connection_.observer.resume_input();
}

void OcspExchange::let_go() {
  *self_ = nullptr;
  if (handed_over_) otherwise_->let_go();
}

bool OcspExchange::wants_body() const {
  return handed_over_ ? otherwise_->wants_body() : wants_body_;
}

void OcspExchange::on_body(std::string_view piece) {
  if (handed_over_) return otherwise_->on_body(piece);
  if (question_is_known_) return;
  if (body_.size() + piece.size() >
      connection_.context.settings->config->limits.ocsp_request_bytes) {
    connection_.context.metrics.limits_hit[metrics::index(metrics::Limit::body_bytes)].add();
    wants_body_ = false;
    refuse(connection_,
           {.status = 413,
            .text = "OCSP request over limits.ocsp_request_bytes",
            .close = true,
            .allow = {},
            .cache_status = {}},
           RequestResult::denied);
    return connection_.observer.pump();
  }
  body_.append(piece);
}

void OcspExchange::on_body_end() {
  if (handed_over_) return otherwise_->on_body_end();
  wants_body_ = false;
  if (question_is_known_) return;
  const auto question = pki::parse_ocsp_question(as_bytes(body_));
  const bool ours = otherwise_ == nullptr ||
                    (question && connection_.context.responder->is_ours(*question, host_, port_));
  if (!ours) return hand_over();
  ask({.der = as_bytes(body_),
       .authority = authority_,
       .client = connection_.client,
       .question = question ? &*question : nullptr});
}

// A question about somebody else's certificate: upstream's to answer.
void OcspExchange::hand_over() {
  handed_over_ = true;
  otherwise_->start();
  otherwise_->on_body(body_);
  otherwise_->on_body_end();
}

void OcspExchange::ask(const revocation::OcspQuery& query) {
  connection_.record.kind = ObjectKind::ocsp;
  auto now = connection_.context.responder->answer(query);
  if (auto* signature = std::get_if<OcspSignaturePtr>(&now)) return wait_for(std::move(*signature));
  connection_.record.ready = std::holds_alternative<OcspReply>(now);
  send_known(connection_, now, conditions_.method, conditions_.fields.view());
  connection_.observer.pump();
}

void OcspExchange::wait_for(OcspSignaturePtr signature) {
  connection_.context.responder->sign(
      std::move(signature), [self = self_](const revocation::OcspResult& result) {
        if (*self == nullptr) return;
        const OcspExchange& exchange = **self;
        send_known(exchange.connection_, result, exchange.conditions_.method,
                   exchange.conditions_.fields.view());
        exchange.connection_.observer.pump();
      });
}

void OcspExchange::on_reply_drained() {
  if (handed_over_) otherwise_->on_reply_drained();
}

}  // namespace revcache::proxy
