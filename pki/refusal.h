// Why bytes that are well-formed are still no evidence. Every refusal has a name: it labels a
// counter, stands in the log and in `check`'s findings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace revcache::pki {

enum class Refusal : std::uint8_t {
  malformed,                   // not the DER that it claims to be
  unsupported_version,         // a CRL other than v2 with extensions, a certificate that is not v3
  algorithm_mismatch,          // inner and outer AlgorithmIdentifier differ (RFC 5280 5.1.1.2)
  algorithm_refused,           // MD5, SHA-1 without leave, or unknown
  signature_wrong,             // does not verify under the issuer's key
  issuer_unknown,              // nobody whom an authority vouches for has this name and key
  issuer_not_entitled,         // the issuer's key usage or basic constraints forbid it
  unknown_critical_extension,  // RFC 5280 5.2, 4.2
  indirect_crl,                // names certificates of other issuers
  only_some_reasons,           // leaves reasons out: absence proves nothing
  not_yet_valid,               // thisUpdate more than the allowed skew ahead
  expired,                     // nextUpdate is over
  no_next_update,              // says no end: RFC 5280 5.1.2.5 requires one
  rolled_back,                 // older than the newest seen
  base_mismatch,               // a delta CRL whose base is not the complete CRL that we have
  scope_mismatch,              // of another distribution point, or of another kind of certificate
  responder_not_authorized,    // RFC 6960 4.2.2.2
  cert_id_mismatch,            // answers another question
  not_successful,              // an OCSP response that carries an error status
  clock_behind,            // our own clock is behind what was seen before: nothing can be judged
  contradicts_revocation,  // says good of what other evidence revokes
};
inline constexpr std::size_t kRefusals = 21;

// "signature_wrong": the metric label. Static storage.
constexpr std::string_view to_string(Refusal reason) noexcept {
  constexpr std::array<std::string_view, kRefusals> kNames{"malformed",
                                                           "unsupported_version",
                                                           "algorithm_mismatch",
                                                           "algorithm_refused",
                                                           "signature_wrong",
                                                           "issuer_unknown",
                                                           "issuer_not_entitled",
                                                           "unknown_critical_extension",
                                                           "indirect_crl",
                                                           "only_some_reasons",
                                                           "not_yet_valid",
                                                           "expired",
                                                           "no_next_update",
                                                           "rolled_back",
                                                           "base_mismatch",
                                                           "scope_mismatch",
                                                           "responder_not_authorized",
                                                           "cert_id_mismatch",
                                                           "not_successful",
                                                           "clock_behind",
                                                           "contradicts_revocation"};
  return kNames[static_cast<std::size_t>(reason)];
}

struct Refused {
  Refusal reason;
  std::string detail;  // for the log and for people: what, and where
};

// What was asked for, or why it is refused.
template <class T>
using Checked = std::expected<T, Refused>;

inline std::unexpected<Refused> refuse(Refusal reason, std::string detail) {
  return std::unexpected(Refused{reason, std::move(detail)});
}

// As an error of the side that sent the bytes: malformed, or untrusted with "reason: detail".
inline Error to_error(const Refused& refused, Blame blame) {
  const auto code =
      refused.reason == Refusal::malformed ? ErrorCode::malformed : ErrorCode::untrusted;
  return Error{code, blame, std::string(to_string(refused.reason)) + ": " + refused.detail};
}

}  // namespace revcache::pki
