// What CRLs and OCSP responses together say of one certificate (RFC 5280 section 6.3, RFC 6960).
// Pure but for signatures, which OpenSSL checks.
//
// Revoked wins wherever two pieces disagree. Good needs evidence that is verified, in time, young
// enough and that certainly covers the certificate; anything else leaves it unknown.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/ocsp_response.h"
#include "pki/refusal.h"
#include "pki/signature.h"

namespace revcache::pki {

enum class EvidenceKind : std::uint8_t { crl, ocsp };

// One thing that was asked for or given. At most one of crl, ocsp, malformed and failure is there.
struct Evidence {
  EvidenceKind kind = EvidenceKind::crl;
  std::string source;  // URL, or the name of a file
  bool fetched = false;
  std::string cache_status;  // the field of the answer, when there was one
  std::optional<double> elapsed_ms;
  ParsedCrlPtr crl;
  ParsedOcspResponsePtr ocsp;
  std::optional<Refused> malformed;  // something came, but not this
  std::optional<Error> failure;      // nothing came
};

enum class CertificateStatus : std::uint8_t { good, revoked, unknown, not_checked };
std::string_view to_string(CertificateStatus status) noexcept;

enum class StatusSource : std::uint8_t { none, crl, ocsp };
std::string_view to_string(StatusSource source) noexcept;

struct JudgedEvidence {
  Evidence evidence;
  std::optional<Refused> refused;  // why it is not used
  bool too_old = false;            // over the greatest age: proves revoked, never good
  bool uncertain = false;          // covers only some certificates of the issuer: likewise
  bool delta = false;              // used to complete another
  // What it says by itself; `unknown` when it says nothing.
  CertificateStatus says = CertificateStatus::unknown;
  VerifiedOcspResponsePtr verified_ocsp;  // when it is one
};

struct RevocationVerdict {
  CertificateStatus status = CertificateStatus::unknown;
  StatusSource source = StatusSource::none;
  std::optional<WallSeconds> revoked_at;
  CrlReason reason = CrlReason::unspecified;
  std::vector<JudgedEvidence> evidence;
};

struct EvidenceRules {
  WallTime at;
  SignaturePolicy policy;
  std::optional<std::chrono::seconds> age_max;
  // Besides the issuer and whom it delegates to (RFC 6960 2.2: trusted responders).
  std::vector<CertificatePtr> trusted_responders;
};

// What was given, not fetched, and is about other certificates (a CRL of another issuer, an answer
// about another serial) is left out. All else stays in the list, used or refused.
RevocationVerdict judge_evidence(const Certificate& subject, const CertificatePtr& issuer,
                                 std::span<const Evidence> evidence, const EvidenceRules& rules);

}  // namespace revcache::pki
