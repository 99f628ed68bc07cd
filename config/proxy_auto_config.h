// The proxy auto-configuration script: served as /proxy.pac, and part of the Windows kit.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace revcache::config {

// JavaScript: plain http to the configured destinations through us, everything else, and we
// ourselves, directly. `own_host`: "host[:port]" as the client names us; empty: the first listener.
std::string proxy_auto_config(const Config& config, std::string_view own_host);

}  // namespace revcache::config
