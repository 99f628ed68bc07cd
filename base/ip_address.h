// IP addresses and networks as values: what access rules are made of. Pure.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace revcache {

// An IPv4 or IPv6 address without zone. An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is stored as
// the IPv4 address that it means, so that no rule can be evaded by spelling.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0

  static IpAddress v4(std::array<std::uint8_t, 4> octets) noexcept;
  static IpAddress v6(const std::array<std::uint8_t, 16>& octets) noexcept;  // unmaps ::ffff:0:0/96

  // Strict dotted quad (four decimal numbers, no leading zero) or RFC 4291 text without brackets
  // and without zone; anything else is nullopt.
  static std::optional<IpAddress> parse(std::string_view text) noexcept;

  [[nodiscard]] bool is_v4() const noexcept { return is_v4_; }
  // For IPv4 only the first four octets count.
  [[nodiscard]] const std::array<std::uint8_t, 16>& octets() const noexcept { return octets_; }

  // Anything that is not a globally reachable unicast destination: private (RFC 1918, fc00::/7),
  // loopback, link-local, unspecified, shared (100.64/10), multicast, broadcast, reserved,
  // documentation, benchmarking, and IPv6 forms that embed such an IPv4 address (6to4, NAT64).
  [[nodiscard]] bool is_private() const noexcept;
  [[nodiscard]] bool is_loopback() const noexcept;

  [[nodiscard]] std::string to_string() const;  // RFC 5952 for IPv6, no brackets

  // The same text into `out` (kTextBytesMax octets at least), no terminator; gives its length.
  static constexpr std::size_t kTextBytesMax = 39;
  std::size_t write_text(char* out) const noexcept;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
  bool is_v4_ = true;
};

// A CIDR block; a bare address is a block of one.
class IpNetwork {
 public:
  // "10.0.0.0/8", "::1", "fe80::/10". Host bits that are set, or a prefix length that does not fit,
  // give nullopt.
  static std::optional<IpNetwork> parse(std::string_view text) noexcept;

  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;

 private:
  IpAddress base_;
  std::uint8_t prefix_length_ = 32;
};

// Address and port of a socket.
struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  // "127.0.0.1:3128", "[::1]:3128".
  static std::optional<SocketAddress> parse(std::string_view text) noexcept;
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace revcache
