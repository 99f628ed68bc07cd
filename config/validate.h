// Rules between keys, and the files that keys name.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace revcache::config {

struct Complaint {
  std::string key;  // "authority[0].signer"
  std::string message;
};

// Everything that is wrong; empty for a usable configuration. Looks at the disk (whether files that
// are named can be read), changes nothing.
std::vector<Complaint> validate(const Config& config);

// Hosts and ports of every URL and mirror that the configuration names: allowed destinations.
std::vector<HostAndPort> named_destinations(const Config& config);

}  // namespace revcache::config
