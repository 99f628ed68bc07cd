// A request whose reply could not be sent at once: what a connection holds meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/object_kind.h"
#include "http/message.h"
#include "metrics/metrics.h"
#include "net/stream.h"

namespace revcache::proxy {

// What is counted and logged of one request.
struct RequestRecord {
  ObjectKind kind = ObjectKind::other;
  http::Method method = http::Method::get;
  metrics::RequestResult result = metrics::RequestResult::hit;
  bool ready = false;        // our own answer, signed before: as a hit in memory
  std::string target;        // as sent; filled when the access log wants it
  std::string detail;        // of a failure
  std::string method_text;   // of a method that has no enumerator
  std::string cache_status;  // value of Cache-Status, when the access log wants it
};

// The connection, as an exchange sees it.
class ExchangeObserver {
 public:
  // The exchange has changed something: the reply may be complete. May bury the exchange, so it is
  // the last thing that the exchange does.
  virtual void pump() = 0;
  // The exchange wants more of the request's body.
  virtual void resume_input() = 0;
  // The reply to CONNECT is sent: bytes are no longer parsed, take_stream() follows.
  virtual void begin_tunnel() = 0;
  virtual void tunnel_active() = 0;
  virtual void tunnel_ended() = 0;

 protected:
  ~ExchangeObserver() = default;
};

// Loop thread only. Destroying it lets go of whatever it waits for.
class RequestExchange {
 public:
  virtual ~RequestExchange() = default;
  virtual void start() = 0;
  // The connection needs it no more: it cancels what it waits for and calls nobody again.
  virtual void let_go() = 0;
  // True when it takes body bytes now.
  [[nodiscard]] virtual bool wants_body() const { return false; }
  virtual void on_body(std::string_view piece) { static_cast<void>(piece); }
  virtual void on_body_end() {}
  virtual void on_reply_drained() {}
  // A tunnel was granted: the exchange becomes the reader of the client's stream. `early` are bytes
  // that came right behind the request.
  virtual void take_stream(net::Stream& client, std::string_view early) {
    static_cast<void>(client);
    static_cast<void>(early);
  }
};

}  // namespace revcache::proxy
