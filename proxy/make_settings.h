// From a configuration to what the workers use. Blocking (reads files): at start-up, and off-loop
// for a reload.
#pragma once

#include <memory>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "config/config.h"
#include "net/tls_context.h"
#include "proxy/settings.h"

namespace revcache::proxy {

struct LoadedSettings {
  std::shared_ptr<const Settings> settings;
  std::shared_ptr<const net::TlsClientContext> tls;
};

// `listeners`: what our ports are bound to. Fails when a file named in the configuration cannot be
// read or is not what it should be; the detail names it.
Result<LoadedSettings> make_settings(config::Config config,
                                     const std::vector<SocketAddress>& listeners);

}  // namespace revcache::proxy
