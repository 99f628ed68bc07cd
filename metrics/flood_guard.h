// Keeps a flood of equal events from filling the log: so many lines a second of each event, then
// only a count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace revcache::metrics {

inline constexpr std::uint32_t kEqualEventsPerSecondMax = 20;
inline constexpr std::size_t kGuardedEventsMax = 512;  // further events share one budget

// One thread at a time. Pure: time is given.
class FloodGuard {
 public:
  explicit FloodGuard(std::uint32_t lines_per_second_max = kEqualEventsPerSecondMax)
      : lines_per_second_max_(lines_per_second_max) {}

  // Whether a line may be written for `event` now.
  bool allows(std::string_view event, MonotonicTime now);

  struct Suppressed {
    std::string event;
    std::uint64_t lines = 0;
  };
  // What was held back in seconds that are over, and forgets it. Cheap when nothing was.
  std::vector<Suppressed> take_suppressed(MonotonicTime now);
  // The same, also of the current second.
  std::vector<Suppressed> take_all_suppressed();

 private:
  struct Window {
    MonotonicTime start;
    std::uint32_t written = 0;
    std::uint64_t suppressed = 0;
  };

  std::uint32_t lines_per_second_max_;
  std::map<std::string, Window, std::less<>> windows_;
  std::size_t flooded_ = 0;  // windows with suppressed lines
};

}  // namespace revcache::metrics
