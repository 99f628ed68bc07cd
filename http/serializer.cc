#include "http/serializer.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "http/characters.h"

namespace revcache::http {
namespace {

constexpr std::uint64_t bits(std::initializer_list<FieldId> ids) noexcept {
  std::uint64_t mask = 0;
  for (const FieldId id : ids) mask |= FieldsView::bit(id);
  return mask;
}

// RFC 9110 7.6.1, and Proxy-Connection and HTTP2-Settings, which are as much for one connection.
constexpr std::uint64_t kHopByHop = bits(
    {FieldId::connection, FieldId::http2_settings, FieldId::keep_alive, FieldId::proxy_authenticate,
     FieldId::proxy_authentication_info, FieldId::proxy_authorization, FieldId::proxy_connection,
     FieldId::te, FieldId::trailer, FieldId::transfer_encoding, FieldId::upgrade});

// "A sender MUST NOT send a connection option corresponding to a field that is intended for all
// recipients" (RFC 9110 7.6.1). Whoever does it to these would change framing, routing or what a
// cache may do with the message, so they stay.
constexpr std::uint64_t kNeverAnOption =
    bits({FieldId::cache_control, FieldId::cdn_cache_control, FieldId::cdn_loop,
          FieldId::content_length, FieldId::date, FieldId::expires, FieldId::host, FieldId::vary});

constexpr std::size_t kOptionsMax = 32;

// What the Connection fields list: known names as a mask, others by name.
struct ConnectionOptions {
  std::uint64_t known = 0;
  std::array<std::string_view, kOptionsMax> others;
  std::size_t other_count = 0;
  bool too_many = false;
};

ConnectionOptions connection_options(const FieldsView& fields) noexcept {
  ConnectionOptions options;
  for (const Field& field : fields) {
    if (field.id != FieldId::connection) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view option = next_element(rest);
      const FieldId id = field_id(option);
      if (id != FieldId::other) {
        options.known |= FieldsView::bit(id);
      } else if (options.other_count < kOptionsMax) {
        options.others[options.other_count++] = option;
      } else {
        options.too_many = true;
      }
    }
  }
  return options;
}

bool is_listed(const ConnectionOptions& options, std::string_view name) noexcept {
  return std::ranges::any_of(std::span(options.others).first(options.other_count),
                             [name](auto option) { return equals_ignoring_case(option, name); });
}

// RFC 9110 section 15 and the registry of status codes.
using Phrase = std::pair<std::uint16_t, std::string_view>;
constexpr auto kPhrases = std::to_array<Phrase>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
});
static_assert(std::ranges::is_sorted(kPhrases, {}, &Phrase::first));

}  // namespace

std::string_view reason_phrase(std::uint16_t status) noexcept {
  const auto* const found = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::first);
  return found != kPhrases.end() && found->first == status ? found->second : "Unknown";
}

void append_status_line(std::string& out, std::uint16_t status, std::string_view reason) {
  CHECK(status >= 100 && status <= 999);
  CHECK(all_in(CharacterClass::field_value, reason));
  const std::array<char, 3> digits{static_cast<char>('0' + status / 100),
                                   static_cast<char>('0' + status / 10 % 10),
                                   static_cast<char>('0' + status % 10)};
  out += "HTTP/1.1 ";
  out.append(digits.data(), digits.size());
  out += ' ';
  out += reason;
  out += "\r\n";
}

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
  CHECK(is_token(method));
  CHECK(!target.empty() && all_in(CharacterClass::target, target));
  out += method;
  out += ' ';
  out += target;
  out += " HTTP/1.1\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  CHECK(is_token(name));
  CHECK(all_in(CharacterClass::field_value, value));
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void append_fields(std::string& out, const FieldsView& fields) {
  for (const Field& field : fields) append_field(out, field.name, field.value);
}

Fields end_to_end_fields(const FieldsView& fields) {
  const ConnectionOptions options = connection_options(fields);
  const std::uint64_t dropped = kHopByHop | (options.known & ~kNeverAnOption);
  std::vector<Field> kept;
  kept.reserve(fields.size());
  std::uint64_t present = 0;
  for (const Field& field : fields) {
    if (field.id == FieldId::other) {
      // More options than we hold: drop what we do not know, rather than let one through.
      if (options.too_many || is_listed(options, field.name)) continue;
    } else if ((dropped & FieldsView::bit(field.id)) != 0) {
      continue;
    }
    kept.push_back(field);
    present |= FieldsView::bit(field.id);
  }
  return Fields(FieldsView(kept, present));  // copies all text at once
}

bool list_has_token(std::string_view list, std::string_view token) noexcept {
  // Most lists are one bare token.
  if (list.find_first_of(",;\" \t") == std::string_view::npos) {
    return equals_ignoring_case(list, token);
  }
  while (!list.empty()) {
    const std::string_view element = next_element(list);
    if (equals_ignoring_case(trim(element.substr(0, element.find(';'))), token)) return true;
  }
  return false;
}

}  // namespace revcache::http
