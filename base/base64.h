// Base64 (RFC 4648 section 4), as JSON, HTTP fields and paths carry octets. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace revcache {

// With padding, without line ends.
std::string base64(ByteView octets);

// The same for a path: "+", "/" and "=" percent-encoded, as RFC 6960 A.1 asks of a question by GET.
std::string base64_in_path(ByteView octets);

// What base64() made, and nothing else: standard alphabet, padded, no white space, and the bits
// behind the last octet zero. nullopt otherwise.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace revcache
