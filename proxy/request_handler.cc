#include "proxy/request_handler.h"

#include <utility>

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
  std::unique_ptr<RequestExchange> forward_slowly(const http::UriView& uri);
  std::unique_ptr<RequestExchange> own(std::string_view path);
  std::unique_ptr<RequestExchange> own_ocsp();
  std::unique_ptr<RequestExchange> answer_ourselves(std::string_view der);
  [[nodiscard]] bool is_for_our_responder(const http::UriView& uri) const;
  [[nodiscard]] OcspConnection ocsp_connection() const;
  [[nodiscard]] bool may_be_remembered() const noexcept;
  void remember(std::string_view host, const http::UriView* uri);
  // When the target was met before. Scratch still has what the request before left there.
  [[nodiscard]] bool path_is_read() const noexcept {
    return known_ != nullptr && asked_->path != AskedQuestion::Path::unread;
  }
  void read_question(const http::UriView& uri);
  // True when the request is an OCSP question, whole, whose answer may be shared.
  [[nodiscard]] bool is_shareable_ocsp() const noexcept { return !asked_->cache_key.empty(); }
  bool answer_from_memory(const http::UriView& uri);
  cache::CacheRequest cache_request(const http::UriView& uri) const;
  RequestContent take_content(cache::CacheRequest& request) const;
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
  KnownRoute* known_ = nullptr;  // null: the target is not remembered
  AskedQuestion* asked_ = &context_.asked;
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
  const std::string_view host = head_.target.starts_with('/')
                                    ? head_.fields.find(FieldId::host).value_or("")
                                    : std::string_view{};
  if (may_be_remembered()) known_ = context_.routes.find(head_.target, host);
  if (known_ != nullptr) {
    asked_ = &known_->asked;
    if (known_->is_own) return own(head_.target);
    return forward(known_->uri);
  }
  auto decided =
      route(head_, *context_.settings->access, context_.instance_id, context_.uri_storage);
  if (auto* to = std::get_if<ForwardRoute>(&decided)) {
    remember(host, &to->uri);
    return forward(to->uri);
  }
  if (auto* refused = std::get_if<RefusedRoute>(&decided)) return refuse(*refused);
  if (auto* to = std::get_if<ConnectRoute>(&decided)) {
    record_.target = std::string(head_.target);
    return std::make_unique<ConnectTunnel>(
        context_, config::HostAndPort{std::move(to->host), to->port}, channel_, record_, observer_);
  }
  if (auto* to = std::get_if<OwnRoute>(&decided)) {
    remember(host, nullptr);
    return own(to->path);
  }
  return answer_finally();
}

// Requests that route() would judge by their target and Host alone, once their method is allowed.
bool Handling::may_be_remembered() const noexcept {
  return (head_.method == Method::get || head_.method == Method::post) &&
         !head_.fields.has(FieldId::cdn_loop) &&
         context_.settings->access->method_allowed(head_.method_text);
}

void Handling::remember(std::string_view host, const http::UriView* uri) {
  if (!may_be_remembered()) return;
  known_ = context_.routes.remember(head_.target, host, uri);
  if (known_ != nullptr) asked_ = &known_->asked;
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
  read_question(uri);
  if (is_for_our_responder(uri)) return answer_ourselves(asked_->der);
  const bool reads = head_.method == Method::get || head_.method == Method::head;
  if ((reads || is_shareable_ocsp()) && answer_from_memory(uri)) {
    if (validate_behind_) context_.cache.validate_behind(cache_request(uri));
    return nullptr;
  }
  return forward_slowly(uri);
}

void Handling::read_question(const http::UriView& uri) {
  if (head_.method == Method::get) {
    if (!path_is_read()) asked_->read_get(uri);
    return;
  }
  // What the target's path is, a GET with it may still want to know.
  asked_ = &context_.asked;
  asked_->forget();
  if (input_.body && is_ocsp_post(head_)) asked_->read_post(uri, *input_.body);
}

bool Handling::answer_from_memory(const http::UriView& uri) {
  const bool is_ocsp = is_shareable_ocsp();
  const std::string_view key = is_ocsp ? std::string_view(asked_->cache_key) : uri.text;
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
  return cache_request_of(head_, uri, directives_, asked_->der, context_.cache.context().admission);
}

std::unique_ptr<RequestExchange> Handling::forward_slowly(const http::UriView& uri) {
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
  if (is_shareable_ocsp() && !collect) request.is_ocsp = true;
  const auto content = take_content(request);
  auto exchange = std::make_unique<ForwardExchange>(context_, std::move(request), content, channel_,
                                                    record_, observer_);
  if (collect && context_.responder != nullptr && !input_.body &&
      context_.responder->table().answers_for_host(uri.host, uri.port)) {
    auto ours = std::make_unique<OcspExchange>(ocsp_connection(), std::string(uri.host), uri.port,
                                               std::move(exchange),
                                               conditions_of(head_.method, head_.fields));
    if (waits_for_continue()) ours->expect_continue();
    return ours;
  }
  if (waits_for_continue()) exchange->expect_continue();
  return exchange;
}

// How the request's content gets upstream; `request` is told what that means for it.
RequestContent Handling::take_content(cache::CacheRequest& request) const {
  if (head_.framing == http::BodyFraming::length) request.body_length = head_.content_length;
  if (!head_.has_body()) return RequestContent::none;
  if (is_ocsp_post(head_)) return RequestContent::collected;
  // The key does not know the content of a GET (RFC 9110 9.3.1): whatever an origin makes of it
  // must not become the answer to those who send none.
  request.directives.no_store = true;
  request.directives.no_cache = true;
  return RequestContent::streamed;
}

OcspConnection Handling::ocsp_connection() const {
  return {.context = context_,
          .channel = channel_,
          .record = record_,
          .observer = observer_,
          .client = input_.client};
}

bool Handling::is_for_our_responder(const http::UriView& uri) const {
  return asked_->question && context_.responder != nullptr &&
         context_.responder->is_ours(*asked_->question, uri.host, uri.port);
}

std::unique_ptr<RequestExchange> Handling::answer_ourselves(std::string_view der) {
  return OcspExchange::answer(ocsp_connection(),
                              {.der = as_bytes(der),
                               .authority = asked_->authority,
                               .client = input_.client,
                               .question = asked_->question ? &*asked_->question : nullptr},
                              head_);
}

std::unique_ptr<RequestExchange> Handling::own_ocsp() {
  record_.kind = ObjectKind::ocsp;
  const std::string& authority = asked_->authority;
  const bool known = authority.empty() || (context_.responder != nullptr &&
                                           context_.responder->table().find(authority) != nullptr);
  if (context_.responder == nullptr || !known) {
    return refuse({.status = 404,
                   .text = "No [[authority]] with a signer has this name",
                   .allow = {},
                   .cache_status = {}},
                  RequestResult::denied);
  }
  const bool reads = head_.method == Method::get || head_.method == Method::head;
  // What is no request gets the status for that.
  if (reads) return answer_ourselves(asked_->der);
  asked_->question.reset();  // it is in the body
  const auto body_max = config().limits.ocsp_request_bytes;
  if (head_.framing == http::BodyFraming::length && head_.content_length > body_max) {
    return refuse_too_long("OCSP request over limits.ocsp_request_bytes");
  }
  if (input_.body || !head_.has_body()) return answer_ourselves(input_.body.value_or(""));
  record_.target = std::string(head_.target);
  auto exchange = std::make_unique<OcspExchange>(ocsp_connection(), authority,
                                                 conditions_of(head_.method, head_.fields));
  if (waits_for_continue()) exchange->expect_continue();
  return exchange;
}

std::unique_ptr<RequestExchange> Handling::own(std::string_view path) {
  const bool may_ask =
      head_.method == Method::get || head_.method == Method::head || head_.method == Method::post;
  if (may_ask) {
    if (!path_is_read()) asked_->read_own(path);
    if (asked_->path == AskedQuestion::Path::own) return own_ocsp();
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
  asked_ = &context_.asked;  // about that URI, not about the path
  asked_->forget();
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
