// Time as certificates, CRLs and OCSP answers write it (RFC 5280 section 4.1.2.5, RFC 6960 section
// 4.2.2.1). Pure.
//
//   Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }
//
// Accepted: UTCTime YYMMDDHHMMSSZ (50 to 99 are 19xx) and GeneralizedTime YYYYMMDDHHMMSSZ, both
// with seconds and Z, as DER demands. Refused on purpose: fractions, offsets, dates that do not
// exist, second 60.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pki/der.h"

namespace revcache::pki {

// The next element of `reader`, of either type; else it fails there. `what` is static.
std::optional<WallSeconds> read_time(DerReader& reader, std::string_view what) noexcept;
std::optional<WallSeconds> read_generalized_time(DerReader& reader, std::string_view what) noexcept;

// One element that was read already. nullopt when it is no such time.
std::optional<WallSeconds> time_of(const DerElement& element) noexcept;

// The content of a UTCTime for which time_of() gave a time before: the same time again, sooner.
inline constexpr std::size_t kUtcTimeOctets = 13;
WallSeconds checked_utc_time(const std::uint8_t* content) noexcept;

// "20261122101500Z", the content of a GeneralizedTime. Years 0 to 9999.
std::string generalized_time(WallSeconds time);

// "2026-11-22T10:15:00Z" (RFC 3339).
std::string rfc3339(WallSeconds time);

}  // namespace revcache::pki
