#include "http/authority.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "http/characters.h"

namespace revcache::http {
namespace {

constexpr std::size_t kLabelBytesMax = 63;  // RFC 1035 2.3.4
constexpr std::size_t kNameBytesMax = 253;
constexpr auto kNpos = std::string_view::npos;

// "12", "0x7f" and "0x" are numbers to inet_aton, and so to some resolvers.
bool is_number(std::string_view label) noexcept {
  if (std::ranges::all_of(label, is_digit)) return true;
  if (label.size() < 2 || label[0] != '0' || to_lower(label[1]) != 'x') return false;
  return std::ranges::all_of(label.substr(2), [](char c) {
    const char lower = to_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
  });
}

std::string_view parse_port(std::string_view digits, AuthorityParts& parts) noexcept {
  if (digits.empty()) return {};
  std::uint32_t port = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return "a port that is no number";
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
    if (port > 65535) return "a port above 65535";
  }
  if (port == 0) return "port 0";
  parts.port = static_cast<std::uint16_t>(port);
  return {};
}

std::string_view check_labels(std::string_view name, std::string_view& last) noexcept {
  for (;;) {
    const std::size_t dot = find_first_in(name, ".");
    last = name.substr(0, dot);
    if (last.empty()) return "an empty label in a host name";
    if (last.size() > kLabelBytesMax) return "a label over 63 octets in a host name";
    if (dot == name.size()) return {};
    name.remove_prefix(dot + 1);
  }
}

std::string_view parse_name(std::string_view name, AuthorityParts& parts) noexcept {
  if (name.empty()) return "an empty host";
  if (!all_in(CharacterClass::host, name)) {
    if (name.contains('@')) return "userinfo in a URI";
    return name.contains('%') ? "percent-encoding in a host" : "a character that no host name has";
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > kNameBytesMax) return "a host name over 253 octets";
  std::string_view last_label;
  const std::string_view fault = check_labels(name, last_label);
  if (!fault.empty()) return fault;
  if (!is_number(last_label)) {
    parts.name = name;
    return {};
  }
  parts.ip = IpAddress::parse(name);
  return parts.ip ? "" : "a number as a host that is no dotted quad";
}

}  // namespace

std::string_view parse_authority_parts(std::string_view text, AuthorityParts& parts) noexcept {
  if (!text.starts_with('[')) {
    const std::size_t colon = find_first_in(text, ":");
    const std::string_view fault = parse_name(text.substr(0, colon), parts);
    if (!fault.empty()) return text.contains('@') ? "userinfo in a URI" : fault;
    return colon == text.size() ? "" : parse_port(text.substr(colon + 1), parts);
  }
  const std::size_t close = text.find(']');
  if (close == kNpos) return "an address without its closing bracket";
  const std::string_view literal = text.substr(1, close - 1);
  if (!literal.contains(':')) return "brackets around what is no IPv6 address";
  parts.ip = IpAddress::parse(literal);
  if (!parts.ip) return "an IPv6 address that is malformed or has a zone";
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return {};
  if (!rest.starts_with(':')) return "text after an address in brackets";
  return parse_port(rest.substr(1), parts);
}

void append_host(const AuthorityParts& parts, std::string& out) {
  if (parts.ip) {
    std::array<char, IpAddress::kTextBytesMax> text{};
    out.append(text.data(), parts.ip->write_text(text.data()));
    return;
  }
  const std::size_t start = out.size();
  out += parts.name;
  std::transform(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
                 out.begin() + static_cast<std::ptrdiff_t>(start), to_lower);
}

void append_port(std::uint16_t port, std::string& out) {
  std::array<char, 5> digits{};
  std::size_t first = digits.size();
  for (unsigned rest = port; first == digits.size() || rest != 0; rest /= 10) {
    digits[--first] = static_cast<char>('0' + rest % 10);
  }
  out += ':';
  out.append(digits.data() + first, digits.size() - first);
}

}  // namespace revcache::http
