// Connections by TCP, and TLS over them.
#pragma once

#include <memory>

#include "net/event_loop.h"
#include "net/transport.h"
#include "net/uv_timers.h"

namespace revcache::net {

class PendingOperations;
class TlsClientContext;

// Loop thread only; `loop` must outlive it. Destroying it gives up what is under way: those
// callbacks are destroyed unrun. A callback may destroy it.
class UvTransport final : public Transport {
 public:
  // `tls`: whom to trust; without it start_tls fails with unsupported.
  explicit UvTransport(EventLoop& loop, std::shared_ptr<const TlsClientContext> tls = nullptr);
  UvTransport(const UvTransport&) = delete;
  UvTransport& operator=(const UvTransport&) = delete;
  ~UvTransport() override;

  void connect(const SocketAddress& address, std::chrono::milliseconds timeout,
               ConnectDone done) override;
  void start_tls(std::unique_ptr<Stream> tcp, const std::string& server_name,
                 std::chrono::milliseconds timeout, ConnectDone done) override;

  // For handshakes from now on, after a reload.
  void set_tls(std::shared_ptr<const TlsClientContext> tls);

 private:
  EventLoop& loop_;
  UvTimers timers_;
  std::shared_ptr<const TlsClientContext> tls_;
  std::unique_ptr<PendingOperations> pending_;
};

}  // namespace revcache::net
