#include "proxy/request_handler.h"

#include <utility>

#include "cache/cache_key.h"
#include "cache/validation.h"
#include "http/cache_control.h"
#include "http/serializer.h"
#include "pki/ocsp_request.h"
#include "proxy/connect_tunnel.h"
#include "proxy/forward_exchange.h"
#include "proxy/ocsp_exchange.h"
#include "proxy/own_paths.h"
#include "proxy/router.h"

namespace revcache::proxy {

using http::FieldId;
using http::FieldsView;
using http::Method;
using metrics::RequestResult;

namespace {

constexpr std::uint64_t kDirectiveFields =
    FieldsView::bit(FieldId::cache_control) | FieldsView::bit(FieldId::pragma);
constexpr std::uint64_t kConditionFields =
    FieldsView::bit(FieldId::if_match) | FieldsView::bit(FieldId::if_none_match) |
    FieldsView::bit(FieldId::if_modified_since) | FieldsView::bit(FieldId::if_unmodified_since) |
    FieldsView::bit(FieldId::range);

// The shortest base64 of an OCSPRequest with one CertID is longer, and all begin with the tag of a
// SEQUENCE (0x30: "M"): a glance that spares other paths the attempt.
constexpr std::size_t kOcspPathBytesMin = 64;

bool may_be_ocsp_get(std::string_view path) noexcept {
  return path.size() >= kOcspPathBytesMin && path.find("/M") != std::string_view::npos;
}

bool is_ocsp_post(const http::RequestHead& head) noexcept {
  if (head.method != Method::post) return false;
  const auto type = head.fields.find(FieldId::content_type);
  return type &&
         http::equals_ignoring_case(type->substr(0, type->find(';')), "application/ocsp-request");
}

// One request on its way to a reply or an exchange.
class Handling {
 public:
  Handling(WorkerContext& context, const RequestInput& input, ReplyChannel& channel,
           RequestRecord& record, ExchangeObserver& observer)
      : context_(context),
        input_(input),
        head_(input.head),
        channel_(channel),
        record_(record),
        observer_(observer) {}

  std::unique_ptr<RequestExchange> run();

 private:
  std::unique_ptr<RequestExchange> forward(const http::UriView& uri);
  std::unique_ptr<RequestExchange> forward_slowly(const http::UriView& uri, bool is_ocsp);
  std::unique_ptr<RequestExchange> own(std::string_view path);
  std::unique_ptr<RequestExchange> own_ocsp(const OwnOcspPath& own);
  [[nodiscard]] bool is_for_our_responder(const http::UriView& uri) const;
  [[nodiscard]] OcspConnection ocsp_connection() const;
  [[nodiscard]] bool may_be_remembered() const noexcept;
  bool find_ocsp_key(const http::UriView& uri);
  bool answer_from_memory(const http::UriView& uri, bool is_ocsp);
  cache::CacheRequest cache_request(const http::UriView& uri) const;
  [[nodiscard]] bool waits_for_continue() const;
  std::unique_ptr<RequestExchange> refuse_too_long(std::string text);
  std::unique_ptr<RequestExchange> refuse(const TextReply& reply, RequestResult result);
  std::unique_ptr<RequestExchange> refuse(const RefusedRoute& refused);
  std::unique_ptr<RequestExchange> answer_finally();
  [[nodiscard]] const config::Config& config() const { return *context_.settings->config; }

  WorkerContext& context_;
  const RequestInput& input_;
  const http::RequestHead& head_;
  ReplyChannel& channel_;
  RequestRecord& record_;
  ExchangeObserver& observer_;
  http::RequestDirectives directives_;
  bool validate_behind_ = false;
};

std::unique_ptr<RequestExchange> Handling::run() {
  record_.kind = ObjectKind::other;
  record_.method = head_.method;
  record_.ready = false;
  record_.detail.clear();
  record_.target.clear();
  record_.cache_status.clear();
  record_.method_text.clear();
  if (head_.method == Method::other) record_.method_text = std::string(head_.method_text);
  if (!input_.client_allowed) {
    return refuse(RefusedRoute{.reply = {.status = 403,
                                         .text = "This client address is not allowed: see "
                                                 "access.clients",
                                         .close = true,
                                         .allow = {},
                                         .cache_status = {}},
                               .denial = metrics::Denial::client});
  }
  if (may_be_remembered()) {
    if (const auto* uri = context_.routes.find(head_.target)) return forward(*uri);
  }
  auto decided =
      route(head_, *context_.settings->access, context_.instance_id, context_.uri_storage);
  if (auto* to = std::get_if<ForwardRoute>(&decided)) {
    if (may_be_remembered()) context_.routes.remember(head_.target, to->uri);
    return forward(to->uri);
  }
  if (auto* refused = std::get_if<RefusedRoute>(&decided)) return refuse(*refused);
  if (auto* to = std::get_if<ConnectRoute>(&decided)) {
    record_.target = std::string(head_.target);
    return std::make_unique<ConnectTunnel>(
        context_, config::HostAndPort{std::move(to->host), to->port}, channel_, record_, observer_);
  }
  if (auto* to = std::get_if<OwnRoute>(&decided)) return own(to->path);
  return answer_finally();
}

// Requests that route() would judge by their target alone, once their method is allowed.
bool Handling::may_be_remembered() const noexcept {
  return (head_.method == Method::get || head_.method == Method::post) &&
         !head_.target.starts_with('/') && !head_.fields.has(FieldId::cdn_loop) &&
         context_.settings->access->method_allowed(head_.method_text);
}

std::unique_ptr<RequestExchange> Handling::forward(const http::UriView& uri) {
  if (head_.fields.has_any(kDirectiveFields)) {
    directives_ = http::parse_request_directives(head_.fields);
  }
  if (const auto expect = head_.fields.find(FieldId::expect);
      expect && !http::equals_ignoring_case(*expect, "100-continue")) {
    return refuse({.status = 417,
                   .text = "The only expectation understood is 100-continue",
                   .allow = {},
                   .cache_status = {}},
                  RequestResult::denied);
  }
  const bool is_ocsp = find_ocsp_key(uri);
  if (is_for_our_responder(uri)) {
    return OcspExchange::answer(ocsp_connection(), context_.ocsp_der, {}, head_);
  }
  const bool reads = head_.method == Method::get || head_.method == Method::head;
  if ((reads || is_ocsp) && answer_from_memory(uri, is_ocsp)) {
    if (validate_behind_) context_.cache.validate_behind(cache_request(uri));
    return nullptr;
  }
  return forward_slowly(uri, is_ocsp);
}

// True when the request is an OCSP question, whole and shareable: its key is in key_storage, its
// DER in ocsp_der.
bool Handling::find_ocsp_key(const http::UriView& uri) {
  std::string_view der;
  if (head_.method == Method::get) {
    if (!may_be_ocsp_get(uri.path)) return false;
    if (!pki::decode_ocsp_get_path(uri.path, context_.ocsp_der)) {
      context_.ocsp_der.clear();  // of the request before
      return false;
    }
    der = context_.ocsp_der;
  } else {
    if (!input_.body || !is_ocsp_post(head_)) return false;
    context_.ocsp_der.assign(*input_.body);
    der = context_.ocsp_der;
  }
  const auto question = pki::parse_ocsp_question(as_bytes(der));
  if (!question || !question->single || question->has_nonce) return false;
  const auto origin = uri.text.substr(0, uri.text.size() - uri.path.size());
  cache::make_ocsp_key(context_.key_storage, origin, question->cert_id_der,
                       question->preferred_signature_algorithms);
  return true;
}

bool Handling::answer_from_memory(const http::UriView& uri, bool is_ocsp) {
  const std::string_view key = is_ocsp ? std::string_view(context_.key_storage) : uri.text;
  auto hit = context_.cache.find_now(key, head_.fields, directives_);
  if (!hit || hit->response->on_disk) return false;
  cache::ReplyPlan plan;
  if (head_.fields.has_any(kConditionFields)) {
    plan = cache::plan_reply(is_ocsp ? Method::get : head_.method, head_.fields, *hit->response,
                             std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
    if (plan.reply == cache::Reply::precondition_failed) return false;
  }
  const bool fresh = hit->decision.use == cache::Use::fresh;
  record_.kind = hit->response->kind;
  record_.result = fresh ? RequestResult::hit : RequestResult::stale;
  validate_behind_ = hit->decision.use == cache::Use::stale_while_revalidate;
  channel_.send_stored({.response = std::move(hit->response),
                        .status = {.hit = true, .ttl = hit->decision.ttl},
                        .age = hit->decision.age,
                        .result = record_.result},
                       plan);
  if (context_.request_log.wants(record_)) record_.target = std::string(head_.target);
  return true;
}

cache::CacheRequest Handling::cache_request(const http::UriView& uri) const {
  cache::CacheRequest request;
  request.method = head_.method;
  request.method_text = std::string(head_.method_text);
  request.uri = http::Uri(uri);
  request.key = request.uri.text();
  request.directives = directives_;
  request.cdn_loop = head_.fields.combined(FieldId::cdn_loop).value_or("");
  request.via = head_.fields.combined(FieldId::via).value_or("");
  request.fields = http::end_to_end_fields(head_.fields);
  for (const auto id : {FieldId::host, FieldId::via, FieldId::cdn_loop, FieldId::content_length,
                        FieldId::expect, FieldId::max_forwards}) {
    request.fields.remove(id);
  }
  if (head_.method == Method::options || head_.method == Method::trace) {
    if (const auto left = head_.fields.find(FieldId::max_forwards)) {
      const auto value = std::strtoull(std::string(*left).c_str(), nullptr, 10);
      if (value > 0) request.max_forwards = value - 1;
    }
  }
  request.kind =
      context_.cache.context().admission.kind_of_request(head_.method, uri.text, head_.fields);
  if (head_.method == Method::get && may_be_ocsp_get(uri.path)) {
    std::string der;
    if (pki::decode_ocsp_get_path(uri.path, der)) apply_ocsp_question(request, der);
  }
  return request;
}

std::unique_ptr<RequestExchange> Handling::forward_slowly(const http::UriView& uri, bool is_ocsp) {
  auto request = cache_request(uri);
  record_.kind = request.kind;
  record_.target = std::string(head_.target);
  const auto& limits = config().limits;
  const bool collect = is_ocsp_post(head_);
  const auto body_max = collect ? limits.ocsp_request_bytes : limits.request_body_bytes;
  if (head_.framing == http::BodyFraming::length && head_.content_length > body_max) {
    return refuse_too_long(collect ? "OCSP request over limits.ocsp_request_bytes"
                                   : "Request body over limits.request_body_bytes");
  }
  auto content = RequestContent::none;
  if (head_.has_body()) content = collect ? RequestContent::collected : RequestContent::streamed;
  if (is_ocsp && !collect) request.is_ocsp = true;
  if (content == RequestContent::streamed) {
    // The key does not know the content of a GET (RFC 9110 9.3.1): whatever an origin makes of it
    // must not become the answer to those who send none.
    request.directives.no_store = true;
    request.directives.no_cache = true;
  }
  if (head_.framing == http::BodyFraming::length) request.body_length = head_.content_length;
  auto exchange = std::make_unique<ForwardExchange>(context_, std::move(request), content, channel_,
                                                    record_, observer_);
  if (collect && context_.responder != nullptr && !input_.body &&
      context_.responder->table().answers_for_host(uri.host, uri.port)) {
    auto ours = std::make_unique<OcspExchange>(ocsp_connection(), std::string(uri.host), uri.port,
                                               std::move(exchange), conditions_of(head_));
    if (waits_for_continue()) ours->expect_continue();
    return ours;
  }
  if (waits_for_continue()) exchange->expect_continue();
  return exchange;
}

OcspConnection Handling::ocsp_connection() const {
  return {.context = context_,
          .channel = channel_,
          .record = record_,
          .observer = observer_,
          .client = input_.client};
}

// Its DER, complete, is in ocsp_der: find_ocsp_key() has looked.
bool Handling::is_for_our_responder(const http::UriView& uri) const {
  if (context_.responder == nullptr) return false;
  if (!context_.responder->table().answers_for_host(uri.host, uri.port)) return false;
  const bool has_der = head_.method == Method::get ? may_be_ocsp_get(uri.path)
                                                   : input_.body.has_value() && is_ocsp_post(head_);
  return has_der && context_.responder->is_ours(as_bytes(context_.ocsp_der), uri.host, uri.port);
}

std::unique_ptr<RequestExchange> Handling::own_ocsp(const OwnOcspPath& own) {
  record_.kind = ObjectKind::ocsp;
  const bool known =
      own.authority.empty() ||
      (context_.responder != nullptr && context_.responder->table().find(own.authority) != nullptr);
  if (context_.responder == nullptr || !known) {
    return refuse({.status = 404,
                   .text = "No [[authority]] with a signer has this name",
                   .allow = {},
                   .cache_status = {}},
                  RequestResult::denied);
  }
  const bool reads = head_.method == Method::get || head_.method == Method::head;
  if (reads) {
    // What is no request gets the status for that.
    if (!own.has_request) context_.ocsp_der.clear();
    return OcspExchange::answer(ocsp_connection(), context_.ocsp_der, own.authority, head_);
  }
  const auto body_max = config().limits.ocsp_request_bytes;
  if (head_.framing == http::BodyFraming::length && head_.content_length > body_max) {
    return refuse_too_long("OCSP request over limits.ocsp_request_bytes");
  }
  if (input_.body || !head_.has_body()) {
    return OcspExchange::answer(ocsp_connection(), input_.body.value_or(""), own.authority, head_);
  }
  record_.target = std::string(head_.target);
  auto exchange = std::make_unique<OcspExchange>(ocsp_connection(), std::string(own.authority),
                                                 conditions_of(head_));
  if (waits_for_continue()) exchange->expect_continue();
  return exchange;
}

std::unique_ptr<RequestExchange> Handling::own(std::string_view path) {
  const bool may_ask =
      head_.method == Method::get || head_.method == Method::head || head_.method == Method::post;
  if (may_ask) {
    if (const auto ocsp = parse_own_ocsp_path(path, context_.ocsp_der)) return own_ocsp(*ocsp);
  }
  const bool reads = head_.method == Method::get || head_.method == Method::head;
  if (!reads) {
    return refuse({.status = 405,
                   .text = "Only GET and HEAD, and POST of OCSP requests, are answered here",
                   .allow = "GET, HEAD, POST",
                   .cache_status = {}},
                  RequestResult::denied);
  }
  auto answer =
      answer_own_path(*context_.settings, path, head_.fields.find(FieldId::host).value_or(""));
  if (const auto* text = std::get_if<TextReply>(&answer)) {
    return refuse(*text, text->status == 200 ? RequestResult::synthesized : RequestResult::denied);
  }
  return forward(std::get<http::Uri>(answer).view());
}

bool Handling::waits_for_continue() const {
  return head_.fields.has(FieldId::expect) && head_.version >= http::Version{1, 1} && !input_.body;
}

std::unique_ptr<RequestExchange> Handling::refuse_too_long(std::string text) {
  context_.metrics.limits_hit[metrics::index(metrics::Limit::body_bytes)].add();
  return refuse(
      {.status = 413, .text = std::move(text), .close = true, .allow = {}, .cache_status = {}},
      RequestResult::denied);
}

std::unique_ptr<RequestExchange> Handling::refuse(const TextReply& reply, RequestResult result) {
  record_.result = result;
  if (record_.target.empty()) record_.target = std::string(head_.target);
  if (reply.status >= 400) record_.detail = reply.text;
  channel_.send_text(reply, std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
  return nullptr;
}

std::unique_ptr<RequestExchange> Handling::refuse(const RefusedRoute& refused) {
  if (refused.counted) context_.metrics.denials[metrics::index(refused.denial)].add();
  return refuse(refused.reply, RequestResult::denied);
}

// RFC 9110 9.3.7 and 9.3.8: the final recipient of OPTIONS says what it offers; that of TRACE
// reflects the request, without what may be secret.
std::unique_ptr<RequestExchange> Handling::answer_finally() {
  if (head_.method == Method::options) {
    return refuse({.status = 200,
                   .text = {},
                   .allow = allow_value(*context_.settings->access),
                   .cache_status = {}},
                  RequestResult::synthesized);
  }
  std::string echo;
  http::append_request_line(echo, head_.method_text, head_.target);
  for (const auto& field : head_.fields) {
    const bool secret = field.id == FieldId::authorization ||
                        field.id == FieldId::proxy_authorization ||
                        http::equals_ignoring_case(field.name, "Cookie");
    if (!secret) http::append_field(echo, field.name, field.value);
  }
  return refuse({.status = 200,
                 .text = std::move(echo),
                 .allow = {},
                 .content_type = "message/http",
                 .cache_status = {}},
                RequestResult::synthesized);
}

}  // namespace

std::unique_ptr<RequestExchange> handle_request(WorkerContext& context, const RequestInput& input,
                                                ReplyChannel& channel, RequestRecord& record,
                                                ExchangeObserver& observer) {
  return Handling(context, input, channel, record, observer).run();
}

}  // namespace revcache::proxy
