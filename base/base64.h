// Base64 (RFC 4648 section 4), as JSON carries octets. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace revcache {

// With padding, without line ends.
std::string base64(ByteView octets);

// What base64() made, and nothing else: standard alphabet, padded, no white space, and the bits
// behind the last octet zero. nullopt otherwise.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace revcache
