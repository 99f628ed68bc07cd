// Writes DER for tests: der(0x30, der(0x02, "\x01"), …). Lengths are in their shortest form, so
// that what is malformed in a test is malformed on purpose.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace revcache::pki {

inline std::string der(unsigned tag, std::initializer_list<std::string_view> parts) {
  std::string content;
  for (const std::string_view part : parts) content += part;
  std::string length;
  for (std::size_t rest = content.size(); rest > 0; rest >>= 8U) {
    length.insert(length.begin(), static_cast<char>(rest & 0xffU));
  }
  std::string element(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    element += static_cast<char>(content.size());
  } else {
    element += static_cast<char>(0x80U | length.size());
    element += length;
  }
  return element + content;
}

}  // namespace revcache::pki
