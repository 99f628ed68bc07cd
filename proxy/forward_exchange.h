// A forwarded request that memory could not answer at once: between the client's connection and a
// cache transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/http_cache.h"
#include "proxy/reply_channel.h"
#include "proxy/request_exchange.h"
#include "proxy/worker_context.h"

namespace revcache::proxy {

// A request without any of these gets the whole of what there is.
inline constexpr std::uint64_t kConditionFields =
    http::FieldsView::bit(http::FieldId::if_match) |
    http::FieldsView::bit(http::FieldId::if_none_match) |
    http::FieldsView::bit(http::FieldId::if_modified_since) |
    http::FieldsView::bit(http::FieldId::if_unmodified_since) |
    http::FieldsView::bit(http::FieldId::range);

// The client's own conditions and ranges: answered from whatever the cache gives.
struct ClientConditions {
  http::Method method = http::Method::get;
  http::Fields fields;
};
// Copies the lines of `fields` that plan_reply() looks at: most requests have none.
ClientConditions conditions_of(http::Method method, const http::FieldsView& fields);

// How the request's content gets upstream.
enum class RequestContent : std::uint8_t {
  none,
  collected,  // an OCSP question: read whole, then the key is known
  streamed,
};

// Owned by the client's connection; loop thread only.
class ForwardExchange final : public RequestExchange,
                              private cache::AnswerSink,
                              private cache::RequestBodySource {
 public:
  ForwardExchange(WorkerContext& context, cache::CacheRequest request, RequestContent content,
                  ReplyChannel& channel, RequestRecord& record, ExchangeObserver& observer);

  // The client waits for "100 Continue" before it sends its content (RFC 9110 10.1.1).
  void expect_continue() noexcept { expects_continue_ = true; }

  void start() override;
  void let_go() override;
  [[nodiscard]] bool wants_body() const override { return wants_body_; }
  void on_body(std::string_view piece) override;
  void on_body_end() override;
  void on_reply_drained() override;

 private:
  void on_answer(cache::CacheAnswer answer) override;
  void on_stream_head(http::ResponseHead head, const cache::CacheStatus& status,
                      metrics::RequestResult result) override;
  void on_stream_body(std::string_view piece) override;
  void on_stream_end() override;
  void on_failed(Error error, metrics::RequestResult result) override;
  void want_body() override;

  void ask_cache();
  void send_next_piece();
  void on_piece(Result<SharedBytes> piece);
  void refuse(const TextReply& reply);
  void remember(const cache::CacheStatus& status);

  WorkerContext& context_;
  cache::CacheRequest request_;
  RequestContent content_;
  ReplyChannel& channel_;
  RequestRecord& record_;
  ExchangeObserver& observer_;
  ClientConditions conditions_;
  std::unique_ptr<cache::PendingAnswer> pending_;
  std::string body_;
  bool wants_body_ = false;
  bool expects_continue_ = false;
  bool paused_ = false;
  bool body_ended_ = false;

  // A body read from disk piece by piece.
  cache::StoredResponsePtr on_disk_;
  std::uint64_t disk_position_ = 0;
  std::uint64_t disk_end_ = 0;
  std::shared_ptr<ForwardExchange*> self_;  // null target once destroyed
};

// What a request asks of the cache; `ocsp_der`: the OCSP question that the path of a GET is, or
// empty.
cache::CacheRequest cache_request_of(const http::RequestHead& head, const http::UriView& uri,
                                     const http::RequestDirectives& directives,
                                     std::string_view ocsp_der, cache::Admission& admission);

// Fills kind, key and the OCSP part of `request` from a complete OCSP question (its DER). False: it
// is none, and the request is passed through unshared.
bool apply_ocsp_question(cache::CacheRequest& request, std::string_view der);

}  // namespace revcache::proxy
