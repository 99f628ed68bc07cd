// What the command line says to `revcache windows-kit`.
#pragma once

#include <string>
#include <vector>

namespace revcache::config {

struct WindowsKitArguments {
  std::string directory;                 // where the kit goes; made when it is not there
  std::string url;                       // how the servers reach us; empty: from listen.*
  std::vector<std::string> authorities;  // of those with a signer; empty: all of them
};

}  // namespace revcache::config
