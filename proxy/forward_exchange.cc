#include "proxy/forward_exchange.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "cache/cache_key.h"
#include "cache/cache_status.h"
#include "http/serializer.h"
#include "pki/ocsp_request.h"

namespace revcache::proxy {

using http::FieldId;
using metrics::RequestResult;

bool apply_ocsp_question(cache::CacheRequest& request, std::string_view der) {
  const auto question = pki::parse_ocsp_question(as_bytes(der));
  if (!question || !question->single) return false;
  request.kind = ObjectKind::ocsp;
  request.is_ocsp = true;
  request.has_nonce = question->has_nonce;
  request.ocsp_der = std::string(der);
  cache::make_ocsp_key(request.key, cache::origin_of(request.uri), question->cert_id.der,
                       question->preferred_signature_algorithms);
  return true;
}

cache::CacheRequest cache_request_of(const http::RequestHead& head, const http::UriView& uri,
                                     const http::RequestDirectives& directives,
                                     std::string_view ocsp_der, cache::Admission& admission) {
  cache::CacheRequest request;
  request.method = head.method;
  request.method_text = std::string(head.method_text);
  request.uri = http::Uri(uri);
  request.key = request.uri.text();
  request.directives = directives;
  request.cdn_loop = head.fields.combined(FieldId::cdn_loop).value_or("");
  request.via = head.fields.combined(FieldId::via).value_or("");
  request.fields = http::end_to_end_fields(head.fields);
  for (const auto id : {FieldId::host, FieldId::via, FieldId::cdn_loop, FieldId::content_length,
                        FieldId::expect, FieldId::max_forwards}) {
    request.fields.remove(id);
  }
  if (head.method == http::Method::options || head.method == http::Method::trace) {
    if (const auto left = head.fields.find(FieldId::max_forwards)) {
      const auto value = std::strtoull(std::string(*left).c_str(), nullptr, 10);
      if (value > 0) request.max_forwards = value - 1;
    }
  }
  request.kind = admission.kind_of_request(head.method, uri.text, head.fields);
  if (head.method == http::Method::get && !ocsp_der.empty()) apply_ocsp_question(request, ocsp_der);
  return request;
}

ClientConditions conditions_of(http::Method method, const http::FieldsView& fields) {
  ClientConditions conditions{.method = method, .fields = {}};
  if (!fields.has_any(kConditionFields)) return conditions;
  constexpr auto kRead = kConditionFields | http::FieldsView::bit(FieldId::if_range);
  for (const http::Field& field : fields) {
    if ((kRead & http::FieldsView::bit(field.id)) != 0) {
      conditions.fields.add(field.id, field.value);
    }
  }
  return conditions;
}

ForwardExchange::ForwardExchange(WorkerContext& context, cache::CacheRequest request,
                                 RequestContent content, ReplyChannel& channel,
                                 RequestRecord& record, ExchangeObserver& observer)
    : context_(context),
      request_(std::move(request)),
      content_(content),
      channel_(channel),
      record_(record),
      observer_(observer),
      conditions_(conditions_of(request_.method, request_.fields.view())),
      self_(std::make_shared<ForwardExchange*>(this)) {}

void ForwardExchange::start() {
  switch (content_) {
    case RequestContent::none:
      return ask_cache();
    case RequestContent::collected:
      return want_body();
    case RequestContent::streamed:
      break;
  }
  request_.body_source = this;
  ask_cache();
}

void ForwardExchange::let_go() {
  *self_ = nullptr;
  pending_.reset();
}

void ForwardExchange::ask_cache() { pending_ = context_.cache.start(std::move(request_), *this); }

void ForwardExchange::want_body() {
  wants_body_ = true;
  if (std::exchange(expects_continue_, false)) channel_.send_continue();
  observer_.resume_input();
}

void ForwardExchange::on_body(std::string_view piece) {
  if (content_ == RequestContent::streamed) {
    wants_body_ = false;
    if (pending_ != nullptr) pending_->send_body(piece, false);
    return;
  }
  if (body_.size() + piece.size() > context_.settings->config->limits.ocsp_request_bytes) {
    context_.metrics.limits_hit[metrics::index(metrics::Limit::body_bytes)].add();
    wants_body_ = false;
    return refuse({.status = 413,
                   .text = "OCSP request over limits.ocsp_request_bytes",
                   .close = true,
                   .allow = {},
                   .cache_status = {}});
  }
  body_.append(piece);
}

void ForwardExchange::on_body_end() {
  wants_body_ = false;
  body_ended_ = true;
  if (content_ == RequestContent::streamed) {
    if (pending_ != nullptr) pending_->send_body({}, true);
    return;
  }
  request_.body = std::move(body_);
  request_.has_body = true;
  const bool shared = apply_ocsp_question(request_, request_.body);
  record_.kind = shared ? ObjectKind::ocsp : request_.kind;
  if (shared && !request_.has_nonce) {
    auto hit = context_.cache.find_now(request_.key, request_.fields.view(), request_.directives);
    if (hit && hit->decision.use == cache::Use::fresh) {
      return on_answer({.response = std::move(hit->response),
                        .status = {.hit = true, .ttl = hit->decision.ttl},
                        .age = hit->decision.age,
                        .result = RequestResult::hit});
    }
  }
  ask_cache();
}

void ForwardExchange::on_answer(cache::CacheAnswer answer) {
  record_.kind = answer.response->kind;
  remember(answer.status);
  record_.result = answer.result;
  const auto now = std::chrono::floor<std::chrono::seconds>(context_.clock.wall());
  const auto plan =
      cache::plan_reply(conditions_.method, conditions_.fields.view(), *answer.response, now);
  if (plan.reply == cache::Reply::precondition_failed) {
    return refuse({.status = 412,
                   .text = "A condition of the request is not met",
                   .allow = {},
                   .cache_status = {}});
  }
  const bool ranged = plan.reply == cache::Reply::partial;
  on_disk_ = answer.response->on_disk ? answer.response : nullptr;
  disk_position_ = ranged ? plan.first : 0;
  disk_end_ = ranged ? plan.last + 1 : answer.response->body_bytes;
  channel_.send_stored(answer, plan);
  const bool body_follows = on_disk_ != nullptr && channel_.state() == ReplyChannel::State::open &&
                            (plan.reply == cache::Reply::full || ranged) &&
                            !channel_.is_head_request();
  if (!body_follows) {
    on_disk_ = nullptr;
  } else if (channel_.drained()) {
    send_next_piece();
  }
  observer_.pump();
}

// For the access log: the field's value without its name and line end.
void ForwardExchange::remember(const cache::CacheStatus& status) {
  std::array<char, cache::kCacheStatusBytesMax> line{};
  const std::string_view rendered(line.data(), cache::render_cache_status(status, line.data()));
  const auto begin = rendered.find(' ') + 1;
  record_.cache_status = std::string(rendered.substr(begin, rendered.size() - begin - 2));
}

void ForwardExchange::send_next_piece() {
  if (disk_position_ >= disk_end_) {
    on_disk_ = nullptr;
    return channel_.end();
  }
  context_.cache.context().disk->read_piece(on_disk_, disk_position_ / cache::kPieceBytes,
                                            [self = self_](auto piece) {
                                              if (*self != nullptr)
                                                (*self)->on_piece(std::move(piece));
                                            });
}

void ForwardExchange::on_piece(Result<SharedBytes> piece) {
  if (!piece) {
    record_.result = RequestResult::error;
    record_.detail = piece.error().detail;
    channel_.abort();
    return observer_.pump();
  }
  const auto offset = disk_position_ % cache::kPieceBytes;
  const auto length = std::min<std::uint64_t>(piece->size() - offset, disk_end_ - disk_position_);
  disk_position_ += length;
  if (channel_.send_piece(piece->slice(offset, length))) send_next_piece();
  observer_.pump();
}

void ForwardExchange::on_reply_drained() {
  if (on_disk_ != nullptr) return send_next_piece();
  if (!std::exchange(paused_, false)) return;
  if (pending_ != nullptr) pending_->resume();
}

void ForwardExchange::on_stream_head(http::ResponseHead head, const cache::CacheStatus& status,
                                     RequestResult result) {
  record_.result = result;
  remember(status);
  channel_.begin_stream(head, status);
  // The answer is there before the content was sent: what the client still sends is not wanted.
  if (content_ == RequestContent::streamed && !body_ended_) channel_.close_after();
}

void ForwardExchange::on_stream_body(std::string_view piece) {
  const bool go_on = channel_.send_piece(piece);
  if (channel_.state() == ReplyChannel::State::broken) return observer_.pump();
  if (go_on || paused_) return;
  paused_ = true;
  pending_->pause();
  observer_.pump();  // from here on the client's time to read runs
}

void ForwardExchange::on_stream_end() {
  channel_.end();
  observer_.pump();
}

void ForwardExchange::on_failed(Error error, RequestResult result) {
  record_.result = error.code == ErrorCode::refused || error.code == ErrorCode::loop_detected
                       ? RequestResult::denied
                       : result;
  record_.detail = error.detail;
  if (channel_.started()) {
    channel_.abort();
    return observer_.pump();
  }
  auto reply = reply_for(error);
  if (result == RequestResult::negative) reply.cache_status = "revcache; hit; detail=negative";
  refuse(reply);
}

void ForwardExchange::refuse(const TextReply& reply) {
  if (content_ != RequestContent::none && !body_ended_) channel_.close_after();
  channel_.send_text(reply, std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
  observer_.pump();
}

}  // namespace revcache::proxy
