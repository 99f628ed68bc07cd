#include "base/duration_text.h"

#include <cstdint>
#include <string_view>

namespace revcache {
namespace {

std::string two_units(std::int64_t large, std::string_view large_unit, std::int64_t small,
                      std::string_view small_unit) {
  std::string text = std::to_string(large) + ' ' + std::string(large_unit);
  if (small != 0) text += ' ' + std::to_string(small) + ' ' + std::string(small_unit);
  return text;
}

}  // namespace

std::string duration_text(std::chrono::seconds span) {
  const std::int64_t seconds = span.count() < 0 ? -span.count() : span.count();
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  if (hours >= 24) return two_units(hours / 24, "d", hours % 24, "h");
  if (hours >= 1) return two_units(hours, "h", minutes % 60, "min");
  if (minutes >= 10) return std::to_string(minutes) + " min";
  if (minutes >= 1) return two_units(minutes, "min", seconds % 60, "s");
  return std::to_string(seconds) + " s";
}

}  // namespace revcache
