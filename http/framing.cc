#include "http/framing.h"

#include <limits>
#include <optional>

#include "http/characters.h"
#include "http/serializer.h"

namespace revcache::http {
namespace {

constexpr std::uint64_t kLengthMax =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr Version kHttp10{1, 0};

Fault bad(std::string_view reason) noexcept { return {Refusal::bad_request, reason}; }

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kLengthMax - digit) / 10) return std::nullopt;
    length = length * 10 + digit;
  }
  return length;
}

// RFC 9112 6.1 and 6.3 rule 4: 501 for codings we do not have before a final chunked; 400 when the
// end of the body cannot be told at all.
Fault refuse_coding(std::string_view value) noexcept {
  std::size_t chunked = 0;
  bool chunked_is_last = false;
  while (!value.empty()) {
    const std::string_view coding = next_element(value);
    if (!is_token(coding)) return bad("a malformed Transfer-Encoding");
    chunked_is_last = equals_ignoring_case(coding, "chunked");
    if (chunked_is_last) ++chunked;
  }
  if (chunked != 1 || !chunked_is_last) return bad("a Transfer-Encoding without final chunked");
  return {Refusal::transfer_coding_not_implemented, "a transfer coding other than chunked"};
}

Fault chunked_framing(Version version, const FieldsView& fields, Framing& framing) noexcept {
  if (version == kHttp10) return bad("Transfer-Encoding in HTTP/1.0");
  if (fields.has(FieldId::content_length)) {
    return bad("Transfer-Encoding and Content-Length together");
  }
  if (fields.count(FieldId::transfer_encoding) != 1) return bad("several Transfer-Encoding lines");
  const std::string_view value = *fields.find(FieldId::transfer_encoding);
  if (!equals_ignoring_case(value, "chunked")) return refuse_coding(value);
  framing.kind = BodyFraming::chunked;
  return {};
}

bool has_option(const FieldsView& fields, std::string_view option) noexcept {
  for (const Field& field : fields) {
    const bool holds_options =
        field.id == FieldId::connection || field.id == FieldId::proxy_connection;
    if (holds_options && list_has_token(field.value, option)) return true;
  }
  return false;
}

}  // namespace

Fault explicit_framing(Version version, const FieldsView& fields, Framing& framing) noexcept {
  framing = {};
  if (fields.has(FieldId::transfer_encoding)) return chunked_framing(version, fields, framing);
  if (!fields.has(FieldId::content_length)) return {};
  if (fields.count(FieldId::content_length) != 1) return bad("several Content-Length lines");
  const auto length = parse_length(*fields.find(FieldId::content_length));
  if (!length) return bad("a malformed Content-Length");
  framing.length = *length;
  framing.kind = *length == 0 ? BodyFraming::none : BodyFraming::length;
  return {};
}

Fault response_framing(Method request_method, std::uint16_t status, Version version,
                       const FieldsView& fields, Framing& framing) noexcept {
  const Fault fault = explicit_framing(version, fields, framing);
  if (fault.is_set()) return fault;
  const bool without_body = request_method == Method::head || status < 200 || status == 204 ||
                            status == 304 || (request_method == Method::connect && status < 300);
  if (without_body) {
    framing = {};
    return {};
  }
  constexpr std::uint64_t kDelimiting =
      FieldsView::bit(FieldId::content_length) | FieldsView::bit(FieldId::transfer_encoding);
  if (!fields.has_any(kDelimiting)) framing.kind = BodyFraming::until_close;
  return {};
}

bool keeps_alive(Version version, const FieldsView& fields) noexcept {
  constexpr std::uint64_t kOptionFields =
      FieldsView::bit(FieldId::connection) | FieldsView::bit(FieldId::proxy_connection);
  if (!fields.has_any(kOptionFields)) return version != kHttp10;
  if (has_option(fields, "close")) return false;
  return version != kHttp10 || has_option(fields, "keep-alive");
}

}  // namespace revcache::http
