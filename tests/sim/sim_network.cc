#include "tests/sim/sim_network.h"

#include <algorithm>
#include <utility>

#include "tests/sim/sim_wire.h"

namespace revcache::sim {

namespace {

constexpr std::chrono::milliseconds kTlsRoundTrip{2};

}  // namespace

SimNetwork::SimNetwork(SimScheduler& scheduler) : scheduler_(scheduler) {}
SimNetwork::~SimNetwork() = default;

void SimNetwork::listen(const SocketAddress& address, AcceptCallback accept) {
  listeners_[address] = std::make_shared<AcceptCallback>(std::move(accept));
}

void SimNetwork::stop_listening(const SocketAddress& address) { listeners_.erase(address); }

void SimNetwork::connect(const SocketAddress& address, std::chrono::milliseconds timeout,
                         net::ConnectDone done) {
  connect_from(IpAddress::v4({192, 0, 2, 1}), address, timeout, std::move(done));
}

void SimNetwork::connect_from(const IpAddress& client, const SocketAddress& address,
                              std::chrono::milliseconds timeout, net::ConnectDone done) {
  attempts_.push_back({address, scheduler_.elapsed()});
  const LinkProfile& profile = links_[address];
  const auto there = profile.to_server.latency;
  const auto round_trip = there + profile.to_client.latency;
  if (profile.accepting == Accepting::silence || round_trip > timeout) {
    return fail_later(
        timeout, std::move(done),
        {ErrorCode::timed_out, Blame::upstream, "no answer from " + address.to_string()});
  }
  Pending pending{{client, next_port_++}, address, timeout, std::move(done)};
  scheduler_.after(there,
                   [this, pending = std::move(pending)]() mutable { arrive(std::move(pending)); });
}

void SimNetwork::arrive(Pending pending) {
  const LinkProfile profile = links_[pending.server];
  const auto listener = listeners_.find(pending.server);
  if (listener == listeners_.end() || profile.accepting != Accepting::accept) {
    return fail_later(profile.to_client.latency, std::move(pending.done),
                      {ErrorCode::unreachable, Blame::upstream,
                       "connection refused by " + pending.server.to_string()});
  }
  auto wire = std::make_shared<SimWire>(scheduler_, profile, pending.client, pending.server);
  std::erase_if(wires_, [](const auto& known) { return known.expired(); });
  wires_.push_back(wire);
  scheduler_.after(profile.to_client.latency,
                   [this, wire, done = std::move(pending.done)]() mutable {
                     done(make_sim_stream(wire, 0, open_streams_));
                   });
  const auto accept = listener->second;
  (*accept)(make_sim_stream(std::move(wire), 1, open_streams_));
}

void SimNetwork::fail_later(std::chrono::nanoseconds delay, net::ConnectDone done, Error error) {
  scheduler_.after(delay, [done = std::move(done), error = std::move(error)]() mutable {
    done(std::unexpected(std::move(error)));
  });
}

void SimNetwork::start_tls(std::unique_ptr<net::Stream> tcp, const std::string& server_name,
                           std::chrono::milliseconds timeout, net::ConnectDone done) {
  tls_names_.push_back(server_name);
  const auto known = tls_.find(server_name);
  const auto outcome = known == tls_.end() ? TlsOutcome::trusted : known->second;
  if (outcome == TlsOutcome::silence || kTlsRoundTrip > timeout) {
    return fail_later(timeout, std::move(done),
                      {ErrorCode::timed_out, Blame::upstream, "TLS handshake not answered"});
  }
  if (outcome == TlsOutcome::untrusted) {
    return fail_later(
        kTlsRoundTrip, std::move(done),
        {ErrorCode::untrusted, Blame::upstream, "certificate not trusted for " + server_name});
  }
  if (outcome == TlsOutcome::disconnect) {
    return fail_later(kTlsRoundTrip, std::move(done),
                      {ErrorCode::disconnected, Blame::upstream, "closed during the handshake"});
  }
  scheduler_.after(kTlsRoundTrip, [tcp = std::move(tcp), done = std::move(done)]() mutable {
    done(std::move(tcp));
  });
}

void SimNetwork::reset_all(const SocketAddress& address) {
  for (const auto& known : wires_) {
    const auto wire = known.lock();
    if (wire && wire->address_of(1) == address) wire->reset();
  }
}

void SimNetwork::stall_all(const SocketAddress& address) {
  for (const auto& known : wires_) {
    const auto wire = known.lock();
    if (wire && wire->address_of(1) == address) wire->stall();
  }
}

}  // namespace revcache::sim
