// OBJECT IDENTIFIERs as people write them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace revcache::pki {

// "1.2.840.113549.1.1.11" of the content octets. What is no OBJECT IDENTIFIER (X.690 8.19), or has
// an arc of 64 bits or more, becomes "malformed" followed by its octets in hex.
std::string dotted(ByteView content);

}  // namespace revcache::pki
