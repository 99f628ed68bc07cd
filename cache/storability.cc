#include "cache/storability.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "http/characters.h"
#include "http/date.h"
#include "http/serializer.h"

namespace revcache::cache {
namespace {

using http::FieldId;
using http::ResponseDirectives;

StoreVerdict refused(std::string_view reason) noexcept {
  return {.store = false, .reason = reason};
}

// RFC 9110 15 defines these, and we act as it says. 206 and 304 are understood but speak of a part
// of something, and are never stored.
bool is_understood(std::uint16_t status) noexcept {
  constexpr auto kUnderstood =
      std::to_array<std::uint16_t>({200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400,
                                    401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414,
                                    415, 417, 421, 422, 426, 500, 501, 502, 503, 504, 505});
  return std::ranges::binary_search(kUnderstood, status);
}

// Empty when the status may be stored at all.
std::string_view refusal_by_status(std::uint16_t status, bool must_understand) noexcept {
  if (status < 200) return "status 1xx";  // RFC 9111 3: only final responses
  if (status == 206) return "status 206";
  if (status == 304) return "status 304";
  if (status == 407) return "status 407";  // between a proxy and its client only
  if (status == 416) return "status 416";  // about one request's range
  if (must_understand && !is_understood(status)) return "must-understand";
  return {};
}

bool varies_on_anything(const http::FieldsView& fields) noexcept {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return field.id == FieldId::vary && http::list_has_token(field.value, "*");
  });
}

// RFC 9111 3.5.
bool allows_authorization(const ResponseDirectives& directives) noexcept {
  return directives.public_ || directives.must_revalidate || directives.s_maxage.has_value();
}

bool says_expires(const http::FieldsView& fields, const ResponseDirectives& directives) noexcept {
  return fields.has(FieldId::expires) && !directives.from_cdn_cache_control;
}

// RFC 9111 3, last requirement, but for the heuristic statuses.
bool is_explicit(const http::FieldsView& fields, const ResponseDirectives& directives) noexcept {
  return directives.max_age || directives.s_maxage || directives.public_ ||
         directives.invalid_freshness || says_expires(fields, directives);
}

// Two-digit years of obsolete dates are read as 1971 to 2070: it only matters whether Expires is
// after Date.
std::optional<WallSeconds> date_in(const http::FieldsView& fields, FieldId id) noexcept {
  constexpr WallSeconds kReference = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
  const auto text = fields.find(id);
  if (!text) return std::nullopt;
  return http::parse_date(*text, kReference);
}

// Could it ever be used again without a whole new response?
bool is_worth_storing(const http::FieldsView& fields,
                      const ResponseDirectives& directives) noexcept {
  if (fields.has(FieldId::etag) || fields.has(FieldId::last_modified)) return true;
  if (directives.no_cache) return false;
  const auto is_positive = [](const std::optional<http::Seconds>& value) {
    return value && *value > http::Seconds{0};
  };
  if (is_positive(directives.stale_if_error) || is_positive(directives.stale_while_revalidate)) {
    return true;
  }
  if (directives.invalid_freshness) return false;
  if (directives.s_maxage) return is_positive(directives.s_maxage);
  if (directives.max_age) return is_positive(directives.max_age);
  if (!says_expires(fields, directives)) return false;
  const auto expires = date_in(fields, FieldId::expires);
  const auto date = date_in(fields, FieldId::date);
  return expires && (!date || *expires > *date);
}

// What neither the request nor the response forbids; empty when nothing does.
std::string_view refusal_by_directive(const AskedFor& asked, const http::ResponseHead& response,
                                      const ResponseDirectives& directives) noexcept {
  if (asked.directives.no_store) return "request no-store";
  // 5.2.2.3: a cache that understands the status ignores the no-store beside must-understand.
  if (directives.no_store && !directives.must_understand) return "no-store";
  if (directives.private_) return "private";
  if (asked.fields.has(FieldId::authorization) && !allows_authorization(directives)) {
    return "authorization";
  }
  if (varies_on_anything(response.fields.view())) return "vary *";
  return {};
}

}  // namespace

bool is_heuristically_cacheable(std::uint16_t status) noexcept {
  constexpr auto kStatuses =
      std::to_array<std::uint16_t>({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501});
  return std::ranges::binary_search(kStatuses, status);
}

StoreVerdict may_store(const AskedFor& asked, const http::ResponseHead& response,
                       const ResponseDirectives& directives) {
  if (asked.method != http::Method::get && !(asked.ocsp && asked.method == http::Method::post)) {
    return refused("method");
  }
  const auto by_status = refusal_by_status(response.status, directives.must_understand);
  if (!by_status.empty()) return refused(by_status);
  const auto by_directive = refusal_by_directive(asked, response, directives);
  if (!by_directive.empty()) return refused(by_directive);

  const http::FieldsView fields = response.fields.view();
  const bool explicitly = is_explicit(fields, directives);
  // The time of a good OCSP answer is in its body, and comes by admission.
  const bool is_ocsp_answer = asked.ocsp && response.status == 200;
  const bool by_heuristic =
      asked.method == http::Method::get && is_heuristically_cacheable(response.status);
  if (!explicitly && !by_heuristic && !is_ocsp_answer) return refused("no explicit freshness");
  if (fields.has(FieldId::set_cookie) && !explicitly && !is_ocsp_answer) {
    return refused("set-cookie without explicit freshness");
  }
  if (!is_ocsp_answer && !is_worth_storing(fields, directives)) {
    return {.store = false, .reason = "no freshness and no validator", .permitted = true};
  }
  return {.store = true, .permitted = true};
}

http::Fields storable_fields(const http::FieldsView& response,
                             const ResponseDirectives& directives) {
  http::Fields kept = http::end_to_end_fields(response);
  for (const std::string& name : directives.private_fields) kept.remove(name);
  for (const std::string& name : directives.no_cache_fields) kept.remove(name);
  kept.remove(FieldId::set_cookie);
  kept.remove("Set-Cookie2");
  return kept;
}

bool invalidates(http::Method method, std::uint16_t status) noexcept {
  return !http::is_safe(method) && status >= 200 && status < 400;
}

}  // namespace revcache::cache
