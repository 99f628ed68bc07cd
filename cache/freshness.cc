#include "cache/freshness.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "cache/storability.h"
#include "http/characters.h"
#include "http/date.h"

namespace revcache::cache {
namespace {

using http::FieldId;
using http::FieldsView;
using http::kDeltaSecondsMax;
using std::chrono::floor;
using std::chrono::seconds;

constexpr seconds kNone{0};
constexpr seconds kHeuristicMax = std::chrono::days{1};
constexpr int kHeuristicDivisor = 10;

// delta-seconds = 1*DIGIT; too large a number counts as 2^31 (RFC 9111 1.2.2).
std::optional<seconds> delta_seconds(std::string_view text) noexcept {
  if (text.empty() || !std::ranges::all_of(text, http::is_digit)) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return kDeltaSecondsMax;
  return std::min(seconds{value}, kDeltaSecondsMax);
}

// RFC 9111 5.1: of several members the first counts; what is no number is ignored.
seconds age_value(const FieldsView& fields) noexcept {
  const auto age = fields.find(FieldId::age);
  if (!age) return kNone;
  std::string_view members = *age;
  return delta_seconds(http::next_element(members)).value_or(kNone);
}

seconds at_least_none(seconds value) noexcept { return std::max(value, kNone); }

// corrected_initial_age of RFC 9111 4.2.3, in its conservative form: an old cache on the way may
// not have sent Age.
seconds initial_age(const FieldsView& fields, WallSeconds date, WallTime request_time,
                    WallTime response_time) noexcept {
  const auto apparent_age = at_least_none(floor<seconds>(response_time) - date);
  const auto response_delay = at_least_none(floor<seconds>(response_time - request_time));
  const auto corrected_age = age_value(fields) + response_delay;
  return std::min(std::max(apparent_age, corrected_age), kDeltaSecondsMax);
}

// RFC 9111 5.3: a date that cannot be parsed, "0" above all, is in the past; lines that differ are
// as good as none that can be trusted (4.2.1).
seconds expires_lifetime(const FieldsView& fields, WallSeconds date,
                         WallSeconds received) noexcept {
  std::optional<std::string_view> value;
  for (const http::Field& field : fields) {
    if (field.id != FieldId::expires) continue;
    if (value && *value != field.value) return kNone;
    value = field.value;
  }
  const auto expires = http::parse_date(value.value_or(""), received);
  if (!expires) return kNone;
  return std::clamp<seconds>(*expires - date, kNone, kDeltaSecondsMax);
}

// 4.2.1, in its order of precedence for a shared cache. With CDN-Cache-Control `directives` are
// its own, and Expires does not count (RFC 9213 2.2).
std::optional<seconds> explicit_lifetime(const FieldsView& fields,
                                         const http::ResponseDirectives& directives,
                                         WallSeconds date, WallSeconds received) noexcept {
  if (directives.invalid_freshness) return kNone;
  if (directives.s_maxage) return directives.s_maxage;
  if (directives.max_age) return directives.max_age;
  if (fields.has(FieldId::expires) && !directives.from_cdn_cache_control) {
    return expires_lifetime(fields, date, received);
  }
  return std::nullopt;
}

// 4.2.2: only for a status that says so of itself, or for a response marked as cacheable.
std::optional<seconds> heuristic_lifetime(const http::ResponseHead& head, bool is_public,
                                          WallSeconds date, WallSeconds received) noexcept {
  if (!is_public && !is_heuristically_cacheable(head.status)) return std::nullopt;
  const auto text = head.fields.find(FieldId::last_modified);
  if (!text) return std::nullopt;
  const auto last_modified = http::parse_date(*text, received);
  if (!last_modified) return std::nullopt;
  const auto unchanged_for = at_least_none(date - *last_modified);
  return std::min(unchanged_for / kHeuristicDivisor, kHeuristicMax);
}

// 5.2.1.1 and 5.2.1.3. max-age=0 is how a client says "validate", even within the first second.
bool is_age_accepted(const Decision& found, const http::RequestDirectives& request) noexcept {
  if (request.max_age && (found.age > *request.max_age || *request.max_age == kNone)) return false;
  return !request.min_fresh || found.ttl >= *request.min_fresh;
}

// 4.2.4 and RFC 5861 3, of a response that is stale.
Use use_of_stale(const FreshnessFacts& facts, const Decision& found,
                 const http::RequestDirectives& request) noexcept {
  if (facts.must_revalidate) return Use::validate;
  const seconds staleness = -found.ttl;
  const bool client_accepts = request.max_stale && staleness <= *request.max_stale;
  // A client that speaks of age, and not of max-stale, does not want a stale response (5.2.1.1).
  const bool client_is_silent = !request.max_stale && !request.max_age && !request.min_fresh;
  const bool origin_accepts =
      facts.stale_while_revalidate > kNone && staleness <= facts.stale_while_revalidate;
  if (origin_accepts && (client_accepts || client_is_silent)) return Use::stale_while_revalidate;
  return client_accepts ? Use::stale : Use::validate;
}

// A verified CRL under a URL that is renewed ahead of expiry (docs/decisions/0003): nobody waits
// for upstream because HTTP's lifetime is over, unless the client itself demands something younger.
// When the renewal is overdue, the client's request brings it about, behind its back.
bool is_renewed_ahead(const StoredResponse& stored, const Decision& found,
                      const http::RequestDirectives& request) noexcept {
  const bool is_crl = stored.kind == ObjectKind::crl || stored.kind == ObjectKind::delta_crl;
  return is_crl && stored.trust == Trust::verified && stored.freshness.usable_until &&
         !request.no_cache && is_age_accepted(found, request);
}

Use use_of_renewed(const FreshnessFacts& facts, const Decision& found, WallTime now) noexcept {
  if (found.ttl > kNone && !facts.no_cache) return Use::fresh;
  return now - facts.response_time > kRenewalOverdue ? Use::stale_while_revalidate : Use::stale;
}

Use use_without_asking(const FreshnessFacts& facts, const Decision& found,
                       const http::RequestDirectives& request) noexcept {
  if (request.no_cache || facts.no_cache || !is_age_accepted(found, request)) return Use::validate;
  return found.ttl > kNone ? Use::fresh : use_of_stale(facts, found, request);
}

// `stored` is not past its usable_until.
bool is_usable_on_error(const StoredResponse& stored, const Decision& found,
                        const http::RequestDirectives& request) noexcept {
  const FreshnessFacts& facts = stored.freshness;
  // docs/decisions/0003: verified evidence holds until its nextUpdate, whatever HTTP says.
  if (stored.trust == Trust::verified && facts.usable_until) return true;
  if (facts.no_cache) return false;
  const bool is_fresh = found.ttl > kNone;
  if (facts.must_revalidate && !is_fresh) return false;
  // Only a preference about age stood in the way (5.2.1): better than nothing.
  if (is_fresh && !request.no_cache && request.max_age != kNone) return true;
  const seconds window = std::max(facts.stale_if_error, request.stale_if_error.value_or(kNone));
  return window > kNone && -found.ttl <= window;
}

}  // namespace

FreshnessFacts freshness_facts(const http::ResponseHead& head,
                               const http::ResponseDirectives& directives, WallTime request_time,
                               WallTime response_time) {
  const FieldsView fields = head.fields.view();
  const WallSeconds received = floor<seconds>(response_time);
  // RFC 9110 6.6.1: without a Date that can be read, the time of arrival stands for it.
  const WallSeconds date =
      http::parse_date(fields.find(FieldId::date).value_or(""), received).value_or(received);

  FreshnessFacts facts;
  facts.request_time = request_time;
  facts.response_time = response_time;
  facts.date_offset = initial_age(fields, date, request_time, response_time);
  if (const auto lifetime = explicit_lifetime(fields, directives, date, received)) {
    facts.lifetime = *lifetime;
  } else if (const auto guessed = heuristic_lifetime(head, directives.public_, date, received)) {
    facts.lifetime = *guessed;
    facts.heuristic = true;
  }
  facts.no_cache = directives.no_cache;
  // RFC 9111 5.2.2.10: s-maxage has the meaning of proxy-revalidate too.
  facts.must_revalidate =
      directives.must_revalidate || directives.proxy_revalidate || directives.s_maxage.has_value();
  facts.stale_while_revalidate = directives.stale_while_revalidate.value_or(kNone);
  facts.stale_if_error = directives.stale_if_error.value_or(kNone);
  return facts;
}

seconds current_age(const FreshnessFacts& facts, WallTime now) noexcept {
  return facts.date_offset + at_least_none(floor<seconds>(now - facts.response_time));
}

Decision decide(const StoredResponse& stored, const http::RequestDirectives& directives,
                WallTime now) noexcept {
  const FreshnessFacts& facts = stored.freshness;
  Decision decision;
  decision.age = current_age(facts, now);
  decision.ttl = facts.lifetime - decision.age;
  if (facts.usable_until) {
    decision.ttl = std::min(decision.ttl, floor<seconds>(*facts.usable_until - now));
    // As in certificate validation, the instant of nextUpdate itself is too late.
    if (now >= *facts.usable_until) {
      decision.use = Use::unusable;
      return decision;
    }
  }
  decision.use = is_renewed_ahead(stored, decision, directives)
                     ? use_of_renewed(facts, decision, now)
                     : use_without_asking(facts, decision, directives);
  decision.usable_on_error =
      decision.use == Use::validate && is_usable_on_error(stored, decision, directives);
  return decision;
}

}  // namespace revcache::cache
