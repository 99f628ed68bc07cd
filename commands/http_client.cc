#include "commands/http_client.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "config/command_line.h"
#include "http/uri.h"

namespace revcache::commands {
namespace {

// Collects one response, up to its bound.
class Collector final : public cache::OriginSink {
 public:
  explicit Collector(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  void on_head(http::ResponseHead head, WallTime) override {
    answer.status = head.status;
    answer.content_type = head.fields.find(http::FieldId::content_type).value_or("");
    answer.cache_status =
        head.fields.view().combined(http::FieldId::cache_status).value_or(std::string());
  }

  void on_body(std::string_view piece) override {
    if (over) return;
    if (piece.size() > body_bytes_max_ - body.size()) {
      const auto limit = std::to_string(body_bytes_max_);
      on_failed({ErrorCode::too_large, Blame::upstream, "more than " + limit + " octets"});
      return;
    }
    body += piece;
  }

  void on_complete() override { over = true; }

  void on_failed(Error failure) override {
    error = std::move(failure);
    over = true;
  }

  HttpAnswer answer;
  std::string body;
  std::optional<Error> error;
  bool over = false;

 private:
  std::size_t body_bytes_max_;
};

Result<cache::OriginRequest> request_for(const HttpQuestion& question) {
  cache::OriginRequest request;
  std::string storage;
  const auto uri = http::parse_absolute_form(question.url, storage);
  if (!uri || uri->scheme != http::Scheme::http) {
    return fail(ErrorCode::malformed, Blame::client, "not an http URL");
  }
  request.uri = http::Uri(*uri);
  request.kind = question.kind;
  request.follow_redirects = question.authorization.empty();
  request.fields.add(http::FieldId::accept, "*/*");
  request.fields.add(http::FieldId::user_agent, "revcache/" + std::string(config::version()));
  if (!question.authorization.empty()) {
    request.fields.add(http::FieldId::authorization, question.authorization);
  }
  if (question.post) {
    request.method = http::Method::post;
    request.fields.add(http::FieldId::content_type, question.post_type);
    request.body = *question.post;
    request.has_body = true;
  }
  return request;
}

}  // namespace

Result<std::chrono::milliseconds> OriginHttpClient::time_left(std::chrono::milliseconds timeout) {
  const auto now = clock_.monotonic();
  if (!deadline_) deadline_ = now + std::max<std::chrono::milliseconds>(kFetchingTimeout, timeout);
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - now);
  if (left.count() <= 0) {
    return fail(ErrorCode::timed_out, Blame::upstream, "fetching took too long in all");
  }
  return std::min<std::chrono::milliseconds>(left, timeout);
}

Result<HttpAnswer> OriginHttpClient::ask(const HttpQuestion& question) {
  auto request = request_for(question);
  if (!request) return fail(std::move(request));
  const auto timeout = time_left(question.timeout);
  if (!timeout) return std::unexpected(timeout.error());
  request->timeout = *timeout;
  const auto began = clock_.monotonic();
  Collector collector(question.body_bytes_max);
  loop_.refresh();
  auto exchange = origin_.fetch(std::move(*request), collector);
  while (!collector.over) loop_.run_once();
  exchange.reset();
  if (collector.error) return std::unexpected(std::move(*collector.error));
  const std::chrono::duration<double, std::milli> elapsed = clock_.monotonic() - began;
  collector.answer.elapsed_ms = elapsed.count();
  collector.answer.body = SharedBytes::take(std::move(collector.body));
  return std::move(collector.answer);
}

}  // namespace revcache::commands
