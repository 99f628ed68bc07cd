// Serial number to revocation, over the bytes of one CRL. Immutable once built; any thread.
//
// The index holds offsets into the CRL's DER, found through a hash that is keyed per process, so
// that nobody can choose serials that collide. At most 12 bytes an entry beside the DER.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"

namespace revcache::pki {

// RFC 5280 5.3.1. `unspecified` also when the extension is absent.
enum class CrlReason : std::uint8_t {
  unspecified = 0,
  key_compromise = 1,
  ca_compromise = 2,
  affiliation_changed = 3,
  superseded = 4,
  cessation_of_operation = 5,
  certificate_hold = 6,
  remove_from_crl = 8,
  privilege_withdrawn = 9,
  aa_compromise = 10,
};

// The standard's own spelling: "keyCompromise". Static storage.
std::string_view to_string(CrlReason reason) noexcept;
std::optional<CrlReason> crl_reason(std::string_view name) noexcept;  // exact spelling
std::optional<CrlReason> crl_reason(std::uint8_t value) noexcept;     // 7 and above 10: nullopt

struct RevokedEntry {
  ByteView serial;  // as in the CRL; into its DER
  WallSeconds revoked_at;
  CrlReason reason = CrlReason::unspecified;
  std::optional<WallSeconds> invalidity_date;
};

// Serial numbers are compared as unsigned numbers: leading zero octets do not count.
ByteView significant_octets(ByteView serial) noexcept;

}  // namespace revcache::pki
