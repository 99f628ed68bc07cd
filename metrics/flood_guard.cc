#include "metrics/flood_guard.h"

#include <chrono>
#include <utility>

namespace revcache::metrics {
namespace {

constexpr std::chrono::seconds kWindow{1};
constexpr std::string_view kRest = "other events";

}  // namespace

bool FloodGuard::allows(std::string_view event, MonotonicTime now) {
  auto found = windows_.find(event);
  if (found == windows_.end()) {
    const std::string_view name = windows_.size() < kGuardedEventsMax ? event : kRest;
    found = windows_.try_emplace(std::string(name), Window{.start = now}).first;
  }
  Window& window = found->second;
  // A window with a count stays until that was taken.
  if (now - window.start >= kWindow && window.suppressed == 0) window = Window{.start = now};
  if (window.written < lines_per_second_max_) {
    ++window.written;
    return true;
  }
  if (window.suppressed++ == 0) ++flooded_;
  return false;
}

std::vector<FloodGuard::Suppressed> FloodGuard::take_suppressed(MonotonicTime now) {
  std::vector<Suppressed> taken;
  if (flooded_ == 0) return taken;
  for (auto& [event, window] : windows_) {
    if (window.suppressed == 0 || now - window.start < kWindow) continue;
    taken.push_back({event, window.suppressed});
    window = Window{.start = now};
    --flooded_;
  }
  return taken;
}

std::vector<FloodGuard::Suppressed> FloodGuard::take_all_suppressed() {
  return take_suppressed(MonotonicTime::max());
}

}  // namespace revcache::metrics
