#include "pki/diagnosis_nps.h"

#include <algorithm>
#include <array>

namespace revcache::pki {
namespace {

constexpr int kUserCertificateInvalid = 853;  // ERROR_EAP_USER_CERT_INVALID

struct NpsRow {
  NpsCause cause;
  int reason_code;
  std::uint32_t hresult;
  std::string_view hresult_name;
  std::string_view text;
};

// Reason codes of event 6273 and the HRESULTs of CryptoAPI that they stand for. From 278 to 295
// NPS counts along with CERT_E_EXPIRED (0x800B0101) to CERT_E_UNTRUSTEDCA (0x800B0112).
constexpr std::array<NpsRow, 13> kRows{{
    {NpsCause::revoked, 256, 0x80092010, "CRYPT_E_REVOKED", "the certificate is revoked"},
    {NpsCause::no_revocation_information, 258, 0x80092012, "CRYPT_E_NO_REVOCATION_CHECK",
     "the revocation function was unable to check revocation for the certificate: it names neither "
     "a CRL nor an OCSP responder"},
    {NpsCause::revocation_unusable, 258, 0x80092012, "CRYPT_E_NO_REVOCATION_CHECK",
     "the revocation function was unable to check revocation for the certificate: what was found "
     "cannot be used"},
    {NpsCause::revocation_offline, 259, 0x80092013, "CRYPT_E_REVOCATION_OFFLINE",
     "the revocation server was offline: neither a CRL nor an OCSP answer was to be had"},
    {NpsCause::untrusted_root, 265, 0x800b0109, "CERT_E_UNTRUSTEDROOT",
     "the chain ends at a root that is not trusted"},
    {NpsCause::issuer_missing, 295, 0x800b010a, "CERT_E_CHAINING",
     "no chain to a trusted root can be built"},
    {NpsCause::expired, 268, 0x800b0101, "CERT_E_EXPIRED",
     "the certificate is not within its validity period"},
    {NpsCause::ca_expired, 278, 0x800b0101, "CERT_E_EXPIRED",
     "a CA certificate is not within its validity period"},
    {NpsCause::signature_wrong, 288, 0x80096004, "TRUST_E_CERT_SIGNATURE",
     "a signature in the chain cannot be verified"},
    {NpsCause::not_a_ca, 280, 0x800b0103, "CERT_E_ROLE",
     "a certificate that may not issue others has done so"},
    {NpsCause::path_too_long, 281, 0x800b0104, "CERT_E_PATHLENCONST",
     "a path length constraint is violated"},
    {NpsCause::critical_extension, 282, 0x800b0105, "CERT_E_CRITICAL",
     "a critical extension is not understood"},
    {NpsCause::no_client_authentication, 283, 0x800b0106, "CERT_E_PURPOSE",
     "the certificate is not for client authentication"},
}};

NpsCause cause_of(ChainFault fault, bool is_leaf) {
  switch (fault) {
    case ChainFault::issuer_missing:
      return NpsCause::issuer_missing;
    case ChainFault::signature_wrong:
    case ChainFault::algorithm_refused:
      return NpsCause::signature_wrong;
    case ChainFault::expired:
    case ChainFault::not_yet_valid:
      return is_leaf ? NpsCause::expired : NpsCause::ca_expired;
    case ChainFault::not_a_ca:
    case ChainFault::key_usage_forbids_issuing:
      return NpsCause::not_a_ca;
    case ChainFault::path_too_long:
      return NpsCause::path_too_long;
    case ChainFault::unknown_critical_extension:
      return NpsCause::critical_extension;
    case ChainFault::untrusted_anchor:
    case ChainFault::nothing_to_check:
      return NpsCause::untrusted_root;
  }
  return NpsCause::issuer_missing;
}

// A chain that does not hold together is said before one that is out of date.
int weight(ChainFault fault) {
  switch (fault) {
    case ChainFault::signature_wrong:
      return 0;
    case ChainFault::untrusted_anchor:
    case ChainFault::issuer_missing:
    case ChainFault::nothing_to_check:
      return 1;
    case ChainFault::expired:
    case ChainFault::not_yet_valid:
      return 2;
    default:
      return 3;
  }
}

std::optional<NpsVerdict> chain_verdict(std::span<const CertificateDiagnosis> chain) {
  const LinkFault* worst = nullptr;
  std::size_t place = 0;
  for (std::size_t at = 0; at < chain.size(); ++at) {
    for (const LinkFault& fault : chain[at].link.faults) {
      if (worst != nullptr && weight(worst->fault) <= weight(fault.fault)) continue;
      worst = &fault;
      place = at;
    }
  }
  if (worst == nullptr) return std::nullopt;
  return nps_verdict(cause_of(worst->fault, place == 0), place);
}

// What is certain is said before what may be different tomorrow.
constexpr std::array<NpsCause, 4> kRevocationCauses{
    NpsCause::revoked, NpsCause::no_revocation_information, NpsCause::revocation_unusable,
    NpsCause::revocation_offline};

// An answer that says `unknown` is one that came.
bool came_but_proves_nothing(const JudgedEvidence& judged) {
  return judged.refused || judged.too_old || judged.uncertain || judged.evidence.ocsp;
}

NpsCause revocation_cause(const CertificateDiagnosis& one) {
  if (one.status == CertificateStatus::revoked) return NpsCause::revoked;
  // Evidence that was handed to us is nothing that a server would find by itself.
  if (!names_revocation_source(*one.link.certificate)) return NpsCause::no_revocation_information;
  if (one.status == CertificateStatus::good) return NpsCause::accepted;
  return std::ranges::any_of(one.evidence, came_but_proves_nothing) ? NpsCause::revocation_unusable
                                                                    : NpsCause::revocation_offline;
}

bool is_for_client_authentication(const Certificate& leaf) {
  return !leaf.extended_key_usage || leaf.has_extended_key_usage(kClientAuthOid) ||
         leaf.has_extended_key_usage(kAnyExtendedKeyUsageOid);
}

}  // namespace

NpsVerdict nps_verdict(NpsCause cause, std::optional<std::size_t> place) {
  NpsVerdict verdict;
  verdict.place = place;
  const auto* row = std::ranges::find(kRows, cause, &NpsRow::cause);
  if (row == kRows.end()) {
    verdict.accepts = true;
    verdict.text = "the chain is valid and nothing in it is revoked";
    return verdict;
  }
  verdict.reason_code = row->reason_code;
  verdict.hresult = row->hresult;
  verdict.hresult_name = row->hresult_name;
  verdict.client_error = kUserCertificateInvalid;
  verdict.text = row->text;
  return verdict;
}

NpsVerdict nps_verdict(std::span<const CertificateDiagnosis> chain, bool reaches_anchor) {
  if (auto verdict = chain_verdict(chain)) return *verdict;
  if (!reaches_anchor) return nps_verdict(NpsCause::issuer_missing, chain.size() - 1);
  for (const NpsCause cause : kRevocationCauses) {
    for (std::size_t at = 0; at + 1 < chain.size(); ++at) {
      if (revocation_cause(chain[at]) == cause) return nps_verdict(cause, at);
    }
  }
  if (!is_for_client_authentication(*chain.front().link.certificate)) {
    return nps_verdict(NpsCause::no_client_authentication, 0);
  }
  return nps_verdict(NpsCause::accepted, std::nullopt);
}

}  // namespace revcache::pki
