#include "proxy/route_memo.h"

namespace revcache::proxy {

namespace {

// The same part of another copy of the text.
std::string_view moved(std::string_view part, std::string_view from, std::string_view to) {
  return to.substr(static_cast<std::size_t>(part.data() - from.data()), part.size());
}

}  // namespace

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
  slot.uri.host = moved(uri->host, uri->text, text);
  slot.uri.path = moved(uri->path, uri->text, text);
  slot.uri.authority = moved(uri->authority, uri->text, text);
  return &slot;
}

void RouteMemo::forget() {
  for (auto& slot : slots_) slot.target.clear();
}

}  // namespace revcache::proxy
