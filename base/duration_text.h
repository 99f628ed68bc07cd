// A span of time as people say it. Pure.
#pragma once

#include <chrono>
#include <string>

namespace revcache {

// "3 d 4 h", "4 h 12 min", "12 min", "40 s": the two largest units, the rest dropped; below ten
// minutes with seconds. A negative span as its absolute value.
std::string duration_text(std::chrono::seconds span);

}  // namespace revcache
