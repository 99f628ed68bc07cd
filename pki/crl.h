// Certificate revocation lists (RFC 5280 section 5). Pure but for signatures, which OpenSSL checks.
//
//   CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }
//   TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature, issuer Name, thisUpdate Time,
//                   nextUpdate Time OPTIONAL,
//                   revokedCertificates SEQUENCE OF SEQUENCE { userCertificate INTEGER,
//                     revocationDate Time, crlEntryExtensions Extensions OPTIONAL } OPTIONAL,
//                   crlExtensions [0] EXPLICIT Extensions OPTIONAL }
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/crl_index.h"
#include "pki/refusal.h"
#include "pki/signature.h"

namespace revcache::pki {

inline constexpr std::size_t kCrlNumberBytesMax = 20;  // RFC 5280 5.2.3
inline constexpr std::chrono::minutes kClockSkewMax{5};

// The issuing distribution point (5.2.5): which certificates the CRL speaks of.
struct CrlScope {
  ByteView extension;  // the extnValue's octets, whole; empty: every certificate of the issuer
  std::vector<std::string> urls;
  bool has_distribution_point = false;  // a partition: one of several CRLs of this issuer
  bool only_user_certificates = false;
  bool only_ca_certificates = false;
  bool only_attribute_certificates = false;
  bool only_some_reasons = false;
  bool indirect = false;
};

// A CRL whose form is right. Says nothing about who made it. Immutable; any thread. Views point
// into der.
struct ParsedCrl {
  SharedBytes der;
  ByteView tbs;
  ByteView tbs_algorithm;
  ByteView signature_algorithm;
  ByteView signature;
  int version = 1;
  ByteView issuer;  // whole Name
  WallSeconds this_update;
  std::optional<WallSeconds> next_update;
  std::optional<WallSeconds> next_publish;  // Microsoft's Next CRL Publish, 1.3.6.1.4.1.311.21.4
  ByteView number;                          // content of the INTEGER; empty when absent
  ByteView base_number;                     // of a delta CRL (5.2.4); empty: complete
  ByteView authority_key_id;
  CrlScope scope;
  std::vector<std::string> freshest_crl_urls;
  std::size_t entries = 0;
  std::vector<std::string> unknown_critical_extensions;  // of the CRL or of an entry: dotted OIDs
  bool has_certificate_issuer_entries = false;           // 5.3.3
  bool has_extensions = false;                           // the CRL or an entry has one
  std::shared_ptr<const CrlEntries> index;

  [[nodiscard]] bool is_delta() const noexcept { return !base_number.empty(); }
  // nullopt: not listed. Constant time, no allocation.
  [[nodiscard]] std::optional<RevokedEntry> find(ByteView serial) const noexcept {
    return index->find(serial);
  }
  // Every entry in the CRL's order. An entry listed twice comes twice; find() gives the one that
  // revokes (removeFromCRL loses against any other reason).
  template <class Visit>
  void for_each(const Visit& visit) const;
  // Bytes of the index, without the DER.
  [[nodiscard]] std::size_t index_bytes() const noexcept;
};

using ParsedCrlPtr = std::shared_ptr<const ParsedCrl>;

// One pass over one complete DER object (of PEM: crl_der first). `hash_seed` keys the index.
// Refuses with malformed; the detail says what and at which offset.
Checked<ParsedCrlPtr> parse_crl(SharedBytes der, std::uint64_t hash_seed);

// The DER of the one CRL in `bytes`, which is DER or PEM. Refuses with malformed.
Checked<SharedBytes> crl_der(SharedBytes bytes);

// A CRL that its issuer signed and that may be used as evidence: only verify_crl() makes one.
class VerifiedCrl {
 public:
  [[nodiscard]] const ParsedCrl& crl() const noexcept { return *crl_; }
  [[nodiscard]] const ParsedCrl* operator->() const noexcept { return crl_.get(); }
  [[nodiscard]] const ParsedCrlPtr& parsed() const noexcept { return crl_; }
  [[nodiscard]] const CertificatePtr& issuer() const noexcept { return issuer_; }
  [[nodiscard]] const KeyHash& issuer_key() const noexcept { return issuer_key_; }
  [[nodiscard]] const Sha256& hash() const noexcept { return hash_; }  // of the DER

 private:
  friend Checked<std::shared_ptr<const VerifiedCrl>> verify_crl(ParsedCrlPtr crl,
                                                                CertificatePtr issuer, WallTime now,
                                                                const SignaturePolicy& policy);
  ParsedCrlPtr crl_;
  CertificatePtr issuer_;
  KeyHash issuer_key_{};
  Sha256 hash_{};
};

using VerifiedCrlPtr = std::shared_ptr<const VerifiedCrl>;

// Under the key of `issuer`, at `now`. Refuses, in this order: version, algorithm agreement, name
// and key identifier (issuer_unknown), keyUsage cRLSign (issuer_not_entitled), signature, critical
// extensions, indirect, only some reasons, no nextUpdate, thisUpdate more than kClockSkewMax ahead,
// nextUpdate over. A delta CRL is verified alike; whether it fits is may_combine()'s to say.
// Whether the issuer's own certificate is good, and rollback, are the caller's.
Checked<VerifiedCrlPtr> verify_crl(ParsedCrlPtr crl, CertificatePtr issuer, WallTime now,
                                   const SignaturePolicy& policy);

template <class Visit>
void ParsedCrl::for_each(const Visit& visit) const {
  for (ByteView rest = index->list(); !rest.empty();) visit(next_entry(rest));
}

// Compares contents of non-negative INTEGERs as numbers; -1, 0, 1. Empty is below all.
int compare_numbers(ByteView left, ByteView right) noexcept;

// What a CRL says of one certificate.
enum class Coverage : std::uint8_t {
  certain,    // absence proves that it is not revoked
  uncertain,  // only presence proves something
  none,       // another kind of certificate
};

// For a certificate that is at hand (6.3.3 (b)): kind, and the distribution point's URLs against
// those that it names (5.2.5). Without an issuing distribution point: certain.
Coverage coverage(const CrlScope& scope, const Certificate& certificate);
// For a serial of which nothing else is known but perhaps whether it is a CA's.
Coverage coverage(const CrlScope& scope, std::optional<bool> is_ca);

// 6.3.3 (c), 5.2.4: same issuer key, same scope octet for octet, base number at most the complete
// CRL's number, and that below the delta's. nullopt: yes. Else why not (base_mismatch or
// scope_mismatch).
std::optional<Refused> may_combine(const VerifiedCrl& complete, const VerifiedCrl& delta);

// Delta first: its entry wins; removeFromCRL there means not listed. `delta` may be null.
std::optional<RevokedEntry> find_combined(const VerifiedCrl& complete, const VerifiedCrl* delta,
                                          ByteView serial) noexcept;

}  // namespace revcache::pki
