#include "cache/stored_response.h"

#include <chrono>
#include <memory>

#include "http/date.h"
#include "http/serializer.h"

namespace revcache::cache {
namespace {

using http::FieldId;
using http::FieldsView;

constexpr std::string_view kVia = "1.1 revcache";

constexpr std::uint64_t mask(std::initializer_list<FieldId> ids) noexcept {
  std::uint64_t bits = 0;
  for (const FieldId id : ids) bits |= FieldsView::bit(id);
  return bits;
}

// RFC 9110 7.6.1. Whoever fills in the fields has dropped them already; a stored one would be sent
// to every client, so nobody is trusted with it.
constexpr std::uint64_t kConnectionSpecific = mask(
    {FieldId::connection, FieldId::http2_settings, FieldId::keep_alive, FieldId::proxy_authenticate,
     FieldId::proxy_authentication_info, FieldId::proxy_authorization, FieldId::proxy_connection,
     FieldId::te, FieldId::trailer, FieldId::transfer_encoding, FieldId::upgrade});

// Rendered from what is known now, not from what was received.
constexpr std::uint64_t kNotRendered = mask({FieldId::age, FieldId::content_length});

// RFC 9110 15.4.5, and what guides a cache that updates its copy: Last-Modified and Via (which
// CryptoAPI keys its own cache on), the policy for caches on the way, and their trace.
constexpr std::uint64_t kInNotModified =
    mask({FieldId::cache_control, FieldId::cache_status, FieldId::cdn_cache_control,
          FieldId::content_location, FieldId::date, FieldId::etag, FieldId::expires,
          FieldId::last_modified, FieldId::vary, FieldId::via});

bool is_in(std::uint64_t bits, FieldId id) noexcept { return (bits & FieldsView::bit(id)) != 0; }

constexpr std::size_t line_bytes(const http::Field& field) noexcept {
  return field.name.size() + field.value.size() + std::string_view(": \r\n").size();
}

void render(StoredResponse& response) {
  std::string& full = response.rendered_head;
  std::string& not_modified = response.rendered_not_modified;
  full.clear();
  not_modified.clear();
  if (response.vary_index) return;

  http::append_status_line(full, response.status, http::reason_phrase(response.status));
  http::append_status_line(not_modified, 304, http::reason_phrase(304));
  // RFC 9110 8.6: not in a 204.
  std::string length;
  if (response.status != 204) {
    http::append_field(length, http::field_name(FieldId::content_length),
                       std::to_string(response.body_bytes));
  }
  // As a line of its own after those of others, which is the last element of the list.
  const http::Field via{http::field_name(FieldId::via), kVia};
  // Counted first: both are kept for long, and shall take no more memory than they need.
  std::size_t full_bytes = full.size() + length.size() + line_bytes(via);
  std::size_t not_modified_bytes = not_modified.size() + line_bytes(via);
  for (const http::Field& field : response.fields.view()) {
    if (is_in(kNotRendered, field.id)) continue;
    full_bytes += line_bytes(field);
    if (is_in(kInNotModified, field.id)) not_modified_bytes += line_bytes(field);
  }
  full.reserve(full_bytes);
  not_modified.reserve(not_modified_bytes);
  for (const http::Field& field : response.fields.view()) {
    if (is_in(kNotRendered, field.id)) continue;
    const std::size_t line = full.size();
    http::append_field(full, field.name, field.value);
    if (is_in(kInNotModified, field.id)) not_modified.append(full, line);
  }
  full += length;
  http::append_field(full, via.name, via.value);
  http::append_field(not_modified, via.name, via.value);
}

}  // namespace

std::size_t StoredResponse::memory_bytes() const noexcept {
  // The block that make_shared adds to the object, and the hash table's part.
  constexpr std::size_t kOverheadBytes = 64;
  std::size_t bytes = sizeof(StoredResponse) + kOverheadBytes;
  bytes += key.capacity() + etag.capacity();
  bytes += fields.text_bytes() + fields.view().size() * sizeof(http::Field);
  for (const auto& [name, value] : vary) {
    bytes += sizeof(vary.front()) + name.capacity() + value.capacity();
  }
  return bytes + rendered_head.capacity() + rendered_not_modified.capacity() + body.size();
}

StoredResponsePtr finish(StoredResponse&& response) {
  if (response.fields.view().has_any(kConnectionSpecific)) {
    response.fields = http::end_to_end_fields(response.fields.view());
  }
  const auto received = std::chrono::floor<std::chrono::seconds>(response.freshness.response_time);
  const auto date_in = [&](FieldId id) -> std::optional<WallSeconds> {
    const auto text = response.fields.find(id);
    if (!text) return std::nullopt;
    return http::parse_date(*text, received);
  };
  response.date = date_in(FieldId::date);
  if (!response.date && !response.vary_index) {
    // RFC 9110 6.6.1: a recipient with a clock records the time of arrival; one that cannot be
    // read is replaced, since freshness was computed as if there were none.
    response.date = received;
    response.fields.set(FieldId::date, http::date_text(received));
  }
  response.last_modified = date_in(FieldId::last_modified);
  response.etag = response.fields.find(FieldId::etag).value_or("");
  if (!response.on_disk) response.body_bytes = response.body.size();
  response.asked_mark = asked_mark(response.key);
  render(response);
  return std::make_shared<const StoredResponse>(std::move(response));
}

}  // namespace revcache::cache
