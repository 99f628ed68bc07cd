// The hash of serial numbers for CRL indexes: SipHash-1-3 under a key that is drawn per process.
// Stateless but for its key; any thread.
//
// A CRL is indexed before its signature is checked, so whoever answers a fetch chooses the serials.
// SipHash is a pseudorandom function: without the key nobody finds serials that share a part of
// their hash better than by chance, and the key and the hashes never leave the process. (A fast
// hash with a seed, such as XXH3, is none: inputs that collide under every seed can be made.) One
// round an eight octets and three at the end is what hash tables of language runtimes use; it costs
// about 10 ns for a serial of 20 octets.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace revcache::pki {

class SerialHash {
 public:
  explicit constexpr SerialHash(std::uint64_t seed) noexcept
      : key0_(spread(seed)), key1_(spread(~seed)) {}

  // `octets`: the serial without leading zeros (significant_octets).
  [[nodiscard]] std::uint64_t operator()(ByteView octets) const noexcept {
    State state{key0_ ^ 0x736f6d6570736575U, key1_ ^ 0x646f72616e646f6dU,
                key0_ ^ 0x6c7967656e657261U, key1_ ^ 0x7465646279746573U};
    const std::uint8_t* at = octets.data();
    std::size_t left = octets.size();
    for (; left >= 8; left -= 8, at += 8) state.take(load<std::uint64_t>(at));
    state.take(static_cast<std::uint64_t>(octets.size()) << 56U | last_octets(at, left));
    state.v2 ^= 0xffU;
    state.round();
    state.round();
    state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
  }

 private:
  struct State {
    std::uint64_t v0, v1, v2, v3;

    void take(std::uint64_t word) noexcept {
      v3 ^= word;
      round();
      v0 ^= word;
    }
    void round() noexcept {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };

  template <class Word>
  static Word load(const std::uint8_t* at) noexcept {
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    return word;
  }

  // Fewer than eight octets as a little-endian number.
  static std::uint64_t last_octets(const std::uint8_t* at, std::size_t count) noexcept {
    if (count >= 4) {
      const std::uint64_t low = load<std::uint32_t>(at);
      return low | static_cast<std::uint64_t>(load<std::uint32_t>(at + count - 4))
                       << (8U * (count - 4));
    }
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i) word |= static_cast<std::uint64_t>(at[i]) << (8U * i);
    return word;
  }

  // splitmix64: two keys of full width from one seed.
  static constexpr std::uint64_t spread(std::uint64_t value) noexcept {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27U) * 0x94d049bb133111ebU;
    return value ^ value >> 31U;
  }

  std::uint64_t key0_;
  std::uint64_t key1_;
};

}  // namespace revcache::pki
