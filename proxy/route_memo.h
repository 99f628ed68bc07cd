// The last targets that were forwarded, with what they were found to be: reading the same URI again
// for each of a thousand logins a second is most of what a hit would cost.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "cache/cache_key.h"
#include "http/uri.h"

namespace revcache::proxy {

// One loop's. Holds targets in absolute-form that the rules in force allow; forgets all of them
// when the rules change.
class RouteMemo {
 public:
  static constexpr std::size_t kSlots = 64;
  static constexpr std::size_t kTargetBytesMax = 512;  // longer ones are read each time

  explicit RouteMemo(std::uint64_t hash_seed) : hasher_(hash_seed) {}

  // nullptr when not remembered. Valid until the next call of remember() or forget().
  [[nodiscard]] const http::UriView* find(std::string_view target) const noexcept {
    if (target.size() > kTargetBytesMax) return nullptr;
    const auto& slot = slots_[hasher_(target) % kSlots];
    return slot.target == target ? &slot.uri : nullptr;
  }

  // Replaces whatever has the slot. `uri` is what http::parse_absolute_form gave for `target`.
  void remember(std::string_view target, const http::UriView& uri);
  void forget();

 private:
  struct Slot {
    std::string target;  // empty: free; no request has an empty target
    std::string storage;
    http::UriView uri;
  };

  cache::KeyHasher hasher_;
  std::array<Slot, kSlots> slots_;
};

}  // namespace revcache::proxy
