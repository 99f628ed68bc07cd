// Messages and times for the tests of the pure part of cache/.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "cache/freshness.h"
#include "cache/storability.h"
#include "cache/stored_response.h"
#include "http/cache_control.h"
#include "http/date.h"
#include "http/message.h"

namespace revcache::cache::testing {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

using Line = std::pair<std::string, std::string>;
using Lines = std::vector<Line>;

// The moment in which responses arrive, Thu, 15 Jan 2026 12:00:00 GMT.
inline constexpr WallSeconds kArrival =
    std::chrono::sys_days{std::chrono::year{2026} / 1 / 15} + hours{12};

// An HTTP date that many seconds after (before, when negative) the arrival.
inline std::string at(seconds offset) { return http::date_text(kArrival + offset); }
inline std::string at(int offset) { return at(seconds{offset}); }

inline http::Fields fields_of(const Lines& lines) {
  http::Fields fields;
  for (const auto& [name, value] : lines) fields.add(name, value);
  return fields;
}

inline http::ResponseHead head_of(const Lines& lines, std::uint16_t status = 200) {
  http::ResponseHead head;
  head.status = status;
  head.fields = fields_of(lines);
  return head;
}

inline Lines lines_of(const http::FieldsView& fields) {
  Lines lines;
  for (const http::Field& field : fields) lines.emplace_back(field.name, field.value);
  return lines;
}

// A finished entry, stored as it would be when these lines arrive at kArrival.
inline StoredResponse stored_of(const Lines& lines, std::string_view body = "0123456789",
                                std::uint16_t status = 200) {
  const http::ResponseHead head = head_of(lines, status);
  const auto directives = http::parse_response_directives(head.fields.view());
  StoredResponse stored;
  stored.key = "http://crl.test/root.crl";
  stored.status = status;
  stored.fields = storable_fields(head.fields.view(), directives);
  stored.freshness = freshness_facts(head, directives, kArrival, kArrival);
  stored.body = SharedBytes::copy_of(body);
  return StoredResponse(*finish(std::move(stored)));
}

}  // namespace revcache::cache::testing
