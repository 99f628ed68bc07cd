#include "commands/evidence_file.h"

#include <iterator>
#include <ranges>
#include <utility>

#include "commands/input_file.h"
#include "pki/crl.h"
#include "pki/ocsp_response.h"

namespace revcache::commands {
namespace {

std::unexpected<Error> broken(const std::string& path, const pki::Refused& refused) {
  return fail(ErrorCode::malformed, Blame::client, path + ": " + refused.detail);
}

}  // namespace

Result<std::vector<pki::CertificatePtr>> load_certificates(const std::string& path) {
  auto bytes = read_input(path, kSmallFileBytesMax);
  if (!bytes) return fail(std::move(bytes));
  auto certificates = pki::parse_certificates(bytes->text());
  if (!certificates) return broken(path, certificates.error());
  return std::move(*certificates);
}

Result<std::vector<pki::CertificatePtr>> load_certificates(std::span<const std::string> paths) {
  std::vector<pki::CertificatePtr> all;
  for (const std::string& path : paths) {
    auto certificates = load_certificates(path);
    if (!certificates) return certificates;
    std::ranges::move(*certificates, std::back_inserter(all));
  }
  return all;
}

Result<pki::Evidence> load_crl(const std::string& path, std::uint64_t hash_seed) {
  auto bytes = read_input(path, kCrlFileBytesMax);
  if (!bytes) return fail(std::move(bytes));
  auto der = pki::crl_der(std::move(*bytes));
  if (!der) return broken(path, der.error());
  auto crl = pki::parse_crl(std::move(*der), hash_seed);
  if (!crl) return broken(path, crl.error());
  pki::Evidence evidence;
  evidence.kind = pki::EvidenceKind::crl;
  evidence.source = path;
  evidence.crl = std::move(*crl);
  return evidence;
}

Result<pki::Evidence> load_ocsp(const std::string& path) {
  auto bytes = read_input(path, kSmallFileBytesMax);
  if (!bytes) return fail(std::move(bytes));
  auto response = pki::parse_ocsp_response(std::move(*bytes));
  if (!response) return broken(path, response.error());
  pki::Evidence evidence;
  evidence.kind = pki::EvidenceKind::ocsp;
  evidence.source = path;
  evidence.ocsp = std::move(*response);
  return evidence;
}

}  // namespace revcache::commands
