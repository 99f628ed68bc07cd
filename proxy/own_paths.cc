#include "proxy/own_paths.h"

#include <algorithm>

namespace revcache::proxy {

namespace {

TextReply not_found() {
  return {.status = 404,
          .text = "Nothing is answered under this path",
          .allow = {},
          .cache_status = {}};
}

std::string_view without_query(std::string_view path) { return path.substr(0, path.find('?')); }

// "name" of "/crl/name.crl"; empty when it is another path.
std::string_view name_in(std::string_view path, std::string_view prefix, std::string_view suffix) {
  if (!path.starts_with(prefix) || !path.ends_with(suffix)) return {};
  if (path.size() <= prefix.size() + suffix.size()) return {};
  path.remove_prefix(prefix.size());
  path.remove_suffix(suffix.size());
  return path;
}

const config::Authority* authority_named(const config::Config& config, std::string_view name) {
  const auto found = std::ranges::find(config.authorities, name, &config::Authority::name);
  return found == config.authorities.end() ? nullptr : &*found;
}

void append_rule(std::string& out, const config::DestinationPattern& pattern,
                 std::string_view proxy) {
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

std::string proxy_auto_config(const config::Config& config, std::string_view own_host) {
  std::string proxy(own_host);
  if (proxy.empty()) proxy = config.listen.proxy.front().to_string();
  std::string out =
      "// Revocation data goes through revcache; everything else goes its usual way.\n"
      "function FindProxyForURL(url, host) {\n"
      "  if (url.substring(0, 5) != \"http:\") return \"DIRECT\";\n";
  for (const auto& pattern : config.access.destinations) append_rule(out, pattern, proxy);
  out += "  return \"DIRECT\";\n}";
  return out;
}

OwnAnswer answer_own_path(const Settings& settings, std::string_view path,
                          std::string_view own_host) {
  const auto& config = *settings.config;
  path = without_query(path);
  if (path == "/proxy.pac" || path == "/wpad.dat") {
    return TextReply{.status = 200,
                     .text = proxy_auto_config(config, own_host),
                     .allow = {},
                     .content_type = "application/x-ns-proxy-autoconfig",
                     .cache_status = {}};
  }
  const auto crl_of = name_in(path, "/crl/", ".crl");
  if (const auto* authority = crl_of.empty() ? nullptr : authority_named(config, crl_of)) {
    if (!authority->crls.empty()) return authority->crls.front();
  }
  const auto certificate = settings.authority_certificates.find(name_in(path, "/ca/", ".cer"));
  if (certificate != settings.authority_certificates.end()) {
    return TextReply{.status = 200,
                     .text = std::string(certificate->second->der.text()),
                     .text_is_binary = true,
                     .allow = {},
                     .content_type = "application/pkix-cert",
                     .cache_status = {}};
  }
  return not_found();
}

}  // namespace revcache::proxy
