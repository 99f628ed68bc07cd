// RFC 9110 5.6.7:
//   IMF-fixdate  = day-name "," SP 2DIGIT SP month SP 4DIGIT SP time SP "GMT"
//   rfc850-date  = day-name-l "," SP 2DIGIT "-" month "-" 2DIGIT SP time SP "GMT"
//   asctime-date = day-name SP month SP ( 2DIGIT / SP DIGIT ) SP time SP 4DIGIT
//   time         = 2DIGIT ":" 2DIGIT ":" 2DIGIT
// Letters match in either case, as RFC 9111 4.2 asks of caches. Whether the day name fits the date
// is not looked at; that it is a day name is.
#include "http/date.h"

#include <algorithm>
#include <cstdint>

#include "http/characters.h"
#include "http/message.h"

namespace revcache::http {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr std::size_t kShortNameBytes = 3;

// What tells the names of days, and those of months, apart: their first three letters, in lower
// case. 0 for a shorter text.
constexpr std::uint32_t short_name(std::string_view text) noexcept {
  if (text.size() < kShortNameBytes) return 0;
  std::uint32_t letters = 0;
  for (std::size_t i = 0; i < kShortNameBytes; ++i) {
    letters = letters << 8U | static_cast<unsigned char>(to_lower(text[i]));
  }
  return letters;
}

template <std::size_t kCount>
constexpr std::array<std::uint32_t, kCount> short_names(
    const std::array<std::string_view, kCount>& names) noexcept {
  std::array<std::uint32_t, kCount> all{};
  std::ranges::transform(names, all.begin(), short_name);
  return all;
}

constexpr auto kShortDays = short_names(kDays);
constexpr auto kShortMonths = short_names(kMonths);

// "Sun" or "Sunday", and nothing in between.
bool is_day_name(std::string_view text) noexcept {
  const auto* const found = std::ranges::find(kShortDays, short_name(text));
  if (found == kShortDays.end()) return false;
  const std::string_view name = kDays[static_cast<std::size_t>(found - kShortDays.begin())];
  return text.size() == kShortNameBytes || equals_ignoring_case(text, name);
}

// Reads a text from its front; the first mismatch makes ok() false for good.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  void literal(std::string_view expected) noexcept {
    ok_ = ok_ && equals_ignoring_case(rest_.substr(0, expected.size()), expected);
    if (ok_) rest_.remove_prefix(expected.size());
  }

  int digits(std::size_t count) noexcept {
    ok_ = ok_ && rest_.size() >= count;
    int value = 0;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      ok_ = is_digit(rest_[i]);
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return value;
  }

  // 2DIGIT, or SP and one digit.
  int padded_day() noexcept {
    if (!rest_.starts_with(' ')) return digits(2);
    rest_.remove_prefix(1);
    return digits(1);
  }

  unsigned month() noexcept {
    const auto* const found = std::ranges::find(kShortMonths, short_name(rest_));
    ok_ = ok_ && found != kShortMonths.end();
    if (!ok_) return 0;
    rest_.remove_prefix(kShortNameBytes);
    return static_cast<unsigned>(found - kShortMonths.begin()) + 1;
  }

  seconds time() noexcept {
    const int hour = digits(2);
    literal(":");
    const int minute = digits(2);
    literal(":");
    const int second = digits(2);
    // 60 is a leap second; it counts as the first second of the next minute.
    ok_ = ok_ && hour <= 23 && minute <= 59 && second <= 60;
    return hours{hour} + minutes{minute} + seconds{second};
  }

  [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Parts {
  int year = 0;
  unsigned month = 0;
  int day = 0;
  seconds time{0};
};

std::optional<WallSeconds> to_time(const Parts& parts) noexcept {
  const std::chrono::year_month_day date{std::chrono::year{parts.year},
                                         std::chrono::month{parts.month},
                                         std::chrono::day{static_cast<unsigned>(parts.day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + parts.time;
}

std::optional<WallSeconds> parse_imf_fixdate(std::string_view text) noexcept {
  Reader reader(text);
  Parts parts;
  reader.literal(", ");
  parts.day = reader.digits(2);
  reader.literal(" ");
  parts.month = reader.month();
  reader.literal(" ");
  parts.year = reader.digits(4);
  reader.literal(" ");
  parts.time = reader.time();
  reader.literal(" GMT");
  if (!reader.done()) return std::nullopt;
  return to_time(parts);
}

std::optional<WallSeconds> parse_rfc850(std::string_view text, WallSeconds now) noexcept {
  Reader reader(text);
  Parts parts;
  reader.literal(", ");
  parts.day = reader.digits(2);
  reader.literal("-");
  parts.month = reader.month();
  reader.literal("-");
  const int year = reader.digits(2);
  reader.literal(" ");
  parts.time = reader.time();
  reader.literal(" GMT");
  if (!reader.done()) return std::nullopt;

  // A timestamp that appears to be more than 50 years ahead is the most recent past year with the
  // same last two digits.
  const std::chrono::year_month_day today{std::chrono::floor<days>(now)};
  const int this_year = static_cast<int>(today.year());
  parts.year = this_year - this_year % 100 + 100 + year;
  while (parts.year > this_year + 50) parts.year -= 100;
  auto time = to_time(parts);
  if (time && *time > now + std::chrono::years{50}) {
    parts.year -= 100;
    time = to_time(parts);
  }
  return time;
}

std::optional<WallSeconds> parse_asctime(std::string_view text) noexcept {
  Reader reader(text);
  Parts parts;
  reader.literal(" ");
  parts.month = reader.month();
  reader.literal(" ");
  parts.day = reader.padded_day();
  reader.literal(" ");
  parts.time = reader.time();
  reader.literal(" ");
  parts.year = reader.digits(4);
  if (!reader.done()) return std::nullopt;
  return to_time(parts);
}

char* write_digits(char* out, int value, int count) noexcept {
  for (int i = count - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + count;
}

char* write_text(char* out, std::string_view text) noexcept {
  return std::ranges::copy(text, out).out;
}

}  // namespace

std::optional<WallSeconds> parse_date(std::string_view text, WallSeconds now) noexcept {
  const std::size_t name_end = find_first_in(text, ", ");
  const std::string_view name = text.substr(0, name_end);
  const std::string_view rest = text.substr(name_end);
  if (!is_day_name(name)) return std::nullopt;
  if (name.size() != kShortNameBytes) return parse_rfc850(rest, now);
  return rest.starts_with(',') ? parse_imf_fixdate(rest) : parse_asctime(rest);
}

std::array<char, kDateBytes> format_date(WallSeconds time) noexcept {
  constexpr WallSeconds kFirst = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
  constexpr WallSeconds kLast =
      std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - seconds{1};
  time = std::clamp(time, kFirst, kLast);
  const auto midnight = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::weekday weekday{midnight};
  const int second_of_day = static_cast<int>((time - midnight).count());

  std::array<char, kDateBytes> text{};
  char* out = write_text(text.data(), kDays[weekday.c_encoding()].substr(0, 3));
  out = write_text(out, ", ");
  out = write_digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  *out++ = ' ';
  out = write_text(out, kMonths[static_cast<unsigned>(date.month()) - 1]);
  *out++ = ' ';
  out = write_digits(out, static_cast<int>(date.year()), 4);
  *out++ = ' ';
  out = write_digits(out, second_of_day / 3600, 2);
  *out++ = ':';
  out = write_digits(out, second_of_day / 60 % 60, 2);
  *out++ = ':';
  out = write_digits(out, second_of_day % 60, 2);
  write_text(out, " GMT");
  return text;
}

std::string date_text(WallSeconds time) {
  const auto text = format_date(time);
  return {text.data(), text.size()};
}

}  // namespace revcache::http
