// Entries whose whole content follows from their key, so that a test can tell a right answer from a
// damaged one without keeping a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "cache/stored_response.h"

namespace revcache::cache::testing {

// `bytes` octets that look random and depend on every bit of `seed`.
inline std::string noise(std::uint64_t seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  std::string out(bytes, '\0');
  std::size_t at = 0;
  while (at < bytes) {
    std::uint64_t word = random();
    for (std::size_t i = 0; i < sizeof(word) && at < bytes; ++i, word >>= 8U) {
      out[at++] = static_cast<char>(word & 0xffU);
    }
  }
  return out;
}

inline std::string numbered_key(std::uint64_t number) {
  return "http://crl.example.test/ca" + std::to_string(number) + "/current.crl";
}

inline StoredResponsePtr entry_of(std::string key, std::string body,
                                  ObjectKind kind = ObjectKind::crl) {
  StoredResponse response;
  response.key = std::move(key);
  response.kind = kind;
  response.trust = Trust::verified;
  response.fields.add("Content-Type", "application/pkix-crl");
  response.fields.add("ETag", "\"" + std::to_string(body.size()) + "\"");
  response.freshness.response_time = WallTime(std::chrono::milliseconds(1768478400000));
  response.freshness.lifetime = std::chrono::hours(1);
  response.body = SharedBytes::take(std::move(body));
  return finish(std::move(response));
}

// The one entry that belongs to this number, at a `version` of it.
inline StoredResponsePtr numbered_entry(std::uint64_t number, std::size_t body_bytes,
                                        std::uint64_t version = 0) {
  return entry_of(numbered_key(number), noise(number * 1000003 + version, body_bytes));
}

}  // namespace revcache::cache::testing
