// Failures, remembered for seconds so that a dead origin is not asked by every client. Never hides
// a good copy: it is asked only when there is none. Shared by all loops, bounded in entries.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/guarded.h"
#include "cache/stored_response.h"

namespace revcache::cache {

// A failure as it is given to clients: an error of ours, or the origin's own refusal.
struct NegativeAnswer {
  Error error{ErrorCode::unreachable, Blame::upstream, {}};
  StoredResponsePtr response{};  // the origin's 4xx or 5xx; null for an error
};

// How long a failure is kept, by cause: what a second question is unlikely to change is kept
// longer.
std::chrono::milliseconds negative_lifetime(const NegativeAnswer& answer) noexcept;

class NegativeCache {
 public:
  static constexpr std::size_t kEntriesMax = 4096;

  // Thread-safe. nullopt when there is none or its time is over.
  [[nodiscard]] std::optional<NegativeAnswer> find(const std::string& key, MonotonicTime now);
  void put(const std::string& key, NegativeAnswer answer, MonotonicTime now);
  void erase(const std::string& key);
  void erase_if(const std::function<bool(std::string_view key)>& goes);

 private:
  struct Entry {
    NegativeAnswer answer;
    MonotonicTime until;
  };
  Guarded<std::unordered_map<std::string, Entry>> entries_;
};

}  // namespace revcache::cache
