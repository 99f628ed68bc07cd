// HTTP dates (RFC 9110 section 5.6.7). Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace revcache::http {

inline constexpr std::size_t kDateBytes = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

// IMF-fixdate, and the obsolete RFC 850 and asctime forms that a recipient must accept. `now`
// resolves two-digit years (more than 50 years ahead means the past). Anything else is nullopt.
std::optional<WallSeconds> parse_date(std::string_view text, WallSeconds now) noexcept;

// IMF-fixdate. Years 0 to 9999.
std::array<char, kDateBytes> format_date(WallSeconds time) noexcept;
std::string date_text(WallSeconds time);

}  // namespace revcache::http
