#include "pki/asn1_time.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "base/little_endian.h"

namespace revcache::pki {
namespace {

constexpr std::size_t kGeneralizedTimeOctets = 15;  // YYYYMMDDHHMMSSZ
constexpr unsigned kUtcTimeTwentiethCenturyFrom = 50;

// Four numbers of two digits each.
using DigitPairs = std::array<unsigned, 4>;

// Eight octets at `at`, all of them ASCII digits: four numbers. A CRL has millions of dates, so all
// eight are looked at in one word.
std::optional<DigitPairs> digit_pairs(const std::uint8_t* at) noexcept {
  // A digit becomes 0 to 9; with 0x76 added, whatever is more sets its octet's highest bit.
  const std::uint64_t digits = load_little_endian<std::uint64_t>(at) ^ 0x3030303030303030U;
  constexpr std::uint64_t kHighest = 0x8080808080808080U;
  if (((digits + 0x7676767676767676U) & kHighest) != 0 || (digits & kHighest) != 0) {
    return std::nullopt;
  }
  const std::uint64_t pairs = digits * 10 + (digits >> 8U);
  const auto pair = [pairs](unsigned index) {
    return static_cast<unsigned>(pairs >> (16U * index)) & 0xffU;
  };
  return DigitPairs{pair(0), pair(1), pair(2), pair(3)};
}

bool is_leap(unsigned year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr std::array<std::uint8_t, 13> kDays{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
// By month; of 16, so that any four bits are an index.
constexpr std::array<std::uint16_t, 16> kDaysBefore{0,   0,   31,  59,  90,  120, 151,
                                                    181, 212, 243, 273, 304, 334};

bool exists(unsigned year, unsigned month, unsigned day) noexcept {
  if (month - 1 >= 12 || day - 1 >= 31) return false;  // 0 becomes the largest number
  return day <= kDays[month] || (month == 2 && day == 29 && is_leap(year));
}

// Days since some day long ago. Half as long as std::chrono's way, which serves any calendar year.
constexpr unsigned day_number(unsigned year, unsigned month, unsigned day) noexcept {
  // The last year whose leap day, if it has one, is over; 400 keeps it above 0.
  const unsigned past = year + 400 - (month <= 2 ? 1 : 0);
  return 365 * year + past / 4 - past / 100 + past / 400 + kDaysBefore[month % kDaysBefore.size()] +
         day;
}

WallSeconds seconds_at(unsigned day_number_of_date, unsigned second_of_day) noexcept {
  constexpr std::int64_t kEpoch = day_number(1970, 1, 1);
  const std::int64_t days = std::int64_t{day_number_of_date} - kEpoch;
  return WallSeconds(std::chrono::seconds(days * 86400 + second_of_day));
}

// `rest`: day, hour, minute, second.
std::optional<WallSeconds> assemble(unsigned year, unsigned month,
                                    const DigitPairs& rest) noexcept {
  const auto [day, hour, minute, second] = rest;
  if (!exists(year, month, day) || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return seconds_at(day_number(year, month, day), (hour * 60 + minute) * 60 + second);
}

std::optional<WallSeconds> utc_time(ByteView content) noexcept {
  if (content.size() != kUtcTimeOctets || content.back() != 'Z') return std::nullopt;
  const auto front = digit_pairs(content.data());
  const auto rest = digit_pairs(content.data() + 4);
  if (!front || !rest) return std::nullopt;
  const auto [year, month, day, hour] = *front;
  return assemble(year + (year < kUtcTimeTwentiethCenturyFrom ? 2000U : 1900U), month, *rest);
}

std::optional<WallSeconds> generalized_time(ByteView content) noexcept {
  if (content.size() != kGeneralizedTimeOctets || content.back() != 'Z') return std::nullopt;
  const auto front = digit_pairs(content.data());
  const auto rest = digit_pairs(content.data() + 6);
  if (!front || !rest) return std::nullopt;
  const auto [century, year, month, day] = *front;
  return assemble(century * 100 + year, month, *rest);
}

std::optional<WallSeconds> time_or_fault(DerReader& reader, const DerReader& start,
                                         const std::optional<DerElement>& element,
                                         std::string_view what) noexcept {
  if (!element) return std::nullopt;
  const auto time = time_of(*element);
  if (time) return time;
  reader = start;
  reader.fail_at(what);
  return std::nullopt;
}

// Years beyond what four digits can say become the nearest that they can.
std::string formatted(WallSeconds time, const char* format) {
  constexpr WallSeconds kFirst = std::chrono::sys_days{std::chrono::year(0) / 1 / 1};
  constexpr WallSeconds kLast =
      std::chrono::sys_days{std::chrono::year(10000) / 1 / 1} - std::chrono::seconds(1);
  time = std::clamp(time, kFirst, kLast);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 32> text{};
  const int length = std::snprintf(
      text.data(), text.size(), format, static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

// Eight octets at `at`, all digits: four numbers, each in the lower octet of 16 bits.
std::uint64_t checked_pairs(const std::uint8_t* at) noexcept {
  const std::uint64_t digits = load_little_endian<std::uint64_t>(at) ^ 0x3030303030303030U;
  return (digits * 10 + (digits >> 8U)) & 0x00ff00ff00ff00ffU;
}

}  // namespace

WallSeconds checked_utc_time(const std::uint8_t* content) noexcept {
  const std::uint64_t front = checked_pairs(content);      // year, month, day, hour
  const std::uint64_t clock = checked_pairs(content + 4);  // day, hour, minute, second
  const auto of_century = static_cast<unsigned>(front & 0xffU);
  const unsigned year = of_century + (of_century < kUtcTimeTwentiethCenturyFrom ? 2000U : 1900U);
  const auto month = static_cast<unsigned>(front >> 16U & 0xffU);
  const auto day = static_cast<unsigned>(clock & 0xffU);
  const auto hour = static_cast<unsigned>(clock >> 16U & 0xffU);
  const auto minute = static_cast<unsigned>(clock >> 32U & 0xffU);
  const auto second = static_cast<unsigned>(clock >> 48U);
  return seconds_at(day_number(year, month, day), (hour * 60 + minute) * 60 + second);
}

std::optional<WallSeconds> time_of(const DerElement& element) noexcept {
  if (element.tag == kUtcTimeTag) return utc_time(element.content);
  if (element.tag == kGeneralizedTimeTag) return generalized_time(element.content);
  return std::nullopt;
}

std::optional<WallSeconds> read_time(DerReader& reader, std::string_view what) noexcept {
  const DerReader start = reader;
  const Tag tag = reader.next_is(kUtcTimeTag) ? kUtcTimeTag : kGeneralizedTimeTag;
  return time_or_fault(reader, start, reader.read(tag, what), what);
}

std::optional<WallSeconds> read_generalized_time(DerReader& reader,
                                                 std::string_view what) noexcept {
  const DerReader start = reader;
  return time_or_fault(reader, start, reader.read(kGeneralizedTimeTag, what), what);
}

std::string generalized_time(WallSeconds time) {
  return formatted(time, "%04d%02u%02u%02d%02d%02dZ");
}

std::string rfc3339(WallSeconds time) { return formatted(time, "%04d-%02u-%02uT%02d:%02d:%02dZ"); }

}  // namespace revcache::pki
