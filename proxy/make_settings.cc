#include "proxy/make_settings.h"

#include <utility>

#include "net/interfaces.h"
#include "pki/certificate.h"
#include "proxy/certificate_file.h"

namespace revcache::proxy {

Result<LoadedSettings> make_settings(config::Config config,
                                     const std::vector<SocketAddress>& listeners) {
  auto settings = std::make_shared<Settings>();
  for (const auto& authority : config.authorities) {
    auto read = read_certificate(authority.certificate);
    if (!read) return fail(std::move(read));
    const pki::CertificatePtr& certificate = *read;
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
