// One connection to an origin or a parent proxy, and the exchange that runs on it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "config/config.h"
#include "http/parser.h"
#include "metrics/counter.h"
#include "net/stream.h"
#include "proxy/upstream_pool.h"

namespace revcache::proxy {

// Held by its exchange, or by the pool while idle. Loop thread only.
class UpstreamConnection final : public std::enable_shared_from_this<UpstreamConnection>,
                                 private net::StreamReader {
 public:
  // Hears of one response. From inside any of these calls it may close the connection. After
  // on_response_end or on_connection_failed it is forgotten.
  class User {
   public:
    virtual void on_response_head(http::ResponseHead head) = 0;  // the final one
    virtual void on_response_body(std::string_view piece) = 0;
    virtual void on_response_end() = 0;
    virtual void on_connection_failed(Error error) = 0;

   protected:
    ~User() = default;
  };

  // `open_connections` counts those alive and must outlive the connection.
  UpstreamConnection(std::unique_ptr<net::Stream> stream, UpstreamSlot slot,
                     std::shared_ptr<const config::Config> config,
                     metrics::Gauge& open_connections);
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;
  ~UpstreamConnection();

  // Starts an exchange on an unused or idle connection. `user` must outlive it or close().
  void begin(http::Method method, User& user);
  // Sends a part of the request; `sent` runs when the kernel has it all. After a failure it does
  // not run: what is read tells, as the response may have come before the request was all sent.
  void write(std::vector<SharedBytes> pieces, Callback<> sent);
  // The same at once, as far as the socket takes it: gives how much that is.
  [[nodiscard]] std::size_t try_write(std::string_view text);
  // No part of the request is left to be sent.
  void request_complete() noexcept { request_complete_ = true; }

  // Back-pressure on the body: after the head, nothing is delivered or read until resume(), which
  // may deliver what was held before it returns.
  void pause();
  void resume();

  // Closes now, forgets the user and gives the slot back. What is held only by the callback of a
  // write may live on for a while.
  void close();
  // Closes, and hands over the right to make another connection.
  UpstreamSlot close_for_another();

  // Between exchanges: watches for the peer to close, or to send what nobody asked for. `lost`
  // runs once then.
  void watch(Callback<> lost);

  [[nodiscard]] const UpstreamSlot& slot() const noexcept { return slot_; }
  [[nodiscard]] bool was_used() const noexcept { return was_used_; }  // before this exchange
  [[nodiscard]] bool response_begun() const noexcept { return response_begun_; }
  // After on_response_end: another request may follow.
  [[nodiscard]] bool reusable() const noexcept { return reusable_; }

 private:
  void on_read(std::string_view chunk) override;
  void on_read_end() override;
  void on_read_error(Error error) override;

  void parse(std::string_view chunk);
  void on_head_parsed(bool more_follows);
  void end_response(bool surplus);
  void fail_exchange(Error error);
  void lose();
  void close_stream();

  UpstreamSlot slot_;
  std::shared_ptr<const config::Config> config_;  // the parser refers to its limits
  metrics::Gauge& open_connections_;
  http::ResponseParser parser_;
  User* user_ = nullptr;
  Callback<> lost_;   // while idle
  std::string held_;  // read, not parsed: paused
  bool was_used_ = false;
  bool used_ = false;
  bool request_complete_ = false;
  bool response_begun_ = false;
  bool head_delivered_ = false;
  bool keep_alive_ = false;
  bool reusable_ = false;
  bool paused_ = false;
  bool parsing_ = false;
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace revcache::proxy
