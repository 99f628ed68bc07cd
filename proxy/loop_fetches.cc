#include "proxy/loop_fetches.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cache/cache_status.h"
#include "http/uri.h"
#include "pki/ocsp_request.h"
#include "proxy/forward_exchange.h"
#include "revocation/object_form.h"

namespace revcache::proxy {
namespace {

// "revcache; hit; ttl=123".
std::string text_of(const cache::CacheStatus& status) {
  char line[cache::kCacheStatusBytesMax];
  std::string_view text(line, cache::render_cache_status(status, line));
  text.remove_prefix(std::min(text.size(), text.find(' ') + 1));
  return std::string(text.substr(0, text.find('\r')));
}

std::string content_type_of(const http::Fields& fields) {
  return std::string(fields.find(http::FieldId::content_type).value_or(""));
}

cache::CacheRequest request_for(const pki::HttpQuestion& question, const http::UriView& uri) {
  cache::CacheRequest request;
  request.uri = http::Uri(uri);
  request.key = request.uri.text();
  request.method_text = "GET";
  request.kind = revocation::kind_by_request(http::Method::get, request.key, {});
  // A CRL is one wherever it lies; its name may say that it is a delta CRL.
  if (request.kind == ObjectKind::other) request.kind = question.kind;
  request.fields.add(http::FieldId::accept, "*/*");
  std::string der;
  if (question.post) {
    request.method = http::Method::post;
    request.method_text = "POST";
    request.fields.add(http::FieldId::content_type, question.post_type);
    request.body = *question.post;
    request.has_body = true;
    apply_ocsp_question(request, *question.post);
  } else if (pki::decode_ocsp_get_path(uri.path, der)) {
    apply_ocsp_question(request, der);
  }
  return request;
}

}  // namespace

class LoopFetches::Fetching final : private cache::AnswerSink {
 public:
  Fetching(LoopFetches& owner, const pki::HttpQuestion& question,
           Callback<Result<pki::HttpAnswer>> done)
      : owner_(owner),
        body_bytes_max_(question.body_bytes_max),
        done_(std::move(done)),
        began_(owner.context_.precise_clock.monotonic()) {
    deadline_ = owner.context_.timers.after(question.timeout, [this] {
      owner_.end(*this, fail(ErrorCode::timed_out, Blame::upstream, "upstream was silent"));
    });
  }

  void ask(cache::CacheRequest request) {
    pending_ = owner_.context_.cache.start(std::move(request), *this);
  }
  Callback<Result<pki::HttpAnswer>> take_done() { return std::move(done_); }

 private:
  void on_answer(cache::CacheAnswer answer) override {
    const auto& response = *answer.response;
    answer_.status = response.status;
    answer_.content_type = content_type_of(response.fields);
    answer_.cache_status = text_of(answer.status);
    if (response.on_disk || response.body_bytes > body_bytes_max_) return end_too_large();
    finish(response.body);
  }
  void on_stream_head(http::ResponseHead head, const cache::CacheStatus& status,
                      metrics::RequestResult) override {
    answer_.status = head.status;
    answer_.content_type = content_type_of(head.fields);
    answer_.cache_status = text_of(status);
  }
  void on_stream_body(std::string_view piece) override {
    if (piece.size() > body_bytes_max_ - body_.size()) return end_too_large();
    body_ += piece;
  }
  void on_stream_end() override { finish(SharedBytes::take(std::move(body_))); }
  void on_failed(Error error, metrics::RequestResult) override {
    owner_.end(*this, std::unexpected(std::move(error)));
  }

  void end_too_large() {
    owner_.end(*this, fail(ErrorCode::too_large, Blame::upstream,
                           "more than " + std::to_string(body_bytes_max_) + " octets"));
  }
  void finish(SharedBytes body) {
    const std::chrono::duration<double, std::milli> elapsed =
        owner_.context_.precise_clock.monotonic() - began_;
    answer_.elapsed_ms = elapsed.count();
    answer_.body = std::move(body);
    owner_.end(*this, std::move(answer_));
  }

  LoopFetches& owner_;
  std::size_t body_bytes_max_;
  Callback<Result<pki::HttpAnswer>> done_;
  MonotonicTime began_;
  pki::HttpAnswer answer_;
  std::string body_;
  std::unique_ptr<net::Timer> deadline_;
  std::unique_ptr<cache::PendingAnswer> pending_;
};

LoopFetches::LoopFetches(WorkerContext& context) : context_(context) {}

LoopFetches::~LoopFetches() = default;

void LoopFetches::start(const pki::HttpQuestion& question, Callback<Result<pki::HttpAnswer>> done) {
  std::optional<Error> refused;
  std::string storage;
  const auto uri = http::parse_absolute_form(question.url, storage);
  if (!uri || uri->scheme != http::Scheme::http) {
    refused = Error{ErrorCode::malformed, Blame::client, "not an http URL"};
  } else if (context_.settings->access->destination(uri->scheme, uri->host, uri->port) ==
             Destination::denied) {
    refused = Error{ErrorCode::refused, Blame::client,
                    "not fetched: the host is not in access.destinations"};
  }
  if (refused) {
    return context_.executor.post([done = std::move(done), why = std::move(*refused)]() mutable {
      done(std::unexpected(std::move(why)));
    });
  }
  auto fetching = std::make_unique<Fetching>(*this, question, std::move(done));
  auto* const key = fetching.get();
  under_way_.emplace(key, std::move(fetching));
  key->ask(request_for(question, *uri));
}

void LoopFetches::end(Fetching& fetching, Result<pki::HttpAnswer> outcome) {
  const auto node = under_way_.extract(&fetching);
  if (node.empty()) return;
  fetching.take_done()(std::move(outcome));
}

}  // namespace revcache::proxy
