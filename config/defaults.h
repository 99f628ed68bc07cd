// The settings of a start without a file.
#pragma once

#include <string>

#include "config/config.h"

namespace revcache::config {

// What the defaults take from the process: where its data goes.
struct Environment {
  bool is_root = false;
  std::string home;            // HOME
  std::string xdg_state_home;  // XDG_STATE_HOME
};

// Of this process. Call before any other thread runs.
Environment current_environment();

// /var/lib/revcache for root, else $XDG_STATE_HOME/revcache or ~/.local/state/revcache. A variable
// that is no absolute path counts as absent (XDG Base Directory Specification).
std::string data_directory(const Environment& environment);

// Complete and valid: proxy and admin port on loopback, clients from loopback and private ranges,
// the known public PKI hosts as destinations.
Config defaults(const Environment& environment);
Config defaults();

}  // namespace revcache::config
