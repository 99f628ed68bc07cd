// Fetches from origins, mirrors and the parent proxy for one worker: fulfils cache/origin.h.
// Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "cache/origin.h"
#include "config/config.h"
#include "metrics/log.h"
#include "metrics/metrics.h"
#include "net/resolver.h"
#include "net/timers.h"
#include "net/transport.h"
#include "proxy/access_control.h"

namespace revcache::proxy {

// What every upstream operation of a worker uses. All outlive it.
struct UpstreamEnvironment {
  net::Transport& transport;
  net::Resolver& resolver;
  net::Timers& timers;
  const Clock& clock;
  metrics::LoopMetrics& metrics;
  metrics::Log& log;
  std::string instance_id;  // ours in CDN-Loop: "revcache-<16 hex digits>"
};

// Settings that a reload replaces as a whole; operations under way keep what they began with.
struct UpstreamSettings {
  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const AccessControl> access;
};

struct UpstreamContext;

// Destroying it cancels the tunnels being opened, unanswered; fetches are cancelled by those who
// hold them, before.
class UpstreamClient final : public cache::Origin {
 public:
  UpstreamClient(UpstreamEnvironment environment, UpstreamSettings settings);
  UpstreamClient(const UpstreamClient&) = delete;
  UpstreamClient& operator=(const UpstreamClient&) = delete;
  ~UpstreamClient() override;

  [[nodiscard]] std::unique_ptr<cache::OriginExchange> fetch(cache::OriginRequest request,
                                                             cache::OriginSink& sink) override;

  // Opens a connection for a CONNECT tunnel: resolve, check each address, race the families
  // (RFC 8305), through the parent proxy when there is one (by CONNECT). The name and port were
  // already allowed by the caller.
  void connect(const std::string& host, std::uint16_t port, net::ConnectDone done);

  void apply(UpstreamSettings settings);  // after a reload
  // Closes idle connections; fetches under way go on.
  void close_idle();

 private:
  std::shared_ptr<UpstreamContext> context_;
};

}  // namespace revcache::proxy
