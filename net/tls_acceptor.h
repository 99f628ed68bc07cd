// The server side of TLS: for the admin port.
#pragma once

#include <chrono>
#include <memory>

#include "net/event_loop.h"
#include "net/transport.h"
#include "net/uv_timers.h"

namespace revcache::net {

class PendingOperations;
class TlsServerContext;

// Loop thread only; `loop` must outlive it. Destroying it gives up the handshakes under way: their
// callbacks are destroyed unrun. A callback may destroy it. The caller bounds how many run.
class TlsAcceptor {
 public:
  TlsAcceptor(EventLoop& loop, std::shared_ptr<const TlsServerContext> context);
  TlsAcceptor(const TlsAcceptor&) = delete;
  TlsAcceptor& operator=(const TlsAcceptor&) = delete;
  ~TlsAcceptor();

  // Runs a TLS server handshake over `tcp`. Fails with timed_out or disconnected (blame: client).
  void accept(std::unique_ptr<Stream> tcp, std::chrono::milliseconds timeout, ConnectDone done);

  // For handshakes from now on, after a reload.
  void set_context(std::shared_ptr<const TlsServerContext> context);

 private:
  EventLoop& loop_;
  UvTimers timers_;
  std::shared_ptr<const TlsServerContext> context_;
  std::unique_ptr<PendingOperations> pending_;
};

}  // namespace revcache::net
