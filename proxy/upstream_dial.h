// Opening one connection along a route: resolve, check and race the addresses, tunnel through the
// parent proxy, TLS. Each phase has its time, all of them one deadline.
#pragma once

#include <memory>

#include "base/clock.h"
#include "net/resolver.h"
#include "net/transport.h"
#include "proxy/connect_race.h"
#include "proxy/parent_tunnel.h"
#include "proxy/upstream_client.h"
#include "proxy/upstream_route.h"

namespace revcache::proxy {

// Lives until `done` has run or it was cancelled; `done` never runs inside start(). Fails with
// refused or loop_detected (blame client) where access rules forbid every address; those denials
// are counted here. Loop thread only.
class UpstreamDial : public std::enable_shared_from_this<UpstreamDial> {
 public:
  // What `environment` refers to must outlive the dial.
  UpstreamDial(const UpstreamEnvironment& environment, UpstreamSettings settings,
               UpstreamRoute route, MonotonicTime deadline, net::ConnectDone done);

  void start();
  // What is open is closed; `done` is destroyed unrun.
  void cancel();

 private:
  void on_resolved(Result<net::ResolvedHost> resolved);
  void race(const std::vector<IpAddress>& addresses);
  [[nodiscard]] Result<void> check_address(const SocketAddress& address);
  void on_connected(Result<std::unique_ptr<net::Stream>> connected);
  void open_tunnel(std::unique_ptr<net::Stream> stream);
  void on_tunnel(Result<std::unique_ptr<net::Stream>> tunnel);
  void start_tls(std::unique_ptr<net::Stream> stream);
  void finish(Result<std::unique_ptr<net::Stream>> outcome);

  // Of one phase: connect_timeout, but no more than is left in all; at least 1 ms.
  [[nodiscard]] std::chrono::milliseconds phase_timeout() const;
  void end_phase(metrics::UpstreamPhase phase);

  UpstreamEnvironment environment_;
  UpstreamSettings settings_;
  UpstreamRoute route_;
  MonotonicTime deadline_;
  MonotonicTime phase_began_;
  net::ConnectDone done_;
  std::shared_ptr<ConnectRace> race_;
  std::shared_ptr<ParentTunnel> tunnel_;
};

}  // namespace revcache::proxy
