// Fetching from upstream, as the cache sees it. Fulfilled by proxy/upstream_client, and by a fake
// in tests. Loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/object_kind.h"
#include "http/message.h"
#include "http/uri.h"

namespace revcache::cache {

// Gives the content of a streamed request. Fulfilled by the client connection.
class RequestBodySource {
 public:
  // Called when upstream can take more; the source answers with OriginExchange::send_body, later
  // or at once.
  virtual void want_body() = 0;

 protected:
  ~RequestBodySource() = default;
};

struct OriginRequest {
  http::Method method = http::Method::get;
  std::string method_text;  // for Method::other
  http::Uri uri;
  http::Fields fields;  // end-to-end; without Host, Via, CDN-Loop, Content-Length: the client
                        // of this interface need not know them
  ObjectKind kind = ObjectKind::other;
  std::string body;                          // whole content, when the source below is null
  bool has_body = false;                     // send Content-Length even when the body is empty
  RequestBodySource* body_source = nullptr;  // else streamed, never retried; outlives the exchange
  std::optional<std::uint64_t> body_length;  // of a streamed body; nullopt: chunked
  std::optional<std::uint64_t> max_forwards;
  std::string cdn_loop;  // CDN-Loop and Via as received, to be continued
  std::string via;
  // In all: mirrors, redirects and retries. Zero: Options::timeout.
  std::chrono::milliseconds timeout{0};
  // CRL, OCSP and AIA fetches follow redirects themselves (bounded, each hop re-checked); others
  // hand 3xx to the client.
  bool follow_redirects = false;
};

// Receives one response. After on_complete or on_failed nothing more is called.
class OriginSink {
 public:
  // The final head (interim responses are consumed); `request_time` is when the request that was
  // answered had been sent.
  virtual void on_head(http::ResponseHead head, WallTime request_time) = 0;
  // A piece of the decoded body; the view is valid for the length of the call.
  virtual void on_body(std::string_view piece) = 0;
  virtual void on_complete() = 0;
  // Before on_head: no response. After it: the body is incomplete and must not be used or stored.
  virtual void on_failed(Error error) = 0;

 protected:
  ~OriginSink() = default;
};

// One fetch under way. Destroying it cancels: the sink hears nothing more.
class OriginExchange {
 public:
  virtual ~OriginExchange() = default;
  // Back-pressure on the response body; resume() may deliver what was held, before it returns.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // For streamed request bodies, after want_body(): one piece, then wait for the next want_body().
  virtual void send_body(std::string_view piece, bool last) = 0;
};

class Origin {
 public:
  virtual ~Origin() = default;
  // Never calls `sink` before it has returned. `sink` must outlive the exchange.
  [[nodiscard]] virtual std::unique_ptr<OriginExchange> fetch(OriginRequest request,
                                                              OriginSink& sink) = 0;
};

}  // namespace revcache::cache
