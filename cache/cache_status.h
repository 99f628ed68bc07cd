// Cache-Status (RFC 9211) and Age for one answer. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace revcache::cache {

// Why a request went forward (RFC 9211 2.2).
enum class Forwarded : std::uint8_t {
  no,
  bypass,
  method,
  uri_miss,
  vary_miss,
  miss,
  request,
  stale,
  partial
};

struct CacheStatus {
  bool hit = false;
  Forwarded forwarded = Forwarded::no;
  std::optional<std::uint16_t> forward_status{};  // fwd-status
  std::optional<std::chrono::seconds> ttl{};
  bool stored = false;
  bool collapsed = false;
  std::string_view detail{};  // a token, static: "stale-if-error", "negative", …
};

inline constexpr std::size_t kCacheStatusBytesMax = 160;

// Writes "Cache-Status: revcache; hit; ttl=123\r\n" to `out` (kCacheStatusBytesMax octets at
// least) and gives its length. No allocation.
std::size_t render_cache_status(const CacheStatus& status, char* out) noexcept;

// Writes "Age: 42\r\n"; at most 32 octets.
std::size_t render_age(std::chrono::seconds age, char* out) noexcept;

}  // namespace revcache::cache
