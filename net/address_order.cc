#include "net/address_order.h"

#include <algorithm>
#include <cstddef>

namespace revcache::net {

std::vector<IpAddress> alternate_families(const std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> v6;
  std::vector<IpAddress> v4;
  for (const IpAddress& address : addresses) {
    auto& family = address.is_v4() ? v4 : v6;
    if (std::find(family.begin(), family.end(), address) == family.end()) {
      family.push_back(address);
    }
  }
  std::vector<IpAddress> ordered;
  ordered.reserve(v6.size() + v4.size());
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) ordered.push_back(v6[i]);
    if (i < v4.size()) ordered.push_back(v4[i]);
  }
  return ordered;
}

}  // namespace revcache::net
