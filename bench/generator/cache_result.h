// What a cache says it did for an answer, from its response fields. Pure.
//
// Cache-Status (RFC 9211) is a list with the cache nearest to the client last, and that one counts.
// Where there is none, X-Cache-Status (nginx) or X-Cache (Squid, Varnish, CDNs) is read: the first
// word, as in "HIT from proxy".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace revcache::bench {

enum class CacheResult : std::uint8_t {
  none,         // says nothing: no cache, or the answer is the server's own
  hit,          // from the cache, fresh
  stale,        // from the cache, no longer fresh, without waiting for anybody
  negative,     // a remembered failure
  revalidated,  // upstream was asked and said 304
  collapsed,    // waited for another client's fetch
  miss,         // fetched
  stale_error,  // upstream was asked in vain, then the stored copy
  bypass,       // sent on without looking
};
inline constexpr std::size_t kCacheResults = 9;
inline constexpr std::array<std::string_view, kCacheResults> kCacheResultNames = {
    "none",      "hit",  "stale",       "negative", "revalidated",
    "collapsed", "miss", "stale_error", "bypass"};

struct CacheFields {
  std::string_view cache_status;
  std::string_view x_cache_status;
  std::string_view x_cache;
};

CacheResult cache_result_of(const CacheFields& fields) noexcept;

// Whether the client had to wait until upstream answered.
bool waited_for_upstream(CacheResult result) noexcept;

}  // namespace revcache::bench
