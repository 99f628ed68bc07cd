#include "proxy/own_paths.h"

#include <algorithm>

#include "config/proxy_auto_config.h"

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

}  // namespace

OwnAnswer answer_own_path(const Settings& settings, std::string_view path,
                          std::string_view own_host) {
  const auto& config = *settings.config;
  path = without_query(path);
  if (path == "/proxy.pac" || path == "/wpad.dat") {
    return TextReply{.status = 200,
                     .text = config::proxy_auto_config(config, own_host),
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
