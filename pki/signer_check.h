// May this certificate sign OCSP responses for that authority, and until when: RFC 6960 sections
// 2.6, 4.2.2.2 and 4.2.2.2.1 as findings, since an administrator wants all of them. Pure; any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pki/certificate.h"

namespace revcache::pki {

// Whose key signs, from the point of view of one authority.
enum class SignerKind : std::uint8_t {
  authority,    // the authority's own
  delegated,    // that of a certificate which the authority's key issued
  independent,  // of another root or self-signed: clients must be told to trust it
};
std::string_view to_string(SignerKind kind) noexcept;  // the enumerator's name

SignerKind signer_kind(const Certificate& signer, const Certificate& authority);

enum class SignerSeverity : std::uint8_t {
  info,
  warning,  // works; some client may refuse
  alarm,    // works now, and will soon no longer
  refused,  // must not sign
};
std::string_view to_string(SignerSeverity severity) noexcept;

struct SignerFinding {
  SignerSeverity severity;
  std::string_view id;  // "signer-expired": static, for logs and programs
  std::string text;     // for people
};

inline constexpr std::chrono::days kSignerExpiryWarning{30};
inline constexpr std::chrono::days kSignerExpiryAlarm{7};

// `certificates`: the signer's own first, then its chain, as Signer::certificates() has them.
std::vector<SignerFinding> check_signer(std::span<const CertificatePtr> certificates,
                                        const Certificate& authority, WallTime now);

// No finding is `refused`.
bool may_sign(std::span<const SignerFinding> findings) noexcept;

}  // namespace revcache::pki
