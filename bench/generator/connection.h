// One connection of the generator: connects, writes one request at a time, reads its answer. Lives
// until its owner destroys it; the libuv handle outlives it until its close callback. Loop thread.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <string>

#include "bench/generator/response_parser.h"
#include "bench/generator/results.h"
#include "net/uv_handle.h"

namespace revcache::bench {

class Connection;

class ConnectionOwner {
 public:
  // How a request went: Outcome::right means that answer() is complete, whatever it says. Also,
  // with Outcome::cut, that an idle connection was closed. May destroy the connection, or send
  // anew.
  virtual void on_ended(Connection& connection, Outcome outcome) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class Connection {
 public:
  // `buffer` is shared by all connections of the loop. Owner and buffer outlive the connection.
  Connection(uv_loop_t& loop, std::string& buffer, ConnectionOwner& owner);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects when it is not connected, then writes `request`, which stays until the end.
  void send(const sockaddr_storage& peer, std::string request);

  [[nodiscard]] bool busy() const noexcept { return busy_; }
  [[nodiscard]] const Answer& answer() const noexcept { return parser_.answer(); }
  // The request was not the first, and not an octet of an answer has come.
  [[nodiscard]] bool closed_while_idle() const noexcept { return sent_ > 1 && !parser_.begun(); }
  [[nodiscard]] std::uint64_t written_at() const noexcept { return written_at_; }

 private:
  static void on_connect(uv_connect_t* request, int status);
  static void on_allocate(uv_handle_t* handle, std::size_t suggested, uv_buf_t* out);
  static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);
  void write();
  void take(std::string_view chunk);
  void end(Outcome outcome);
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(tcp_.get()); }

  std::string& buffer_;
  ConnectionOwner& owner_;
  net::UvHandle<uv_tcp_t> tcp_;
  ResponseParser parser_;
  std::string request_;
  std::uint64_t written_at_ = 0;
  std::uint64_t sent_ = 0;
  bool connected_ = false;
  bool busy_ = false;
};

}  // namespace revcache::bench
