// A listening TCP socket on one loop. Each worker has its own on the same address (reuse_port), and
// the kernel spreads the connections over them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/callback.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "net/foreign_types.h"
#include "net/stream.h"

namespace revcache::net {

struct ListenerOptions {
  bool reuse_port = false;  // several sockets on the same address (SO_REUSEPORT)
  bool ipv6_only = true;    // an IPv6 socket takes no IPv4 connections
  // The kernel holds a connection back until it has sent something, or for kSilenceMax: nobody is
  // woken twice for a new client, whose request is there when it is accepted. Until then nobody
  // here knows of it: it counts against no limit, and stop() does not accept it; it is reset when
  // it sends after that.
  bool defer_accept = false;
  // Reads a new connection at once instead of waiting for the loop to say that it is readable: most
  // clients have sent their request by the time they are accepted.
  bool read_at_once = true;
  bool nodelay = true;  // accepted connections inherit it
  int backlog = 4096;   // cut by the kernel to net.core.somaxconn
};

// Loop thread only. The callbacks may stop the listener, but must not destroy it.
class Listener {
 public:
  // Linux counts in retransmissions of its SYN-ACK, of which the first comes after a second.
  static constexpr std::chrono::seconds kSilenceMax{1};

  using OnAccept = Callback<std::unique_ptr<Stream>>;
  // A connection was closed, or accepting was paused for a moment, because the process or the
  // machine has no descriptor or no memory left.
  using OnExhausted = Callback<>;

  // Fails with unreachable (blame: local) and names the address and the reason. `loop` must outlive
  // the listener. `on_accept` runs once for each connection, whose broken reads are the client's
  // fault; without `on_exhausted` nobody counts those.
  static Result<std::unique_ptr<Listener>> open(EventLoop& loop, const SocketAddress& address,
                                                const ListenerOptions& options, OnAccept on_accept,
                                                OnExhausted on_exhausted = nullptr);
  // `wanted`, with a port that is free where it has 0. Fails as open() does without reuse_port when
  // somebody listens there. Does not listen itself: a client would be reset when that ends.
  static Result<SocketAddress> free_address(const SocketAddress& wanted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  // Closes; connections that the kernel has queued are reset. See stop().
  ~Listener();

  // With the port that the kernel chose when 0 was asked for.
  [[nodiscard]] SocketAddress local_address() const;

  // Accepts what the kernel has queued, since those clients count themselves as connected, then
  // closes the socket. Idempotent.
  void stop();

 private:
  class Sockets;
  enum class Accepted : std::uint8_t { one, none_left, exhausted };

  Listener(EventLoop& loop, const ListenerOptions& options, OnAccept on_accept,
           OnExhausted on_exhausted);

  static void on_uv_poll(uv_poll_s* handle, int status, int events) noexcept;
  bool accept_up_to(int count);
  Accepted accept_one();
  void hand_over(int socket, const SocketAddress& peer);
  void turn_one_away();
  void pause();

  EventLoop& loop_;
  ListenerOptions options_;
  OnAccept on_accept_;
  OnExhausted on_exhausted_;
  std::unique_ptr<Sockets> sockets_;  // null: stopped
  int batch_ = 1;                     // connections accepted before other work gets its turn
};

}  // namespace revcache::net
