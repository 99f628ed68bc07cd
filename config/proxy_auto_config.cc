#include "config/proxy_auto_config.h"

#include "http/uri.h"

namespace revcache::config {
namespace {

void append_rule(std::string& out, const DestinationPattern& pattern, std::string_view proxy) {
  if (pattern.port && *pattern.port != 80) return;
  out += "  if (";
  if (pattern.host.empty()) {
    out += "true";
  } else if (pattern.subdomains) {
    out += "dnsDomainIs(host, \"." + pattern.host + "\")";
  } else {
    out += "host == \"" + pattern.host + "\"";
  }
  out += ") return \"PROXY ";
  out += proxy;
  out += "\";\n";
}

}  // namespace

std::string proxy_auto_config(const Config& config, std::string_view own_host) {
  std::string proxy(own_host);
  if (proxy.empty()) proxy = config.listen.proxy.front().to_string();
  std::string out =
      "// Revocation data goes through revcache; everything else goes its usual way.\n"
      "function FindProxyForURL(url, host) {\n"
      "  if (url.substring(0, 5) != \"http:\") return \"DIRECT\";\n";
  // In absolute form we would refuse requests for ourselves as a loop.
  const auto own = http::parse_authority(proxy);
  if (own) out += "  if (host == \"" + own->host + "\") return \"DIRECT\";\n";
  for (const auto& pattern : config.access.destinations) append_rule(out, pattern, proxy);
  out += "  return \"DIRECT\";\n}";
  return out;
}

}  // namespace revcache::config
