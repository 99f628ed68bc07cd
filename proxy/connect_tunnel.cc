#include "proxy/connect_tunnel.h"

#include <utility>
#include <vector>

namespace revcache::proxy {

ConnectTunnel::ConnectTunnel(WorkerContext& context, config::HostAndPort to, ReplyChannel& channel,
                             RequestRecord& record, ExchangeObserver& observer)
    : context_(context),
      to_(std::move(to)),
      channel_(channel),
      record_(record),
      observer_(observer),
      self_(std::make_shared<ConnectTunnel*>(this)) {
  context_.tunnels += 1;
}

ConnectTunnel::~ConnectTunnel() {
  *self_ = nullptr;
  context_.tunnels -= 1;
}

void ConnectTunnel::let_go() {
  *self_ = nullptr;
  upstream_.reset();
}

void ConnectTunnel::start() {
  if (context_.tunnels > context_.settings->config->limits.tunnels) {
    context_.metrics.limits_hit[metrics::index(metrics::Limit::tunnels)].add();
    record_.result = metrics::RequestResult::denied;
    channel_.send_text({.status = 503,
                        .text = "Too many tunnels: see limits.tunnels",
                        .allow = {},
                        .retry_after = std::chrono::seconds(5),
                        .cache_status = {}},
                       std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
    return observer_.pump();
  }
  context_.upstream.connect(to_.host, to_.port, [self = self_](auto upstream) {
    if (*self != nullptr) (*self)->on_connected(std::move(upstream));
  });
}

void ConnectTunnel::on_connected(Result<std::unique_ptr<net::Stream>> upstream) {
  if (!upstream) {
    record_.result = upstream.error().code == ErrorCode::refused ? metrics::RequestResult::denied
                                                                 : metrics::RequestResult::error;
    record_.detail = upstream.error().detail;
    channel_.send_text(reply_for(upstream.error()),
                       std::chrono::floor<std::chrono::seconds>(context_.clock.wall()));
    return observer_.pump();
  }
  upstream_ = std::move(*upstream);
  record_.result = metrics::RequestResult::bypass;
  channel_.send_tunnel_established();
  if (channel_.drained()) grant();
}

void ConnectTunnel::on_reply_drained() {
  if (upstream_ != nullptr && !granted_) grant();
}

void ConnectTunnel::grant() {
  granted_ = true;
  observer_.begin_tunnel();
}

void ConnectTunnel::take_stream(net::Stream& client, std::string_view early) {
  to_upstream_.connect(client, *upstream_);
  to_client_.connect(*upstream_, client);
  if (!early.empty()) to_upstream_.on_read(early);
}

void ConnectTunnel::on_direction_ended() {
  if (to_upstream_.ended() && to_client_.ended()) observer_.tunnel_ended();
}

void ConnectTunnel::Direction::connect(net::Stream& from, net::Stream& to) {
  from_ = &from;
  to_ = &to;
  from.start_reading(*this);
}

void ConnectTunnel::Direction::on_read(std::string_view chunk) {
  tunnel_.observer_.tunnel_active();
  const auto sent = to_->try_write({&chunk, 1});
  if (sent == chunk.size()) return;
  from_->stop_reading();
  std::vector<SharedBytes> rest;
  rest.push_back(SharedBytes::copy_of(chunk.substr(sent)));
  to_->write(std::move(rest), [this](Result<void> written) {
    if (!written) return tunnel_.observer_.tunnel_ended();
    tunnel_.observer_.tunnel_active();
    if (!ended_) from_->start_reading(*this);
  });
}

void ConnectTunnel::Direction::on_read_end() {
  ended_ = true;
  to_->shutdown_write();
  tunnel_.on_direction_ended();
}

void ConnectTunnel::Direction::on_read_error(Error) {
  ended_ = true;
  tunnel_.observer_.tunnel_ended();
}

}  // namespace revcache::proxy
