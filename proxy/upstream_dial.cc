#include "proxy/upstream_dial.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream_request.h"

namespace revcache::proxy {

using metrics::UpstreamPhase;

UpstreamDial::UpstreamDial(const UpstreamEnvironment& environment, UpstreamSettings settings,
                           UpstreamRoute route, MonotonicTime deadline, net::ConnectDone done)
    : environment_(environment),
      settings_(std::move(settings)),
      route_(std::move(route)),
      deadline_(deadline),
      phase_began_(environment.clock.monotonic()),
      done_(std::move(done)) {}

void UpstreamDial::start() {
  const auto ip = route_.parent ? IpAddress::parse(route_.parent->host) : route_.ip;
  if (ip) return race({*ip});
  environment_.resolver.resolve(
      route_.parent ? route_.parent->host : route_.host, phase_timeout(),
      [self = shared_from_this()](auto resolved) { self->on_resolved(std::move(resolved)); });
}

void UpstreamDial::cancel() {
  const auto self = shared_from_this();
  done_ = nullptr;
  if (race_) std::exchange(race_, nullptr)->cancel();
  if (tunnel_) std::exchange(tunnel_, nullptr)->cancel();
}

void UpstreamDial::on_resolved(Result<net::ResolvedHost> resolved) {
  if (!done_) return;
  end_phase(UpstreamPhase::dns);
  if (!resolved) return finish(std::unexpected(std::move(resolved.error())));
  race(interleave_families(resolved->addresses));
}

void UpstreamDial::race(const std::vector<IpAddress>& addresses) {
  ConnectRace::Plan plan;
  plan.addresses = addresses;
  plan.port = route_.parent ? route_.parent->port : route_.port;
  plan.deadline = phase_began_ + phase_timeout();
  plan.allowed = [self = shared_from_this()](const SocketAddress& address) {
    return self->check_address(address);
  };
  race_ = std::make_shared<ConnectRace>(
      environment_.transport, environment_.timers, environment_.clock, std::move(plan),
      [self = shared_from_this()](auto connected) { self->on_connected(std::move(connected)); });
  race_->start();
}

Result<void> UpstreamDial::check_address(const SocketAddress& address) {
  // A parent proxy is usually a private address of the same network; it may be that, but not us.
  auto allowed = route_.parent ? settings_.access->not_own_listener(address)
                               : settings_.access->address_allowed(address);
  if (!allowed) {
    const bool loop = allowed.error().code == ErrorCode::loop_detected;
    const auto reason = loop ? metrics::Denial::loop : metrics::Denial::address;
    environment_.metrics.denials[metrics::index(reason)].add();
  }
  return allowed;
}

void UpstreamDial::on_connected(Result<std::unique_ptr<net::Stream>> connected) {
  race_.reset();
  if (!done_) return;
  end_phase(UpstreamPhase::connect);
  if (!connected) return finish(std::move(connected));
  if (route_.tunnel) return open_tunnel(std::move(*connected));
  if (route_.tls) return start_tls(std::move(*connected));
  finish(std::move(connected));
}

void UpstreamDial::open_tunnel(std::unique_ptr<net::Stream> stream) {
  ParentTunnel::Plan plan{std::move(stream), route_.authority(), basic_credentials(*route_.parent),
                          phase_timeout()};
  tunnel_ = std::make_shared<ParentTunnel>(
      environment_.timers, settings_.config->limits.parser, std::move(plan),
      [self = shared_from_this()](auto tunnel) { self->on_tunnel(std::move(tunnel)); });
  tunnel_->start();
}

void UpstreamDial::on_tunnel(Result<std::unique_ptr<net::Stream>> tunnel) {
  tunnel_.reset();
  if (!done_) return;
  end_phase(UpstreamPhase::connect);
  if (!tunnel || !route_.tls) return finish(std::move(tunnel));
  start_tls(std::move(*tunnel));
}

void UpstreamDial::start_tls(std::unique_ptr<net::Stream> stream) {
  environment_.transport.start_tls(std::move(stream), route_.host, phase_timeout(),
                                   [self = shared_from_this()](auto secured) {
                                     if (!self->done_) return;
                                     self->end_phase(UpstreamPhase::tls);
                                     self->finish(std::move(secured));
                                   });
}

void UpstreamDial::finish(Result<std::unique_ptr<net::Stream>> outcome) {
  std::exchange(done_, nullptr)(std::move(outcome));
}

std::chrono::milliseconds UpstreamDial::phase_timeout() const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline_ - environment_.clock.monotonic());
  return std::max(std::min(left, settings_.config->upstream.connect_timeout),
                  std::chrono::milliseconds(1));
}

void UpstreamDial::end_phase(UpstreamPhase phase) {
  const auto now = environment_.clock.monotonic();
  environment_.metrics.upstream_duration[route_.label][metrics::index(phase)].observe(
      now - std::exchange(phase_began_, now));
}

}  // namespace revcache::proxy
