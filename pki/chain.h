// The way from a certificate to an anchor, and what is wrong on it (RFC 5280 section 6.1). Pure but
// for signatures, which OpenSSL checks. Revocation is diagnosis.h's.
//
// Issuers are found by name and key identifier and proved by the signature; where several have the
// name (a CA renewed with a new key, a cross certificate), each is tried. What is not evaluated is
// said, not passed over: name constraints are a remark, unknown critical extensions a fault.
// Certificate policies are not processed: no policy is required (6.1.1 (c): any-policy).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/signature.h"

namespace revcache::pki {

inline constexpr std::size_t kChainLengthMax = 10;
inline constexpr std::size_t kChainSignaturesMax = 128;  // verified in all while looking

enum class ChainFault : std::uint8_t {
  issuer_missing,              // nobody at hand issued it
  signature_wrong,             // does not verify under the key of the only issuer of that name
  algorithm_refused,           // MD5, SHA-1 without leave, a key that is too short
  expired,                     // notAfter is over
  not_yet_valid,               // notBefore is ahead
  not_a_ca,                    // issued something without being a CA (4.2.1.9)
  path_too_long,               // more CAs below it than its path length constraint allows
  key_usage_forbids_issuing,   // issued something without keyCertSign (4.2.1.3)
  unknown_critical_extension,  // 4.2
  untrusted_anchor,            // the chain ends at a self-signed certificate that nobody trusts
  nothing_to_check,            // the certificate asked about is the anchor itself
};
inline constexpr std::size_t kChainFaults = 11;
std::string_view to_string(ChainFault fault) noexcept;  // "signature_wrong"

struct LinkFault {
  ChainFault fault;
  std::string detail;  // for people: what, and when or how many
};

enum class ChainRole : std::uint8_t { leaf, intermediate, root };
std::string_view to_string(ChainRole role) noexcept;

struct ChainLink {
  CertificatePtr certificate;
  ChainRole role = ChainRole::leaf;
  std::vector<LinkFault> faults;
};

// Leaf first; the anchor, if it was reached, last. Never empty.
struct Chain {
  std::vector<ChainLink> links;
  bool reaches_anchor = false;
  bool anchor_is_given = false;  // taken from the chain itself, because nobody said whom to trust

  [[nodiscard]] bool is_valid() const noexcept;
};

struct ChainQuestion {
  CertificatePtr leaf;
  // Where issuers may be found. A self-signed one among them is an anchor only if `anchors` is
  // empty.
  std::span<const CertificatePtr> candidates;
  std::span<const CertificatePtr> anchors;
  WallTime at;
  SignaturePolicy policy;
};

// The chain without faults, if there is one; else the one that comes furthest: one that reaches an
// anchor before one that does not, fewer faults before more, longer before shorter. Never fails.
Chain build_chain(const ChainQuestion& question);

}  // namespace revcache::pki
