// The last targets with what they were found to be: reading the same URI, or the same OCSP
// question, again for each of a thousand logins a second is most of what a hit would cost.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "cache/cache_key.h"
#include "http/uri.h"
#include "proxy/asked_question.h"

namespace revcache::proxy {

// What the rules in force make of one target.
struct KnownRoute {
  http::UriView uri;     // of what is forwarded
  bool is_own = false;   // an own path; then there is no `uri`
  AskedQuestion asked;   // of a GET; for whoever handles the request to read
  std::string target{};  // empty: a free slot; no request has an empty target
  std::string host{};
  std::string storage{};  // of the views of `uri`
};

// One loop's. Forgets all when the rules change.
class RouteMemo {
 public:
  static constexpr std::size_t kSlots = 256;
  static constexpr std::size_t kTargetBytesMax = 512;  // longer ones are read each time

  explicit RouteMemo(std::uint64_t hash_seed) : hasher_(hash_seed) {}

  // `host`: the value of Host for a target in origin-form, else empty. nullptr when not remembered.
  // Valid until the next call of remember() or forget().
  [[nodiscard]] KnownRoute* find(std::string_view target, std::string_view host) noexcept {
    if (target.size() > kTargetBytesMax) return nullptr;
    auto& slot = slots_[hasher_(target) % kSlots];
    return slot.target == target && slot.host == host ? &slot : nullptr;
  }

  // Replaces whatever has the slot. `uri` is what was read from the target, null for an own path.
  // nullptr when the target or the host is too long to be kept.
  KnownRoute* remember(std::string_view target, std::string_view host, const http::UriView* uri);
  void forget();

 private:
  cache::KeyHasher hasher_;
  std::array<KnownRoute, kSlots> slots_;
};

}  // namespace revcache::proxy
