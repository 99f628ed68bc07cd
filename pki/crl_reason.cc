// CRLReason ::= ENUMERATED (RFC 5280 section 5.3.1), and serial numbers as numbers.
#include <algorithm>
#include <array>
#include <utility>

#include "pki/crl_index.h"

namespace revcache::pki {
namespace {

struct NamedReason {
  CrlReason reason;
  std::string_view name;
};

constexpr std::array<NamedReason, 10> kReasons{{
    {CrlReason::unspecified, "unspecified"},
    {CrlReason::key_compromise, "keyCompromise"},
    {CrlReason::ca_compromise, "cACompromise"},
    {CrlReason::affiliation_changed, "affiliationChanged"},
    {CrlReason::superseded, "superseded"},
    {CrlReason::cessation_of_operation, "cessationOfOperation"},
    {CrlReason::certificate_hold, "certificateHold"},
    {CrlReason::remove_from_crl, "removeFromCRL"},
    {CrlReason::privilege_withdrawn, "privilegeWithdrawn"},
    {CrlReason::aa_compromise, "aACompromise"},
}};

}  // namespace

std::string_view to_string(CrlReason reason) noexcept {
  const auto* const found = std::ranges::find(kReasons, reason, &NamedReason::reason);
  return found == kReasons.end() ? "unspecified" : found->name;
}

std::optional<CrlReason> crl_reason(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kReasons, name, &NamedReason::name);
  if (found == kReasons.end()) return std::nullopt;
  return found->reason;
}

std::optional<CrlReason> crl_reason(std::uint8_t value) noexcept {
  const auto* const found = std::ranges::find_if(kReasons, [value](const NamedReason& row) {
    return std::to_underlying(row.reason) == value;
  });
  if (found == kReasons.end()) return std::nullopt;
  return found->reason;
}

ByteView significant_octets(ByteView serial) noexcept {
  if (serial.empty()) return serial;
  // Half of all serials have one zero in front, hardly any has two: no branch on the first.
  const std::uint8_t* const at = serial.data();
  const std::size_t skipped = std::size_t{at[0] == 0};
  if (skipped == serial.size() || at[skipped] != 0) {
    return {at + skipped, serial.size() - skipped};
  }
  const auto first = std::ranges::find_if(serial, [](std::uint8_t octet) { return octet != 0; });
  return serial.subspan(static_cast<std::size_t>(first - serial.begin()));
}

}  // namespace revcache::pki
