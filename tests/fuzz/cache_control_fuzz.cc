// Any octets as the values of fields that decide about caching: never crashes, numbers stay within
// their bounds, and a date that is read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "http/cache_control.h"
#include "http/date.h"
#include "http/serializer.h"

namespace {

using namespace revcache::http;

void check_bounds(std::optional<Seconds> value) {
  if (value) CHECK(value->count() >= 0 && *value <= kDeltaSecondsMax);
}

void check_fields(const Fields& fields) {
  const RequestDirectives request = parse_request_directives(fields.view());
  for (const auto value :
       {request.max_age, request.min_fresh, request.max_stale, request.stale_if_error}) {
    check_bounds(value);
  }
  const ResponseDirectives response = parse_response_directives(fields.view());
  for (const auto value : {response.max_age, response.s_maxage, response.stale_while_revalidate,
                           response.stale_if_error}) {
    check_bounds(value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find('\n');
  Fields fields;
  fields.add(FieldId::cache_control, text.substr(0, middle));
  if (middle != std::string_view::npos) {
    fields.add(FieldId::cache_control, text.substr(middle + 1));
    fields.add(FieldId::cdn_cache_control, text.substr(middle + 1));
  }
  check_fields(fields);
  fields.remove(FieldId::cache_control);
  fields.add(FieldId::pragma, text);
  fields.set(FieldId::cdn_cache_control, text);
  check_fields(fields);
  list_has_token(text, "close");

  constexpr revcache::WallSeconds kNow{std::chrono::seconds{1781481600}};
  if (const auto time = parse_date(text, kNow)) CHECK(parse_date(date_text(*time), kNow) == time);
  return 0;
}
