#include "net/interfaces.h"

#include <uv.h>

#include <algorithm>
#include <array>

namespace revcache::net {

namespace {

IpAddress address_of(const uv_interface_address_t& interface) {
  if (interface.address.address4.sin_family == AF_INET) {
    std::array<std::uint8_t, 4> octets{};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&interface.address.address4.sin_addr);
    std::copy_n(bytes, octets.size(), octets.begin());
    return IpAddress::v4(octets);
  }
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(interface.address.address6.sin6_addr.s6_addr, octets.size(), octets.begin());
  return IpAddress::v6(octets);
}

}  // namespace

std::vector<IpAddress> local_addresses() {
  uv_interface_address_t* interfaces = nullptr;
  int count = 0;
  if (uv_interface_addresses(&interfaces, &count) != 0) return {};
  std::vector<IpAddress> addresses;
  addresses.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) addresses.push_back(address_of(interfaces[i]));
  uv_free_interface_addresses(interfaces, count);
  return addresses;
}

}  // namespace revcache::net
