#include "cache/silent_origins.h"

#include "cache/negative_cache.h"

namespace revcache::cache {

namespace {

bool is_silence(const Error& error) noexcept {
  return error.blame == Blame::upstream &&
         (error.code == ErrorCode::timed_out || error.code == ErrorCode::unreachable ||
          error.code == ErrorCode::disconnected);
}

std::chrono::milliseconds between_probes(const Error& error) {
  return negative_lifetime(NegativeAnswer{.error = error});
}

}  // namespace

void SilentOrigins::note_failure(std::string_view origin, const Error& error, MonotonicTime now) {
  if (!is_silence(error)) return;
  const Entry entry{.error = error, .failed_at = now, .probe_at = now + between_probes(error)};
  entries_.with([&](Entries& entries) {
    if (entries.size() >= kEntriesMax) {
      std::erase_if(entries, [now](const auto& known) {
        return now - known.second.failed_at >= kRemembered;
      });
    }
    // Still full: with a thousand silent origins the others' clients wait.
    if (entries.size() < kEntriesMax || entries.contains(origin)) {
      entries.insert_or_assign(std::string(origin), entry);
    }
    count_.store(entries.size(), std::memory_order_relaxed);
  });
}

void SilentOrigins::note_answer(std::string_view origin) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  entries_.with([&](Entries& entries) {
    if (const auto known = entries.find(origin); known != entries.end()) entries.erase(known);
    count_.store(entries.size(), std::memory_order_relaxed);
  });
}

std::optional<Silence> SilentOrigins::find(std::string_view origin, MonotonicTime now) {
  if (count_.load(std::memory_order_relaxed) == 0) return std::nullopt;
  return entries_.with([&](Entries& entries) -> std::optional<Silence> {
    const auto known = entries.find(origin);
    if (known == entries.end()) return std::nullopt;
    Entry& entry = known->second;
    if (now - entry.failed_at >= kRemembered) {
      entries.erase(known);
      count_.store(entries.size(), std::memory_order_relaxed);
      return std::nullopt;
    }
    const bool due = now >= entry.probe_at;
    if (due) entry.probe_at = now + between_probes(entry.error);
    return Silence{.error = entry.error, .probe_is_due = due};
  });
}

}  // namespace revcache::cache
