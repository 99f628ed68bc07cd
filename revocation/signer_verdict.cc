#include "revocation/signer_verdict.h"

#include <algorithm>
#include <cstddef>

#include "base/bytes.h"

namespace revcache::revocation {
namespace {

// What time alone brings and takes.
bool is_of_dates(const pki::SignerFinding& finding) {
  return finding.id == "signer-expired" || finding.id == "signer-not-yet-valid";
}

std::vector<pki::CertificatePtr> vouching(const pki::Signer& signer,
                                          const pki::CertificatePtr& authority) {
  switch (pki::signer_kind(*signer.certificate(), *authority)) {
    case pki::SignerKind::authority:
      return {};
    case pki::SignerKind::delegated:
      return {authority};
    case pki::SignerKind::independent:
      break;
  }
  const auto certificates = signer.certificates();
  std::vector<pki::CertificatePtr> out;
  for (std::size_t at = 1; at < certificates.size(); ++at) {
    if (!pki::verify_issued_by(*certificates[at - 1], *certificates[at], {})) break;
    out.push_back(certificates[at]);
  }
  return out;
}

}  // namespace

std::string quoted(std::string_view kind, std::string_view name) {
  return std::string(kind) + " \"" + std::string(name) + '"';
}

std::string texts(const std::vector<pki::SignerFinding>& findings, pki::SignerSeverity least) {
  std::string out;
  for (const pki::SignerFinding& finding : findings) {
    if (finding.severity < least) continue;
    if (!out.empty()) out += "; ";
    out += finding.text;
  }
  return out;
}

std::string not_entitled(const pki::Signer& signer, std::string_view authority_name,
                         const pki::Certificate& authority, WallTime now) {
  auto findings = pki::check_signer(signer.certificates(), authority, now);
  std::erase_if(findings, is_of_dates);
  if (pki::may_sign(findings)) return {};
  return "must not sign for " + quoted("authority", authority_name) + ": " +
         texts(findings, pki::SignerSeverity::refused) +
         " (\"revcache signer new\" makes a certificate that may, or a request for one)";
}

WallSeconds vouched_until(const pki::Signer& signer, const pki::CertificatePtr& authority,
                          WallTime now) {
  WallSeconds earliest = signer.certificate()->not_after;
  for (const pki::CertificatePtr& certificate : vouching(signer, authority)) {
    if (now <= certificate->not_after) earliest = std::min(earliest, certificate->not_after);
  }
  return earliest;
}

pki::Sha256 certificates_hash(const pki::Signer& signer) {
  std::string all;  // DER tells where each ends
  for (const pki::CertificatePtr& certificate : signer.certificates()) {
    all += certificate->der.text();
  }
  return pki::sha256(as_bytes(std::string_view(all)));
}

}  // namespace revcache::revocation
