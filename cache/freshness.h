// RFC 9111 section 4.2 and RFC 5861: how long a stored response may be used without asking. Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "cache/stored_response.h"
#include "http/cache_control.h"
#include "http/message.h"

namespace revcache::cache {

// Facts of a response whose head arrived at `response_time` to a request sent at `request_time`.
// Explicit lifetime: s-maxage, max-age, Expires - Date (4.2.1), CDN-Cache-Control before all of
// them (RFC 9213); else a heuristic of 10 % of the time since Last-Modified, at most one day, for
// statuses that are heuristically cacheable (4.2.2). Malformed or conflicting freshness: lifetime
// 0.
FreshnessFacts freshness_facts(const http::ResponseHead& head,
                               const http::ResponseDirectives& directives, WallTime request_time,
                               WallTime response_time);

// 4.2.3. Never negative; a clock that stepped back counts as no time passed.
std::chrono::seconds current_age(const FreshnessFacts& facts, WallTime now) noexcept;

enum class Use : std::uint8_t {
  fresh,                   // answer with it
  stale,                   // answer with it: the request's max-stale allows, or it is renewed ahead
  stale_while_revalidate,  // answer with it and validate behind the client's back
  validate,                // upstream must be asked first
  unusable,                // past usable_until: counts as absent, but its validators may be sent
};

// A verified CRL that was not validated for so long is validated when a client asks for it: the
// refresher, which should have done so, is not keeping up.
inline constexpr std::chrono::minutes kRenewalOverdue{30};

struct Decision {
  Use use = Use::validate;
  std::chrono::seconds age{0};
  std::chrono::seconds ttl{0};  // lifetime - age; negative when stale; capped by usable_until
  // When use is validate and upstream fails: stale-if-error of either side, verified evidence
  // before usable_until, or a fresh response that only the request's max-age or min-fresh ruled
  // out.
  bool usable_on_error = false;
};

// `directives` of the request. RFC 9111 4.2.4, 5.2.1; usable_until caps everything.
Decision decide(const StoredResponse& stored, const http::RequestDirectives& directives,
                WallTime now) noexcept;

}  // namespace revcache::cache
