// The HTTP server of the admin port: status page, metrics, liveness, readiness and the API. Nothing
// of it is reachable through the proxy port.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "admin/pages.h"
#include "base/clock.h"
#include "http/parser.h"
#include "net/background_work.h"
#include "net/stream.h"
#include "net/timers.h"

namespace revcache::admin {

struct AdminOptions {
  AccessRules rules;
  std::size_t connections_max = 64;
  http::ParserLimits parser{.header_bytes_max = std::size_t{16} * 1024,
                            .fields_max = 64,
                            .target_bytes_max = 2048,
                            .trailer_bytes_max = 1024,
                            .chunk_line_bytes_max = 256};
  std::chrono::milliseconds header_timeout{
      10'000};                                      // from a request's first byte to its head's end
  std::chrono::milliseconds body_timeout{10'000};   // from its head's end to its body's end
  std::chrono::milliseconds idle_timeout{75'000};   // between requests
  std::chrono::milliseconds linger_timeout{2'000};  // for the client to close after the last answer
  std::chrono::milliseconds answer_timeout{30'000};  // for making and sending one answer
  std::chrono::milliseconds purge_timeout{600'000};  // the same for one that looks at all there is
};

// What it runs on; all outlive the server. One loop.
struct AdminEnvironment {
  net::Timers& timers;
  net::BackgroundWork& work;
  const Clock& clock;
};

class AdminConnection;

// Loop thread only; the loop should not be one that serves the proxy.
class AdminServer {
 public:
  AdminServer(AdminEnvironment environment, AdminOptions options, AdminSources sources);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();  // closes all connections at once

  // Takes over a connection that a listener has accepted. Beyond connections_max it is closed.
  void accept(std::unique_ptr<net::Stream> stream);

  // Names and token after a reload, for requests that come from now on.
  void apply(AccessRules rules);

  // Closes idle connections now and others after their answer. New ones still get one answer, so
  // that /readyz says why the server is leaving.
  void drain();

  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }

 private:
  friend class AdminConnection;
  void retire(std::size_t id);

  AdminEnvironment environment_;
  AdminOptions options_;
  std::shared_ptr<const AdminSources> sources_;  // shared with work off the loop
  std::map<std::size_t, std::shared_ptr<AdminConnection>> connections_;
  std::size_t next_id_ = 0;
  bool draining_ = false;
};

}  // namespace revcache::admin
