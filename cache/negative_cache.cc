#include "cache/negative_cache.h"

#include <utility>

namespace revcache::cache {

using std::chrono::milliseconds;

milliseconds negative_lifetime(const NegativeAnswer& answer) noexcept {
  if (answer.response != nullptr) {
    // A CDN that says 404 or 410 says so on purpose; a 5xx is gone as soon as its cause is.
    return answer.response->status < 500 ? milliseconds(10000) : milliseconds(2000);
  }
  switch (answer.error.code) {
    case ErrorCode::malformed:
    case ErrorCode::untrusted:
    case ErrorCode::too_large:
      return milliseconds(5000);
    case ErrorCode::unreachable:
    case ErrorCode::timed_out:
      return milliseconds(3000);
    case ErrorCode::disconnected:
      return milliseconds(1000);
    // Ours, or a rule's: asking again costs nothing upstream.
    case ErrorCode::refused:
    case ErrorCode::overloaded:
    case ErrorCode::corrupt:
    case ErrorCode::loop_detected:
    case ErrorCode::unsupported:
      return milliseconds(0);
  }
  return milliseconds(0);
}

std::optional<NegativeAnswer> NegativeCache::find(const std::string& key, MonotonicTime now) {
  return entries_.with([&](auto& entries) -> std::optional<NegativeAnswer> {
    auto found = entries.find(key);
    if (found == entries.end()) return std::nullopt;
    if (now >= found->second.until) {
      entries.erase(found);
      return std::nullopt;
    }
    return found->second.answer;
  });
}

void NegativeCache::put(const std::string& key, NegativeAnswer answer, MonotonicTime now) {
  const auto lifetime = negative_lifetime(answer);
  if (lifetime <= milliseconds(0)) return;
  entries_.with([&](auto& entries) {
    if (entries.size() >= kEntriesMax) {
      std::erase_if(entries, [now](const auto& entry) { return now >= entry.second.until; });
    }
    // Still full: whoever asks for thousands of absent things at once does not get this service.
    if (entries.size() >= kEntriesMax) return;
    entries.insert_or_assign(key, Entry{std::move(answer), now + lifetime});
  });
}

void NegativeCache::erase(const std::string& key) {
  entries_.with([&](auto& entries) { entries.erase(key); });
}

void NegativeCache::erase_if(const std::function<bool(std::string_view key)>& goes) {
  entries_.with([&](auto& entries) {
    std::erase_if(entries, [&](const auto& entry) { return goes(entry.first); });
  });
}

}  // namespace revcache::cache
