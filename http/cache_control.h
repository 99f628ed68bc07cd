// Cache-Control (RFC 9111 section 5.2), CDN-Cache-Control (RFC 9213) and the stale-* extensions
// (RFC 5861), parsed once. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace revcache::http {

using Seconds = std::chrono::seconds;

// RFC 9111 1.2.2: a delta-seconds too large to represent counts as 2^31 seconds.
inline constexpr Seconds kDeltaSecondsMax{2147483648};

struct RequestDirectives {
  bool no_cache = false;  // also from Pragma: no-cache when Cache-Control is absent (5.4)
  bool no_store = false;
  bool no_transform = false;
  bool only_if_cached = false;
  std::optional<Seconds> max_age;  // `max-age = 3600` with spaces is understood (CryptoAPI)
  std::optional<Seconds> min_fresh;
  std::optional<Seconds> max_stale;  // without value: kDeltaSecondsMax
  std::optional<Seconds> stale_if_error;
};

struct ResponseDirectives {
  bool no_cache = false;  // unqualified
  bool no_store = false;
  bool private_ = false;  // unqualified
  bool public_ = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool no_transform = false;
  bool immutable = false;
  std::optional<Seconds> max_age;
  std::optional<Seconds> s_maxage;
  std::optional<Seconds> stale_while_revalidate;
  std::optional<Seconds> stale_if_error;
  std::vector<std::string> no_cache_fields;  // no-cache="Set-Cookie"
  std::vector<std::string> private_fields;
  // A freshness directive that is duplicated with different values or malformed makes the
  // response stale (RFC 9111 4.2.1).
  bool invalid_freshness = false;
  bool from_cdn_cache_control = false;  // RFC 9213: then Cache-Control and Expires were ignored
};

RequestDirectives parse_request_directives(const FieldsView& fields);
// CDN-Cache-Control, when there and a valid Dictionary (RFC 8941), wins over Cache-Control.
ResponseDirectives parse_response_directives(const FieldsView& fields);

}  // namespace revcache::http
