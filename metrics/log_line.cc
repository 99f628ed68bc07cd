#include "metrics/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace revcache::metrics {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kEllipsis = "\xe2\x80\xa6";     // …
constexpr std::string_view kHex = "0123456789abcdef";

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

void append_padded(std::string& out, unsigned number, std::size_t width) {
  std::array<char, 10> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto length = static_cast<std::size_t>(end - digits.data());
  if (length < width) out.append(width - length, '0');
  out.append(digits.data(), length);
}

// Of the ASCII at the front of `text` that stands for itself: nearly always all of it.
std::size_t plain_length(std::string_view text) {
  const auto* const end = std::ranges::find_if(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet >= 0x7f || c == '"' || c == '\\';
  });
  return static_cast<std::size_t>(end - text.begin());
}

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 1;
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// The code point at the front of `text`; nullopt when it is not well-formed UTF-8 (RFC 3629 4).
std::optional<CodePoint> decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  CodePoint point;
  char32_t smallest = 0;
  if (lead < 0x80) return CodePoint{lead, 1};
  if (lead >= 0xc2 && lead <= 0xdf) {
    point = {lead & 0x1fU, 2};
    smallest = 0x80;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    point = {lead & 0x0fU, 3};
    smallest = 0x800;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    point = {lead & 0x07U, 4};
    smallest = 0x10000;
  } else {
    return std::nullopt;
  }
  if (text.size() < point.bytes) return std::nullopt;
  for (std::size_t at = 1; at < point.bytes; ++at) {
    if (!is_continuation(text[at])) return std::nullopt;
    point.value = (point.value << 6U) | (static_cast<unsigned char>(text[at]) & 0x3fU);
  }
  const bool surrogate = point.value >= 0xd800 && point.value <= 0xdfff;
  if (point.value < smallest || surrogate || point.value > 0x10ffff) return std::nullopt;
  return point;
}

// Control characters, and what changes the order or place of other text: U+200E, U+200F, U+2028 to
// U+202E, U+2066 to U+2069, U+061C, U+FEFF.
bool must_escape(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return true;
  if (c == 0x61c || c == 0x200e || c == 0x200f || c == 0xfeff) return true;
  return (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void append_code(std::string& out, char32_t c) {
  out += "\\u";
  for (unsigned shift = 16; shift > 0; shift -= 4) out += kHex[(c >> (shift - 4)) & 15U];
}

void append_one(std::string& out, std::string_view bytes, char32_t c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += bytes;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else if (must_escape(c)) {
    append_code(out, c);
  } else {
    out += bytes;
  }
}

// Without quotes a logfmt value ends at a space; "=" and quotes would be read as syntax.
bool is_bare(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet <= 0x20 || octet >= 0x7f || c == '=' || c == '"' || c == '\\') return false;
  }
  return true;
}

// Not in the middle of a character, as far as one can tell.
std::string_view cut(std::string_view text) {
  std::size_t length = kLogValueBytesMax;
  for (int step = 0; step < 3 && is_continuation(text[length]); ++step) --length;
  return text.substr(0, length);
}

}  // namespace

std::string rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string out;
  out.reserve(24);
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_padded(out, static_cast<unsigned>(clock.hours().count()), 2);
  out += ':';
  append_padded(out, static_cast<unsigned>(clock.minutes().count()), 2);
  out += ':';
  append_padded(out, static_cast<unsigned>(clock.seconds().count()), 2);
  out += '.';
  append_padded(out, static_cast<unsigned>(clock.subseconds().count()), 3);
  out += 'Z';
  return out;
}

void append_escaped(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t plain = plain_length(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    const auto point = decode(text);
    if (point) {
      append_one(out, text.substr(0, point->bytes), point->value);
    } else {
      out += kReplacement;
    }
    text.remove_prefix(point ? point->bytes : 1);
  }
}

LogLine::LogLine(LogFormat format, WallTime time, LogLevel level, std::string_view event)
    : format_(format) {
  text_.reserve(256);
  if (format_ == LogFormat::json) text_ += '{';
  add("ts", rfc3339(time));
  add("level", level_name(level));
  add("event", event);
}

void LogLine::begin(std::string_view key) {
  if (format_ == LogFormat::json) {
    if (text_.size() > 1) text_ += ',';
    text_ += '"';
    text_ += key;
    text_ += "\":";
  } else {
    if (!text_.empty()) text_ += ' ';
    text_ += key;
    text_ += '=';
  }
}

void LogLine::add(std::string_view key, std::string_view value) {
  begin(key);
  const bool too_long = value.size() > kLogValueBytesMax;
  if (too_long) value = cut(value);
  if (format_ == LogFormat::logfmt && !too_long && is_bare(value)) {
    text_ += value;
    return;
  }
  text_ += '"';
  append_escaped(text_, value);
  if (too_long) text_ += kEllipsis;
  text_ += '"';
}

void LogLine::add(std::string_view key, std::int64_t value) {
  begin(key);
  text_ += std::to_string(value);
}

void LogLine::add(std::string_view key, double value) {
  begin(key);
  if (!std::isfinite(value)) {
    if (format_ == LogFormat::json) text_ += "null";
    return;
  }
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text_.append(digits.data(), end);
}

void LogLine::add(std::string_view key, bool value) {
  begin(key);
  text_ += value ? "true" : "false";
}

void LogLine::add(const LogField& field) {
  std::visit([this, &field](const auto& value) { add(field.key, value); }, field.value);
}

std::string LogLine::take() && {
  if (format_ == LogFormat::json) text_ += '}';
  text_ += '\n';
  return std::move(text_);
}

}  // namespace revcache::metrics
