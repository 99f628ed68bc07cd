// X.509 certificates (RFC 5280 section 4): what revocation needs to know of one. Pure: DER in,
// views out; form only, nothing is trusted.
//
//   Certificate    ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
//   TBSCertificate ::= SEQUENCE { version [0] EXPLICIT DEFAULT v1, serialNumber, signature,
//                      issuer Name, validity, subject Name, subjectPublicKeyInfo,
//                      issuerUniqueID [1] OPTIONAL, subjectUniqueID [2] OPTIONAL,
//                      extensions [3] EXPLICIT OPTIONAL }
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/distinguished_name.h"
#include "pki/refusal.h"
#include "pki/signature.h"

namespace revcache::pki {

inline constexpr std::size_t kCertificateBytesMax = 256 * 1024;
inline constexpr std::size_t kCertificateUrlsMax = 64;  // URLs of one extension
inline constexpr std::size_t kExtensionsMax = 64;
inline constexpr std::size_t kCertificateFileBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kCertificatesMax = 4096;  // in one file

// 4.2.1.13. Only URIs of fullName are kept; ldap ones too.
struct DistributionPoint {
  std::vector<std::string> urls;
  bool has_relative_name = false;
  bool has_reasons = false;     // covers some reasons only
  bool has_crl_issuer = false;  // an indirect CRL
};

// 4.2.1.3, bit 0 is digitalSignature as in the standard's numbering.
enum class KeyUsage : std::uint16_t {
  digital_signature = 1U << 0U,
  content_commitment = 1U << 1U,
  key_encipherment = 1U << 2U,
  data_encipherment = 1U << 3U,
  key_agreement = 1U << 4U,
  key_cert_sign = 1U << 5U,
  crl_sign = 1U << 6U,
};

// Immutable once parsed. The views point into `der`, which every copy keeps alive; any thread.
struct Certificate {
  SharedBytes der;
  ByteView tbs;            // the signed bytes: whole TBSCertificate
  ByteView tbs_algorithm;  // whole AlgorithmIdentifiers
  ByteView signature_algorithm;
  ByteView signature;  // octets of the BIT STRING
  int version = 1;
  ByteView serial;  // content of the INTEGER
  ByteView issuer;  // whole Names
  ByteView subject;
  WallSeconds not_before;
  WallSeconds not_after;
  ByteView spki;        // whole SubjectPublicKeyInfo
  ByteView public_key;  // octets of its BIT STRING: what CertID's issuerKeyHash is made of

  bool has_basic_constraints = false;
  bool is_ca = false;
  std::optional<std::uint32_t> path_length_max;
  std::optional<std::uint16_t> key_usage;                      // KeyUsage bits; nullopt: any
  std::optional<std::vector<std::string>> extended_key_usage;  // dotted OIDs; nullopt: any
  ByteView subject_key_id;                                     // empty when absent
  ByteView authority_key_id;                                   // keyIdentifier only
  std::vector<DistributionPoint> crl_distribution_points;
  std::vector<DistributionPoint> freshest_crl;
  std::vector<std::string> ocsp_urls;  // Authority Information Access
  std::vector<std::string> ca_issuer_urls;
  bool ocsp_nocheck = false;                      // id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1)
  std::vector<std::string> dns_names;             // Subject Alternative Name
  std::vector<std::string> user_principal_names;  // otherName 1.3.6.1.4.1.311.20.2.3
  std::vector<std::string> email_addresses;
  bool has_name_constraints = false;
  // Dotted OIDs. Those that nothing here acts on: policyConstraints, policyMappings and
  // inhibitAnyPolicy are among them; name constraints are not, see above.
  std::vector<std::string> unknown_critical_extensions;

  [[nodiscard]] bool may(KeyUsage usage) const noexcept {
    return !key_usage || (*key_usage & static_cast<std::uint16_t>(usage)) != 0;
  }
  [[nodiscard]] bool has_extended_key_usage(std::string_view oid) const noexcept;
  [[nodiscard]] bool is_self_issued() const noexcept;  // subject equals issuer, octet for octet
  [[nodiscard]] bool is_valid_at(WallTime now) const noexcept;
  // Of spki, as PublicKey::parse gives it; decoded once.
  [[nodiscard]] const Checked<PublicKey>& key() const { return decoded_key.of(spki); }

  DecodedOnceKey decoded_key;
};

using CertificatePtr = std::shared_ptr<const Certificate>;

inline constexpr std::string_view kOcspSigningOid = "1.3.6.1.5.5.7.3.9";
inline constexpr std::string_view kClientAuthOid = "1.3.6.1.5.5.7.3.2";
inline constexpr std::string_view kAnyExtendedKeyUsageOid = "2.5.29.37.0";

// One complete certificate, nothing behind it. Strict DER but for what deployed CAs get wrong and
// nobody can misread: a BOOLEAN DEFAULT FALSE that is written out, zero bits at the end of a key
// usage. A second extension of one kind is malformed (4.2), and so are names and URLs with octets
// outside visible ASCII. Refuses with malformed; the detail says what and at which offset.
Checked<CertificatePtr> parse_certificate(SharedBytes der);

// All certificates in `bytes`, in their order: one in DER, PEM with any number of blocks (those of
// another label are skipped), PKCS#7 (RFC 2315 SignedData, DER or PEM: .p7b, .p7c). Refuses with
// malformed when one of them is, there is none, or a bound is passed; the detail says which, by the
// line of its PEM block or its place in PKCS#7, and the offset in its DER.
Checked<std::vector<CertificatePtr>> parse_certificates(std::string_view bytes);

// Identity of an issuer: the SHA-256 of its SubjectPublicKeyInfo. A CA renewed with a new key keeps
// its name; this differs.
using KeyHash = Sha256;
KeyHash key_hash(const Certificate& certificate);

// `subject` was issued by `issuer`: names match, key identifiers agree where both are there, the
// signature verifies, and the issuer is a CA (basic constraints, keyCertSign). Dates are not looked
// at, nor are critical extensions. Refuses, in this order, with issuer_unknown (name or key
// identifier), issuer_not_entitled, algorithm_mismatch, and as PublicKey::parse and
// verify_signature do.
Checked<void> verify_issued_by(const Certificate& subject, const Certificate& issuer,
                               const SignaturePolicy& policy);

}  // namespace revcache::pki
