#include "proxy/make_settings.h"

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "net/interfaces.h"
#include "pki/certificate.h"

namespace revcache::proxy {

namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file) return fail(ErrorCode::unreachable, Blame::local, "cannot read " + path);
  return std::move(bytes).str();
}

}  // namespace

Result<LoadedSettings> make_settings(config::Config config,
                                     const std::vector<SocketAddress>& listeners) {
  auto settings = std::make_shared<Settings>();
  for (const auto& authority : config.authorities) {
    auto bytes = read_file(authority.certificate);
    if (!bytes) return fail(std::move(bytes));
    const auto certificates = pki::parse_certificates(*bytes);
    if (!certificates) {
      return fail(ErrorCode::malformed, Blame::local,
                  authority.certificate + ": " + certificates.error().detail);
    }
    const pki::CertificatePtr& certificate = certificates->front();
    if (!certificate->is_ca) {
      return fail(
          ErrorCode::untrusted, Blame::local,
          authority.certificate + ": is no CA certificate (authority \"" + authority.name + "\")");
    }
    settings->authority_certificates.emplace(authority.name, certificate);
  }
  auto tls = net::TlsClientContext::load(config.upstream.ca_bundle);
  if (!tls) return fail(std::move(tls));
  auto shared = std::make_shared<const config::Config>(std::move(config));
  settings->access = std::make_shared<AccessControl>(*shared, listeners, net::local_addresses());
  settings->config = std::move(shared);
  return LoadedSettings{std::move(settings), std::move(*tls)};
}

}  // namespace revcache::proxy
