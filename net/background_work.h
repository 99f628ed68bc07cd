// Work that must not run on a loop: disk, signatures, parsing of large lists.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/callback.h"

namespace revcache::net {

enum class WorkKind : std::uint8_t { disk, parse, sign, serialise };
inline constexpr std::size_t kWorkKinds = 4;

class BackgroundWork {
 public:
  virtual ~BackgroundWork() = default;
  // Runs `work` on a pool thread, then `done` on this loop. Loop thread only. False, and neither
  // runs, when the limit of waiting and running tasks of this kind is reached: the caller answers
  // "overloaded" instead of queueing more.
  [[nodiscard]] virtual bool submit(WorkKind kind, Callback<> work, Callback<> done) = 0;
};

}  // namespace revcache::net
