// Reading the configuration again: what SIGHUP does off the loop, and what an administrator is told
// about settings, then and at the start.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "config/config.h"
#include "config/load.h"
#include "metrics/log.h"
#include "proxy/make_settings.h"
#include "proxy/responder_parts.h"
#include "proxy/revocation_parts.h"

namespace revcache::proxy {

// Reads the file, and hands the new settings to signers and evidence. Fails, with all that is wrong
// in words, and the old settings stay. `guarded`: our own listeners. Blocks: pool threads.
std::expected<LoadedSettings, std::string> load_again(const config::Source& source,
                                                      const std::vector<SocketAddress>& guarded,
                                                      ResponderParts& responder,
                                                      RevocationParts& revocation);

// Logs what is different from the start and has no effect before the next one.
void log_what_needs_a_restart(const config::Config& initial, const config::Config& current,
                              metrics::Log& log);

// Logs what an administrator should see without having written it: the built-in destinations, and
// what cannot be checked behind a parent proxy.
void log_rules(const config::Config& config, metrics::Log& log);

}  // namespace revcache::proxy
