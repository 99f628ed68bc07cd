// One fetch from upstream on behalf of the cache: validates what is stored, collects and admits
// the body or streams it, stores. Goes on without its client when its result fills the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "cache/http_cache.h"
#include "http/cache_control.h"

namespace revcache::cache {

// What a fetch ended with, unless it was streamed.
struct FetchOutcome {
  StoredResponsePtr response{};  // null: `error` says why
  Error error{ErrorCode::unreachable, Blame::upstream, {}};
  std::uint16_t upstream_status = 0;  // 0: upstream gave no answer
  bool shareable = false;             // waiters may use it
  bool stored = false;
  bool revalidated = false;  // by a 304
  bool is_failure = false;   // the response only says that there is none: Admitted::is_failure
};

// The party that waits for a fetch. Called on the loop; held by shared_ptr, so always alive.
class FetchTarget {
 public:
  virtual ~FetchTarget() = default;
  // Upstream answered a validation with a server error: would something stored be given instead of
  // that answer?
  [[nodiscard]] virtual bool may_fall_back() const = 0;
  // The body is not going to be held: is there somebody to stream it to? Waiters for the same key
  // are let go. False cancels the fetch.
  virtual bool begin_stream(http::ResponseHead head, bool will_be_stored) = 0;
  virtual void stream_body(std::string_view piece) = 0;
  // `error` null: complete.
  virtual void end_stream(const Error* error) = 0;
  virtual void on_fetched(FetchOutcome outcome) = 0;
};

class Fetch final : public std::enable_shared_from_this<Fetch>, private OriginSink {
 public:
  // `request` must outlive the fetch (the target owns it); `stale` may be null: what is stored for
  // this request and can be validated. `pass_conditions`: the client's own conditions and ranges
  // are sent upstream and nothing is validated.
  Fetch(const CacheContext& context, const CacheRequest& request, StoredResponsePtr stale,
        bool pass_conditions, std::shared_ptr<FetchTarget> target);
  ~Fetch();

  void start();
  void pause();
  void resume();
  void send_body(std::string_view piece, bool last);
  // Nobody waits: ends a streamed fetch, lets a collecting one go on.
  void client_gone();
  // The loop is being shut down: fails with disconnected.
  void abort();

 private:
  enum class Mode : std::uint8_t { waiting, collecting, streaming, done };

  OriginRequest origin_request() const;
  void on_head(http::ResponseHead head, WallTime request_time) override;
  void on_body(std::string_view piece) override;
  void on_complete() override;
  void on_failed(Error error) override;

  bool on_not_modified(const http::ResponseHead& head);
  // `directives`: those of `head`.
  [[nodiscard]] bool judge_storability(http::Method asked, const http::ResponseHead& head,
                                       const http::ResponseDirectives& directives) const;
  [[nodiscard]] bool is_failed_validation(std::uint16_t status) const;
  bool should_collect() const;
  void begin_streaming();
  void end_streaming();
  void update_stored_by_head();
  void invalidate_after_unsafe();
  void admit();
  void on_admitted(Result<Admitted> admitted);
  void complete_with(StoredResponse response, bool may_be_stored);
  StoredResponse response_from_head() const;
  void fail_with(Error error, std::uint16_t upstream_status = 0);
  void finish(FetchOutcome outcome);
  void reject(metrics::StoreRejection reason);
  [[nodiscard]] std::uint64_t collect_bytes_max() const;

  CacheContext context_;
  const CacheRequest& request_;
  StoredResponsePtr stale_;
  bool pass_conditions_;
  std::shared_ptr<FetchTarget> target_;
  std::unique_ptr<OriginExchange> exchange_;
  Mode mode_ = Mode::waiting;
  bool retried_unconditionally_ = false;
  ObjectKind kind_;
  http::ResponseHead head_;
  http::ResponseDirectives directives_;
  bool may_store_ = false;
  bool is_failure_ = false;  // Admitted::is_failure
  WallTime request_time_;
  WallTime response_time_;
  std::string body_;
  bool keep_copy_ = false;  // while streaming: the body is collected too, to be stored
  SharedBytes admitted_body_;
};

}  // namespace revcache::cache
