#include "pki/object_identifier.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "pki/der.h"
#include "pki/signature.h"

namespace revcache::pki {
namespace {

// X.690 8.19.4: the first subidentifier holds two arcs, of which the first is 0, 1 or 2.
void append_first(std::string& text, std::uint64_t subidentifier) {
  constexpr std::uint64_t kSecondArcs = 40;
  const std::uint64_t arc = std::min<std::uint64_t>(subidentifier / kSecondArcs, 2);
  text += std::to_string(arc) + '.' + std::to_string(subidentifier - arc * kSecondArcs);
}

}  // namespace

std::string dotted(ByteView content) {
  const std::string malformed = "malformed ";
  if (!is_object_identifier(content)) return malformed + hex(content);
  std::string text;
  std::uint64_t value = 0;
  for (const std::uint8_t octet : content) {
    if (value > std::numeric_limits<std::uint64_t>::max() >> 7U) return malformed + hex(content);
    value = value << 7U | (octet & 0x7fU);
    if ((octet & 0x80U) != 0) continue;
    if (text.empty()) {
      append_first(text, value);
    } else {
      text += '.' + std::to_string(value);
    }
    value = 0;
  }
  return text;
}

}  // namespace revcache::pki
