#include "net/socket_address.h"

#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace revcache::net {

KernelAddress to_kernel(const SocketAddress& address) noexcept {
  KernelAddress kernel;
  const auto& octets = address.ip.octets();
  if (address.ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, octets.data(), sizeof v4.sin_addr);
    std::memcpy(&kernel.storage, &v4, sizeof v4);
    kernel.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, octets.data(), sizeof v6.sin6_addr);
    std::memcpy(&kernel.storage, &v6, sizeof v6);
    kernel.length = sizeof v6;
  }
  return kernel;
}

SocketAddress from_kernel(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return {IpAddress::v4(octets), ntohs(v4.sin_port)};
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return {IpAddress::v6(octets), ntohs(v6.sin6_port)};
  }
  return {};
}

SocketAddress peer_of(int socket) noexcept {
  KernelAddress kernel;
  kernel.length = sizeof kernel.storage;
  if (getpeername(socket, kernel.get(), &kernel.length) != 0) return {};
  return from_kernel(kernel.get());
}

SocketAddress local_of(int socket) noexcept {
  KernelAddress kernel;
  kernel.length = sizeof kernel.storage;
  if (getsockname(socket, kernel.get(), &kernel.length) != 0) return {};
  return from_kernel(kernel.get());
}

std::string describe_uv_error(int status) {
  std::array<char, 128> text{};
  uv_strerror_r(status, text.data(), text.size());
  return text.data();
}

Error broken_connection(int status, Blame blame, std::string_view doing) {
  const auto code = status == UV_ETIMEDOUT ? ErrorCode::timed_out : ErrorCode::disconnected;
  return {code, blame, std::string(doing) + ": " + describe_uv_error(status)};
}

}  // namespace revcache::net
