#include "commands/terminal_text.h"

#include <array>
#include <optional>

namespace revcache::commands {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t octets = 1;
};

// nullopt: no UTF-8 here (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
std::optional<CodePoint> code_point_at(std::string_view text) {
  const auto octet = [&](std::size_t at) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[at]));
  };
  const char32_t first = octet(0);
  if (first < 0x80) return CodePoint{first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return std::nullopt;
  char32_t value = first & (0xffU >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    if ((octet(at) & 0xc0U) != 0x80U) return std::nullopt;
    value = value << 6U | (octet(at) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kLeast.at(length) || surrogate || value > 0x10ffff) return std::nullopt;
  return CodePoint{value, length};
}

struct Range {
  char32_t first;
  char32_t last;
};

// Controls, and what is invisible or changes how the rest of a line is shown.
bool must_be_shown(char32_t value) {
  constexpr std::array<Range, 11> kRanges{{{0, 0x1f},
                                           {0x7f, 0x9f},
                                           {0xad, 0xad},
                                           {0x61c, 0x61c},
                                           {0x180e, 0x180e},
                                           {0x200b, 0x200f},
                                           {0x2028, 0x202e},
                                           {0x2060, 0x206f},
                                           {0xfeff, 0xfeff},
                                           {0xfff9, 0xfffb},
                                           {0xe0000, 0xe0fff}}};
  for (const Range& range : kRanges) {
    if (value >= range.first && value <= range.last) return true;
  }
  return false;
}

std::string hex_of(char32_t value, std::size_t digits_min) {
  std::string text;
  for (; value > 0 || text.size() < digits_min; value >>= 4U) {
    text.insert(text.begin(), "0123456789abcdef"[value & 0xfU]);
  }
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto point = code_point_at(text);
    const std::size_t octets = point ? point->octets : 1;
    if (!point || (point->value < 0x80 && must_be_shown(point->value))) {
      out += "\\x" + hex_of(static_cast<unsigned char>(text.front()), 2);
    } else if (must_be_shown(point->value)) {
      out += "\\u{" + hex_of(point->value, 4) + '}';
    } else {
      out += text.substr(0, octets);
    }
    text.remove_prefix(octets);
  }
  return out;
}

std::string styled(std::string_view text, Style style, bool colour) {
  constexpr std::array<std::string_view, 6> kCodes{"", "1", "2", "1;32", "1;31", "1;33"};
  const auto code = kCodes.at(static_cast<std::size_t>(style));
  if (!colour || code.empty()) return std::string(text);
  return "\033[" + std::string(code) + 'm' + std::string(text) + "\033[0m";
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool first = column == indent;
    if (!first && column + 1 + word.size() > width) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

}  // namespace revcache::commands
