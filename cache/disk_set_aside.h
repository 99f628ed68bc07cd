// Moves a damaged database out of the way, so that serving goes on and somebody can look at it.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace revcache::cache {

inline constexpr std::size_t kSetAsideMax = 3;  // older ones are deleted

// Renames `directory` to "<directory>.corrupt-<unix time>" and gives that name. Where it cannot be
// renamed (it is a mount point), its database files are deleted instead and the name is empty.
// Blocking; fails when neither works.
Result<std::string> set_aside(const std::string& directory, WallTime now);

}  // namespace revcache::cache
