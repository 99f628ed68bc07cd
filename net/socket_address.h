// Between our addresses, the kernel's, and libuv's error numbers. Private to net/.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ip_address.h"

namespace revcache::net {

struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

// An IPv4 address gives an AF_INET socket address.
[[nodiscard]] KernelAddress to_kernel(const SocketAddress& address) noexcept;
// 0.0.0.0:0 for anything but AF_INET and AF_INET6.
[[nodiscard]] SocketAddress from_kernel(const sockaddr* address) noexcept;

// Of a connected or bound socket; 0.0.0.0:0 when the kernel no longer knows it.
[[nodiscard]] SocketAddress peer_of(int socket) noexcept;
[[nodiscard]] SocketAddress local_of(int socket) noexcept;

// `status` is a negative number of libuv (a negated errno): "connection refused" and the like.
[[nodiscard]] std::string describe_uv_error(int status);

// A connection that failed while it was read or written: disconnected, or timed_out when the kernel
// gave up waiting for the peer.
[[nodiscard]] Error broken_connection(int status, Blame blame, std::string_view doing);

}  // namespace revcache::net
