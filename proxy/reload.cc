#include "proxy/reload.h"

#include <utility>

namespace revcache::proxy {

std::expected<LoadedSettings, std::string> load_again(const config::Source& source,
                                                      const std::vector<SocketAddress>& guarded,
                                                      ResponderParts& responder,
                                                      RevocationParts& revocation) {
  auto config = config::load(source);
  if (!config) {
    std::string all;
    for (const auto& error : config.error()) all += error.to_string() + "; ";
    return std::unexpected(all);
  }
  auto loaded = make_settings(std::move(*config), guarded);
  if (!loaded) return std::unexpected(loaded.error().detail);
  // Signers first: they refuse more.
  auto applied = responder.apply(*loaded->settings);
  if (applied) applied = revocation.apply(*loaded->settings);
  if (!applied) return std::unexpected(applied.error().detail);
  return *std::move(loaded);
}

void log_what_needs_a_restart(const config::Config& initial, const config::Config& current,
                              metrics::Log& log) {
  if (current.listen.proxy == initial.listen.proxy &&
      current.listen.workers == initial.listen.workers &&
      current.cache.directory == initial.cache.directory) {
    return;
  }
  log.warning("some settings change at the next start only",
              {{"settings", "listen.proxy, listen.workers, cache.directory"}});
}

void log_rules(const config::Config& config, metrics::Log& log) {
  std::string allowed;
  for (const auto& pattern : config.access.destinations) {
    if (!allowed.empty()) allowed += ", ";
    allowed += pattern.text;
  }
  log.info("destinations", {{"allowed", allowed}});
  if (!config.upstream.parent_proxy) return;
  log.warning("behind a parent proxy only names can be checked, not addresses",
              {{"parent_proxy", config.upstream.parent_proxy->host}});
}

}  // namespace revcache::proxy
