// The names in FieldId and the way back: a perfect hash over length, first, middle and last letter.
#include <array>
#include <cstddef>

#include "http/message.h"

namespace revcache::http {
namespace {

constexpr std::size_t kFieldIds = static_cast<std::size_t>(FieldId::count_);

// In the order of FieldId.
constexpr std::array<std::string_view, kFieldIds> kNames{
    "",
    "Accept",
    "Accept-Encoding",
    "Age",
    "Allow",
    "Authorization",
    "Cache-Control",
    "Cache-Status",
    "CDN-Cache-Control",
    "CDN-Loop",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "From",
    "Host",
    "HTTP2-Settings",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Location",
    "Max-Forwards",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "Warning",
    "WWW-Authenticate",
};
static_assert(kNames[static_cast<std::size_t>(FieldId::host)] == "Host");
static_assert(kNames[static_cast<std::size_t>(FieldId::www_authenticate)] == "WWW-Authenticate");

constexpr std::size_t kSlots = 128;

// Multipliers found by search; any others without collision would do. Bit 5 is set so that letters
// of both cases meet.
constexpr std::size_t slot_of(std::string_view name) noexcept {
  const auto folded = [&](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(name[i])) | 0x20U;
  };
  return (name.size() * 149 + folded(0) * 60 + folded(name.size() - 1) * 249 +
          folded(name.size() / 2) * 170) %
         kSlots;
}

struct Table {
  std::array<FieldId, kSlots> ids{};
  bool perfect = true;
};

constexpr Table make_table() noexcept {
  Table table;
  for (std::size_t i = 1; i < kFieldIds; ++i) {
    FieldId& slot = table.ids[slot_of(kNames[i])];
    if (slot != FieldId::other) table.perfect = false;
    slot = static_cast<FieldId>(i);
  }
  return table;
}

constexpr Table kTable = make_table();
static_assert(kTable.perfect, "two field names share a slot: search for other multipliers");

}  // namespace

FieldId field_id(std::string_view name) noexcept {
  if (name.empty()) return FieldId::other;
  const FieldId candidate = kTable.ids[slot_of(name)];
  const std::string_view canonical = kNames[static_cast<std::size_t>(candidate)];
  if (name == canonical || equals_ignoring_case(name, canonical)) return candidate;
  return FieldId::other;
}

std::string_view field_name(FieldId id) noexcept { return kNames[static_cast<std::size_t>(id)]; }

}  // namespace revcache::http
