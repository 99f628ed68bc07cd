// CONNECT (RFC 9110 section 9.3.6): bytes both ways, with back-pressure, until both sides have
// ended.
#pragma once

#include <memory>

#include "base/result.h"
#include "config/config.h"
#include "net/stream.h"
#include "proxy/reply_channel.h"
#include "proxy/request_exchange.h"
#include "proxy/worker_context.h"

namespace revcache::proxy {

// Owned by the client's connection; loop thread only.
class ConnectTunnel final : public RequestExchange {
 public:
  ConnectTunnel(WorkerContext& context, config::HostAndPort to, ReplyChannel& channel,
                RequestRecord& record, ExchangeObserver& observer);
  ConnectTunnel(const ConnectTunnel&) = delete;
  ConnectTunnel& operator=(const ConnectTunnel&) = delete;
  ~ConnectTunnel() override;

  void start() override;
  void let_go() override;
  void on_reply_drained() override;
  void take_stream(net::Stream& client, std::string_view early) override;

 private:
  // One direction: what is read from one stream is written to the other.
  class Direction final : public net::StreamReader {
   public:
    explicit Direction(ConnectTunnel& tunnel) : tunnel_(tunnel) {}
    void connect(net::Stream& from, net::Stream& to);
    void on_read(std::string_view chunk) override;
    void on_read_end() override;
    void on_read_error(Error error) override;
    [[nodiscard]] bool ended() const noexcept { return ended_; }

   private:
    ConnectTunnel& tunnel_;
    net::Stream* from_ = nullptr;
    net::Stream* to_ = nullptr;
    bool ended_ = false;
  };

  void on_connected(Result<std::unique_ptr<net::Stream>> upstream);
  void grant();
  void on_direction_ended();

  WorkerContext& context_;
  config::HostAndPort to_;
  ReplyChannel& channel_;
  RequestRecord& record_;
  ExchangeObserver& observer_;
  std::unique_ptr<net::Stream> upstream_;
  Direction to_upstream_{*this};
  Direction to_client_{*this};
  bool granted_ = false;
  std::shared_ptr<ConnectTunnel*> self_;  // null target once destroyed: for callbacks on the way
};

}  // namespace revcache::proxy
