// The addresses of this machine.
#pragma once

#include <vector>

#include "base/ip_address.h"

namespace revcache::net {

// Of all interfaces, loopback too; empty when the system does not tell. Any thread.
std::vector<IpAddress> local_addresses();

}  // namespace revcache::net
