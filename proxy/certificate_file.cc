#include "proxy/certificate_file.h"

#include <fstream>
#include <sstream>
#include <utility>

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

Result<pki::CertificatePtr> read_certificate(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) return fail(std::move(bytes));
  const auto certificates = pki::parse_certificates(*bytes);
  if (!certificates) {
    return fail(ErrorCode::malformed, Blame::local, path + ": " + certificates.error().detail);
  }
  return certificates->front();
}

}  // namespace revcache::proxy
