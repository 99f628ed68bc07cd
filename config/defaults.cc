#include "config/defaults.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "config/patterns.h"
#include "config/public_pki_hosts.h"

namespace revcache::config {
namespace {

// Loopback, RFC 1918, shared address space (RFC 6598), unique local and link-local addresses.
constexpr std::array<std::string_view, 9> kDefaultClients{
    "127.0.0.0/8",    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
    "169.254.0.0/16", "::1",        "fc00::/7",      "fe80::/10"};

template <class T>
T built_in(Parsed<T> parsed) {
  CHECK(parsed.has_value());
  return std::move(*parsed);
}

std::string variable(const char* name) {
  // Only before any other thread runs (see the header).
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Environment current_environment() {
  return {.is_root = geteuid() == 0,
          .home = variable("HOME"),
          .xdg_state_home = variable("XDG_STATE_HOME")};
}

std::string data_directory(const Environment& environment) {
  if (environment.is_root) return "/var/lib/revcache";
  if (environment.xdg_state_home.starts_with('/')) return environment.xdg_state_home + "/revcache";
  if (environment.home.starts_with('/')) return environment.home + "/.local/state/revcache";
  return "/var/lib/revcache";
}

Config defaults(const Environment& environment) {
  Config config;
  config.listen.proxy = {built_in(parse_listen_address("127.0.0.1:3128"))};
  config.listen.admin = built_in(parse_listen_address("127.0.0.1:9853"));
  for (const std::string_view network : kDefaultClients) {
    config.access.clients.push_back(built_in(parse_network(network)));
  }
  for (const std::string_view host : public_pki_hosts()) {
    config.access.destinations.push_back(built_in(parse_destination(host)));
  }
  const std::string data = data_directory(environment);
  config.cache.directory = data + "/cache";
  config.state.directory = data + "/state";
  return config;
}

Config defaults() { return defaults(current_environment()); }

}  // namespace revcache::config
