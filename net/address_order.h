// In which order the addresses of a host are tried. Pure.
#pragma once

#include <vector>

#include "base/ip_address.h"

namespace revcache::net {

// RFC 8305 section 4: families alternate, IPv6 first; within a family the order given stays.
// Repeated addresses are left out.
[[nodiscard]] std::vector<IpAddress> alternate_families(const std::vector<IpAddress>& addresses);

}  // namespace revcache::net
