// The admin port of the running server: its listener, TLS when configured, and what its pages show.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/server.h"
#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "config/config.h"
#include "net/background_work.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/timers.h"
#include "net/tls_acceptor.h"

namespace revcache::proxy {

// Main loop's thread only; `loop`, `timers` and `work` outlive it.
class AdminPort {
 public:
  // Fails when the address cannot be bound, or the token or TLS files cannot be read.
  static Result<std::unique_ptr<AdminPort>> open(net::EventLoop& loop, net::Timers& timers,
                                                 net::BackgroundWork& work,
                                                 const config::Config& config,
                                                 admin::AdminSources sources);
  AdminPort(const AdminPort&) = delete;
  AdminPort& operator=(const AdminPort&) = delete;

  [[nodiscard]] SocketAddress local_address() const { return listener_->local_address(); }
  // Names and token as of a reload. Fails, and nothing changes, when the token cannot be read.
  Result<void> apply(const config::Config& config);
  void drain() { server_.drain(); }

 private:
  AdminPort(net::EventLoop& loop, net::Timers& timers, net::BackgroundWork& work,
            admin::AccessRules rules, admin::AdminSources sources);

  void accept(std::unique_ptr<net::Stream> stream);

  admin::AdminServer server_;
  std::unique_ptr<net::TlsAcceptor> tls_;  // null: plain
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace revcache::proxy
