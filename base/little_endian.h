// Numbers from memory: several octets looked at in one. Pure.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>

namespace revcache {

// The sizeof(Word) octets at `at`, at any alignment; the first is the lowest, on every machine.
template <std::unsigned_integral Word>
[[nodiscard]] inline Word load_little_endian(const std::uint8_t* at) noexcept {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

}  // namespace revcache
