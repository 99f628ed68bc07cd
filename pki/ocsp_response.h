// OCSP responses (RFC 6960 section 4.2). Pure but for signatures, which OpenSSL checks.
//
//   OCSPResponse      ::= SEQUENCE { responseStatus ENUMERATED,
//                         responseBytes [0] EXPLICIT OPTIONAL }
//   BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm,
//                         signature BIT STRING, certs [0] EXPLICIT SEQUENCE OF Certificate
//                         OPTIONAL }
//   ResponseData      ::= SEQUENCE { version [0] EXPLICIT DEFAULT v1, responderID CHOICE {
//                         byName [1] Name, byKey [2] OCTET STRING }, producedAt GeneralizedTime,
//                         responses SEQUENCE OF SingleResponse, responseExtensions [1] OPTIONAL }
//
// Refused on purpose: a version that is written out, times with fractions, an error status with
// responseBytes, an embedded certificate that is no strict DER.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/cert_id.h"
#include "pki/certificate.h"
#include "pki/crl_index.h"
#include "pki/refusal.h"
#include "pki/signature.h"

namespace revcache::pki {

inline constexpr std::size_t kOcspResponseBytesMax = 256 * 1024;
inline constexpr std::size_t kSingleResponsesMax = 256;
inline constexpr std::size_t kOcspCertificatesMax = 8;

enum class OcspResponseStatus : std::uint8_t {
  successful = 0,
  malformed_request = 1,
  internal_error = 2,
  try_later = 3,
  sig_required = 5,
  unauthorized = 6,
};
std::string_view to_string(OcspResponseStatus status) noexcept;  // "tryLater"

enum class OcspCertStatus : std::uint8_t { good, revoked, unknown };
std::string_view to_string(OcspCertStatus status) noexcept;

struct SingleResponse {
  CertId cert_id;
  OcspCertStatus status = OcspCertStatus::unknown;
  WallSeconds revoked_at;  // when revoked
  CrlReason reason = CrlReason::unspecified;
  WallSeconds this_update;
  std::optional<WallSeconds> next_update;
};

// A response whose form is right; says nothing about who made it. Views point into der.
struct ParsedOcspResponse {
  SharedBytes der;
  OcspResponseStatus status = OcspResponseStatus::successful;
  // All that follows only when successful.
  ByteView tbs;
  ByteView signature_algorithm;
  ByteView signature;
  ByteView responder_name;      // whole Name; empty when by key
  ByteView responder_key_hash;  // SHA-1, 20 octets; empty when by name
  WallSeconds produced_at;
  std::vector<SingleResponse> responses;  // at least one
  std::optional<ByteView> nonce;
  std::vector<CertificatePtr> certificates;
  std::vector<std::string> unknown_critical_extensions;  // of the response or of a single one
};

using ParsedOcspResponsePtr = std::shared_ptr<const ParsedOcspResponse>;

// One complete DER object. Refuses with malformed; the detail says what and at which offset.
Checked<ParsedOcspResponsePtr> parse_ocsp_response(SharedBytes der);

enum class ResponderKind : std::uint8_t { issuer, delegated, trusted };

// A response that somebody entitled signed: only verify_ocsp_response() makes one.
class VerifiedOcspResponse {
 public:
  [[nodiscard]] const ParsedOcspResponse* operator->() const noexcept { return response_.get(); }
  [[nodiscard]] ResponderKind responder() const noexcept { return responder_; }
  // Whose key signed; null when the issuer's own did.
  [[nodiscard]] const CertificatePtr& signer() const noexcept { return signer_; }
  // The one that answers for (issuer, serial), whatever hash its CertID uses and whatever zeros
  // lead the serial; of several the one with the newest thisUpdate, and of those one that revokes,
  // else one that says unknown. nullptr: none does.
  [[nodiscard]] const SingleResponse* find(const Certificate& issuer, ByteView serial) const;

 private:
  friend Checked<std::shared_ptr<const VerifiedOcspResponse>> verify_ocsp_response(
      ParsedOcspResponsePtr response, const Certificate& issuer,
      std::span<const CertificatePtr> trusted_responders, WallTime now,
      const SignaturePolicy& policy);
  VerifiedOcspResponse() = default;

  ParsedOcspResponsePtr response_;
  ResponderKind responder_ = ResponderKind::issuer;
  CertificatePtr signer_;
};

using VerifiedOcspResponsePtr = std::shared_ptr<const VerifiedOcspResponse>;

// 3.2, 4.2.2.2: signed by `issuer` itself, by an embedded certificate that `issuer` issued with
// id-kp-OCSPSigning and that is valid at `now`, or by one of `trusted_responders` (valid at `now`,
// without extended key usage or with id-kp-OCSPSigning). Every SingleResponse must be about
// `issuer` (cert_id_mismatch else), be no more than kClockSkewMax ahead (not_yet_valid) and not
// past nextUpdate (expired; also when that is before thisUpdate). Without nextUpdate it is of use
// at once and never later: the caller sees nullopt. Refuses, in this order: not_successful;
// responder_not_authorized, algorithm_refused, algorithm_mismatch, signature_wrong;
// unknown_critical_extension; cert_id_mismatch and dates. Whether a delegated responder without
// ocsp_nocheck is revoked is for the caller to ask: signer().
Checked<VerifiedOcspResponsePtr> verify_ocsp_response(
    ParsedOcspResponsePtr response, const Certificate& issuer,
    std::span<const CertificatePtr> trusted_responders, WallTime now,
    const SignaturePolicy& policy);

// The CertID asks about a certificate of `issuer`: name and key hashed by its own algorithm. Never
// when that is another than SHA-1 or SHA-2.
bool cert_id_names_issuer(const CertId& cert_id, const Certificate& issuer);

// DER of a CertID, and of an OCSPRequest with just that one and no extension (RFC 5019 2.1.1).
// `serial`: content of the certificate's INTEGER, as it is. `hash` is not `other`.
std::string encode_cert_id(CertIdHash hash, const Certificate& issuer, ByteView serial);
std::string encode_ocsp_request(std::string_view cert_id_der);

}  // namespace revcache::pki
