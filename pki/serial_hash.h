// The hash of serial numbers for CRL indexes: multilinear hashing under keys that are drawn per
// process. Stateless but for its keys; any thread.
//
// A CRL is indexed before its signature is checked, so whoever answers a fetch chooses the serials.
// The sum of words, each times a random key of 128 bits, modulo 2^128, is strongly universal in its
// upper 64 bits (D. Lemire and O. Kaser, "Strongly universal string hashing is fast", 2014): for
// any two serials, all pairs of hashes are equally likely, so that whoever does not know the keys
// cannot choose serials that share a part of their hash better than by chance. Keys and hashes
// never leave the process. (A fast hash with a seed, such as XXH3, promises nothing of the kind:
// inputs that collide under every seed can be made.) The last step is a bijection and leaves the
// promise as it is; it takes away the order that consecutive serials would keep.
//
// SipHash-1-3, which was here before, took 140 instructions for a serial of 16 octets, this 60.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/little_endian.h"
#include "pki/cert_id.h"

namespace revcache::pki {

class SerialHash {
 public:
  explicit constexpr SerialHash(std::uint64_t seed) noexcept {
    for (Key& key : keys_) key = {.low = next(seed), .high = next(seed)};
  }

  // `octets`: the serial without leading zeros (significant_octets). Of one that is longer than any
  // in a CRL (kSerialBytesMax) only the first octets and the length count.
  [[nodiscard]] std::uint64_t operator()(ByteView octets) const noexcept {
    const Key* key = keys_.data();
    Wide sum = wide(*key);
    const std::uint8_t* at = octets.data();
    std::size_t left = std::min(octets.size(), kSerialBytesMax);
    for (; left >= kWordBytes; left -= kWordBytes, at += kWordBytes) {
      sum += wide(*++key) * load_little_endian<std::uint64_t>(at);
    }
    sum +=
        wide(*++key) * (static_cast<std::uint64_t>(octets.size()) << 56U | last_octets(at, left));
    auto hash = static_cast<std::uint64_t>(sum >> 64U);
    hash ^= hash >> 32U;
    hash *= 0xd6e8feb86659fd93U;
    return hash ^ hash >> 32U;
  }

 private:
  __extension__ using Wide = unsigned __int128;
  struct Key {
    std::uint64_t low;
    std::uint64_t high;
  };
  static constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
  // To begin with; for each word; for the rest and the length.
  static constexpr std::size_t kKeys = 1 + kSerialBytesMax / kWordBytes + 1;

  static Wide wide(const Key& key) noexcept { return Wide{key.high} << 64U | key.low; }

  // Fewer than eight octets as a little-endian number.
  static std::uint64_t last_octets(const std::uint8_t* at, std::size_t count) noexcept {
    if (count >= 4) {
      const std::uint64_t low = load_little_endian<std::uint32_t>(at);
      return low | static_cast<std::uint64_t>(load_little_endian<std::uint32_t>(at + count - 4))
                       << (8U * (count - 4));
    }
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i) word |= static_cast<std::uint64_t>(at[i]) << (8U * i);
    return word;
  }

  // splitmix64: as many words as are needed from one seed.
  static constexpr std::uint64_t next(std::uint64_t& state) noexcept {
    state += 0x9e3779b97f4a7c15U;
    std::uint64_t value = state;
    value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27U) * 0x94d049bb133111ebU;
    return value ^ value >> 31U;
  }

  std::array<Key, kKeys> keys_{};
};

}  // namespace revcache::pki
