#include "proxy/route_memo.h"

#include "http/same_part.h"

namespace revcache::proxy {

KnownRoute* RouteMemo::remember(std::string_view target, std::string_view host,
                                const http::UriView* uri) {
  if (target.size() > kTargetBytesMax || host.size() > kTargetBytesMax) return nullptr;
  auto& slot = slots_[hasher_(target) % kSlots];
  slot.target = target;
  slot.host = host;
  slot.asked.forget();
  slot.is_own = uri == nullptr;
  slot.uri = {};
  if (uri == nullptr) return &slot;
  slot.storage = uri->text;
  const std::string_view text = slot.storage;
  slot.uri = *uri;
  slot.uri.text = text;
  slot.uri.host = http::same_part(uri->host, uri->text, text);
  slot.uri.path = http::same_part(uri->path, uri->text, text);
  slot.uri.authority = http::same_part(uri->authority, uri->text, text);
  return &slot;
}

void RouteMemo::forget() {
  for (auto& slot : slots_) slot.target.clear();
}

}  // namespace revcache::proxy
