// Character classes of RFC 9110 section 5.6.2 and RFC 3986, as one table, and small scanning
// functions over them. Pure; for http/ and cache/.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace revcache::http {

enum class CharacterClass : std::uint8_t {
  token = 1,   // tchar, RFC 9110 5.6.2
  target = 2,  // what a path or query may hold, RFC 3986 3.3 and 3.4, and "[" "]" as browsers send
  host = 4,    // letters, digits, "-", "_", ".": what names in DNS are made of
  field_value = 8,  // field-vchar, SP and HTAB, RFC 9110 5.5, obs-text included
};

namespace characters {

constexpr bool contains(std::string_view set, char c) noexcept {
  return set.find(c) != std::string_view::npos;
}

constexpr std::uint8_t classes_of(unsigned octet) noexcept {
  const char c = static_cast<char>(octet);
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  unsigned classes = 0;
  const auto add = [&](CharacterClass which, bool is_member) {
    if (is_member) classes |= static_cast<unsigned>(which);
  };
  add(CharacterClass::token, alphanumeric || contains("!#$%&'*+-.^_`|~", c));
  add(CharacterClass::target, alphanumeric || contains("-._~%!$&'()*+,;=:@/?[]", c));
  add(CharacterClass::host, alphanumeric || contains("-_.", c));
  add(CharacterClass::field_value, octet == 0x09 || (octet >= 0x20 && octet != 0x7f));
  return static_cast<std::uint8_t>(classes);
}

constexpr std::array<std::uint8_t, 256> make_table() noexcept {
  std::array<std::uint8_t, 256> table{};
  for (unsigned octet = 1; octet < table.size(); ++octet) table[octet] = classes_of(octet);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kTable = make_table();

}  // namespace characters

constexpr bool is_in(CharacterClass which, char c) noexcept {
  return (characters::kTable[static_cast<unsigned char>(c)] & static_cast<unsigned>(which)) != 0;
}

// True for an empty text too.
constexpr bool all_in(CharacterClass which, std::string_view text) noexcept {
  unsigned seen = static_cast<unsigned>(which);
  for (const char c : text) seen &= characters::kTable[static_cast<unsigned char>(c)];
  return seen != 0;
}

constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && all_in(CharacterClass::token, text);
}

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Where the first character of `set` is; text.size() when there is none. For short texts and sets:
// std::string_view::find_first_of makes a library call for each character.
constexpr std::size_t find_first_in(std::string_view text, std::string_view set) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : set) {
      if (text[i] == c) return i;
    }
  }
  return text.size();
}

// OWS: spaces and tabs (RFC 9110 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Where the quoted-string that begins at `text[0]` ends: the offset after its closing quote, or
// npos when it is not closed.
constexpr std::size_t quoted_string_end(std::string_view text) noexcept {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Takes the next element of a comma list (RFC 9110 5.6.1) off the front of `rest`: trimmed, maybe
// empty. Commas inside quoted strings do not separate; one that is not closed takes all the rest.
constexpr std::string_view next_element(std::string_view& rest) noexcept {
  std::size_t i = 0;
  while (i < rest.size() && rest[i] != ',') {
    if (rest[i] != '"') {
      ++i;
      continue;
    }
    const std::size_t length = quoted_string_end(rest.substr(i));
    i = length == std::string_view::npos ? rest.size() : i + length;
  }
  const std::string_view element = trim(rest.substr(0, i));
  rest.remove_prefix(i < rest.size() ? i + 1 : i);
  return element;
}

}  // namespace revcache::http
