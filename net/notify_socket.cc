#include "net/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>

#include "net/socket_address.h"

namespace revcache::net {

namespace {

std::unexpected<Error> cannot_notify(const std::string& address, int error) {
  return fail(ErrorCode::unreachable, Blame::local,
              "NOTIFY_SOCKET " + address + ": " + describe_uv_error(-error));
}

}  // namespace

Result<void> NotifySocket::reloading(MonotonicTime now) const {
  const auto since_boot =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since_boot.count()));
}

Result<void> NotifySocket::status(std::string_view line) const {
  std::string message = "STATUS=" + std::string(line);
  std::replace(message.begin(), message.end(), '\n', ' ');
  return send(message);
}

Result<void> NotifySocket::send(std::string_view message) const {
  if (address_.empty()) return {};
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  const bool is_abstract = address_.front() == '@';
  if ((!is_abstract && address_.front() != '/') || address_.size() >= sizeof peer.sun_path) {
    return cannot_notify(address_, EINVAL);
  }
  std::memcpy(peer.sun_path, address_.data(), address_.size());
  if (is_abstract) peer.sun_path[0] = '\0';
  // An abstract name ends with the address, a path with its zero.
  const std::size_t length =
      offsetof(sockaddr_un, sun_path) + address_.size() + (is_abstract ? 0U : 1U);

  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return cannot_notify(address_, errno);
  const ssize_t sent =
      ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&peer), static_cast<socklen_t>(length));
  const int error = errno;
  ::close(fd);
  if (sent < 0) return cannot_notify(address_, error);
  return {};
}

}  // namespace revcache::net
