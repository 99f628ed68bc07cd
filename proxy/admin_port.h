// The admin port of the running server: its listener, TLS when configured, what its pages show and
// what its API does.
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
#include "proxy/admin_operations.h"

namespace revcache::proxy {

// Main loop's thread only.
class AdminPort {
 public:
  // What it runs on and acts on. All outlive it, and work that it submitted.
  struct Parts {
    net::EventLoop& loop;
    net::Timers& timers;
    net::BackgroundWork& work;
    const Clock& clock;
    metrics::Log& log;
    RevocationParts& revocation;
    WorkerThread& refresher;  // the worker that renews what is known
    cache::SharedCache& cache;
    cache::DiskStore* disk;  // null: memory only
    std::uint64_t hash_seed;
    // See AdminOperations.
    std::function<revocation::ResponderTablePtr()> responder_table{};
    std::function<admin::StatusReport(const config::Config&)> status{};
  };

  // Fails when the address cannot be bound, or the token or TLS files cannot be read. The
  // operations of `sources` are made here.
  static Result<std::unique_ptr<AdminPort>> open(const Parts& parts,
                                                 std::shared_ptr<const config::Config> config,
                                                 admin::AdminSources sources);
  AdminPort(const AdminPort&) = delete;
  AdminPort& operator=(const AdminPort&) = delete;
  ~AdminPort();

  [[nodiscard]] SocketAddress local_address() const { return listener_->local_address(); }
  // As of a reload. Fails, and names and token stay, when the token cannot be read.
  Result<void> apply(std::shared_ptr<const config::Config> config);
  void drain() { server_.drain(); }
  // Nothing is done for anybody any more. Before the workers end.
  void stop() { operations_->stop(); }

 private:
  AdminPort(const Parts& parts, admin::AccessRules rules, admin::AdminSources sources,
            std::shared_ptr<AdminOperations> operations);

  void accept(std::unique_ptr<net::Stream> stream);

  std::shared_ptr<AdminOperations> operations_;
  admin::AdminServer server_;
  std::unique_ptr<net::TlsAcceptor> tls_;  // null: plain
  std::unique_ptr<net::Listener> listener_;
};

}  // namespace revcache::proxy
