#include "http/head_memo.h"

#include <algorithm>
#include <functional>

#include "http/characters.h"
#include "http/same_part.h"

namespace revcache::http {
namespace {

// Of the request line: what comes behind it differs from client to client, not from request to
// request.
std::uint64_t hash_of(std::string_view chunk) noexcept {
  return std::hash<std::string_view>()(chunk.substr(0, chunk.find('\n')));
}

bool has_credentials(const FieldsView& fields) noexcept {
  return fields.has(FieldId::authorization) || fields.has(FieldId::proxy_authorization) ||
         std::ranges::any_of(fields, [](const Field& field) {
           return field.id == FieldId::other && equals_ignoring_case(field.name, "Cookie");
         });
}

}  // namespace

KnownHead::KnownHead(std::string_view whole, const RequestHead& parsed)
    : text(whole), fields(parsed.fields.begin(), parsed.fields.end()), head(parsed) {
  for (Field& field : fields) {
    field.name = same_part(field.name, whole, text);
    field.value = same_part(field.value, whole, text);
  }
  head.method_text = same_part(parsed.method_text, whole, text);
  head.target = same_part(parsed.target, whole, text);
  head.fields = {fields, parsed.fields.present()};
}

KnownHeadPtr HeadMemo::find(std::string_view chunk) noexcept {
  Set& set = sets_[hash_of(chunk) % kSets];
  for (std::uint8_t way = 0; way < kWays; ++way) {
    const KnownHeadPtr& known = set.ways[way];
    if (known == nullptr || !chunk.starts_with(known->text)) continue;
    set.oldest = way ^ 1U;
    return known;
  }
  return nullptr;
}

void HeadMemo::remember(std::string_view whole, const RequestHead& parsed) {
  if (whole.size() > kHeadBytesMax || has_credentials(parsed.fields)) return;
  const std::uint64_t hash = std::hash<std::string_view>()(whole);
  Set& set = sets_[hash_of(whole) % kSets];
  if (set.seen != hash) {
    set.seen = hash;
    return;
  }
  set.ways[set.oldest] = std::make_shared<const KnownHead>(whole, parsed);
  set.oldest ^= 1U;
}

}  // namespace revcache::http
