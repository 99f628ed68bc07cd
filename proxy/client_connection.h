// One client connection: reads requests one after another, hands each to the handler, sends the
// replies in order. Keep-alive, pipelining, request bodies with back-pressure, deadlines.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/parser.h"
#include "net/stream.h"
#include "proxy/reply_channel.h"
#include "proxy/request_exchange.h"
#include "proxy/worker_context.h"

namespace revcache::proxy {

class ClientConnection;

// The worker, as its connections see it.
class ConnectionOwner {
 public:
  // Parsers are lent while a connection has something to parse, so that an idle one is small.
  virtual std::unique_ptr<http::RequestParser> borrow_parser() = 0;
  virtual void return_parser(std::unique_ptr<http::RequestParser> parser) = 0;
  // The connection has closed its stream; it is destroyed later, when none of its calls is left.
  virtual void retire(ClientConnection& connection) = 0;
  virtual void bury(std::unique_ptr<RequestExchange> exchange) = 0;
  [[nodiscard]] virtual bool draining() const = 0;

 protected:
  ~ConnectionOwner() = default;
};

// Owned by the worker; loop thread only.
class ClientConnection final : public net::StreamReader,
                               private ReplyObserver,
                               private ExchangeObserver {
 public:
  ClientConnection(std::unique_ptr<net::Stream> stream, WorkerContext& context,
                   ConnectionOwner& owner);
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection();

  void start();
  // By the worker's sweep, about once a second.
  void check_deadline(MonotonicTime now);
  // A connection without a request is closed; another one after its reply.
  void drain();
  void close_now();

  void on_read(std::string_view chunk) override;
  void on_read_end() override;
  void on_read_error(Error error) override;

  [[nodiscard]] const SocketAddress& peer() const noexcept { return peer_; }

  // Position in the worker's list of connections.
  std::size_t index = 0;

 private:
  enum class Mode : std::uint8_t {
    await_head,  // between requests, or inside a head
    body,        // the exchange takes the request's body
    blocked,     // the reply is under way; input waits
    discard,     // the connection is being closed; what still arrives is thrown away
    tunnel,
    closed,
  };

  void consume(std::string_view chunk);
  bool consume_step(std::string_view& chunk);
  void on_head(std::string_view rest);
  void on_malformed();
  bool on_body(std::string_view piece);
  void stash(std::string_view rest);
  void resume_input() override;
  void pump() override;
  void begin_tunnel() override;
  void tunnel_ended() override;
  void tunnel_active() override;

  void on_reply_progress() override;
  void on_reply_drained() override;
  void on_reply_broken() override;

  void finish_request();
  void record_request();
  void close_gracefully();
  void set_deadline(std::chrono::milliseconds after) noexcept;
  void release_parser();
  void let_go_of_exchange();
  [[nodiscard]] const config::Limits& limits() const { return context_.settings->config->limits; }

  std::unique_ptr<net::Stream> stream_;
  WorkerContext& context_;
  ConnectionOwner& owner_;
  ReplyChannel channel_;
  std::unique_ptr<http::RequestParser> parser_;
  std::unique_ptr<RequestExchange> exchange_;
  RequestRecord record_;
  std::string pending_input_;
  MonotonicTime deadline_;
  MonotonicTime request_began_;
  SocketAddress peer_;
  std::uint64_t body_received_ = 0;
  std::uint32_t requests_ = 0;
  Mode mode_ = Mode::await_head;
  bool in_request_ = false;
  bool in_head_ = false;
  bool consuming_ = false;
  bool reading_ = false;
  bool peer_finished_ = false;
  bool client_allowed_ = true;
};

}  // namespace revcache::proxy
