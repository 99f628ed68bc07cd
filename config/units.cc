#include "config/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <system_error>

namespace revcache::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first: "1h30m" must come in this order.
constexpr std::array<Unit, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::uint64_t kDurationMillisMax = std::uint64_t{3653} * 86'400'000;

constexpr std::array<Unit, 10> kSizeUnits{{{"TiB", 1ULL << 40U},
                                           {"GiB", 1ULL << 30U},
                                           {"MiB", 1ULL << 20U},
                                           {"KiB", 1ULL << 10U},
                                           {"TB", 1'000'000'000'000},
                                           {"GB", 1'000'000'000},
                                           {"MB", 1'000'000},
                                           {"kB", 1000},
                                           {"KB", 1000},
                                           {"B", 1}}};

constexpr std::array<Unit, 3> kRateUnits{{{"s", 1}, {"m", 60}, {"h", 3600}}};
constexpr double kRateMax = 1e6;

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

// Takes the digits at the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// Takes the letters at the front of `text`.
std::string_view take_letters(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && (text[length] < '0' || text[length] > '9')) ++length;
  const std::string_view letters = text.substr(0, length);
  text.remove_prefix(length);
  return letters;
}

std::optional<std::uint64_t> multiply(std::uint64_t number, std::uint64_t factor) {
  if (number > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
  return number * factor;
}

template <std::size_t Size>
const Unit* find_unit(const std::array<Unit, Size>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

template <std::size_t Size>
std::string in_largest_unit(const std::array<Unit, Size>& units, std::uint64_t number) {
  for (const Unit& unit : units) {
    if (number % unit.factor == 0)
      return std::to_string(number / unit.factor) + std::string(unit.name);
  }
  return std::to_string(number);
}

}  // namespace

Parsed<Milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [text] {
    return std::unexpected(
        quoted(text) +
        R"( is not a duration: write a number with a unit, as "250ms", "9s", "15m", "12h" or "30d")");
  };
  std::string_view rest = text;
  std::uint64_t total = 0;
  std::uint64_t last_factor = std::numeric_limits<std::uint64_t>::max();
  if (rest.empty()) return wrong();
  while (!rest.empty()) {
    const auto number = take_number(rest);
    if (!number) return wrong();
    const Unit* unit = find_unit(kDurationUnits, take_letters(rest));
    if (unit == nullptr || unit->factor >= last_factor) return wrong();
    last_factor = unit->factor;
    const auto part = multiply(*number, unit->factor);
    if (!part || *part > kDurationMillisMax - total) {
      return std::unexpected(quoted(text) + " is longer than ten years");
    }
    total += *part;
  }
  return Milliseconds(static_cast<std::int64_t>(total));
}

std::string print_duration(Milliseconds duration) {
  const auto millis = static_cast<std::uint64_t>(duration.count());
  if (millis == 0) return "0s";
  return in_largest_unit(kDurationUnits, millis);
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  const Unit* unit = rest.empty() ? &kSizeUnits.back() : find_unit(kSizeUnits, rest);
  if (!number || unit == nullptr) {
    return std::unexpected(
        quoted(text) +
        R"( is not a size: write a number with a unit, as "64KiB", "256MiB", "8GiB" or "10MB")");
  }
  const auto bytes = multiply(*number, unit->factor);
  if (!bytes) return std::unexpected(quoted(text) + " is too large");
  return *bytes;
}

std::string print_size(std::uint64_t bytes) {
  if (bytes == 0) return "0";
  return in_largest_unit(kSizeUnits, bytes);
}

Parsed<Rate> parse_rate(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  const Unit* unit = rest.starts_with('/') ? find_unit(kRateUnits, rest.substr(1)) : nullptr;
  if (error != std::errc{} || unit == nullptr || !std::isfinite(number) || number < 0) {
    return std::unexpected(
        quoted(text) + R"( is not a rate: write a number per time, as "50/s", "90/m" or "10/h")");
  }
  const Rate rate{number / static_cast<double>(unit->factor)};
  if (rate.per_second > kRateMax) {
    return std::unexpected(quoted(text) + " is more than a million a second");
  }
  return rate;
}

std::string print_rate(const Rate& rate) {
  // 17 significant digits at most, and at most 320 zeros for the smallest numbers.
  std::array<char, 512> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(),
                                          rate.per_second, std::chars_format::fixed);
  if (error != std::errc{}) return "0/s";
  return std::string(digits.data(), end) + "/s";
}

}  // namespace revcache::config
