#include "config/patterns.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace revcache::config {
namespace {

constexpr std::size_t kLabelBytesMax = 64;
constexpr std::size_t kSerialOctetsMax = 20;

std::unexpected<std::string> wrong(std::string_view text, std::string_view reason) {
  return std::unexpected('"' + std::string(text) + "\" " + std::string(reason));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<unsigned> hex_digit(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

// An empty port ("host:") is allowed in a URI (RFC 3986 3.2.3), but here it is a slip.
std::optional<http::Authority> authority_of(std::string_view text) {
  if (text.ends_with(':')) return std::nullopt;
  auto authority = http::parse_authority(text);
  if (!authority) return std::nullopt;
  return std::move(*authority);
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

// "ABC" → "0abc"
std::optional<std::string> plain_hex(std::string_view text) {
  std::string digits(text.size() % 2, '0');
  for (const char c : text) {
    const auto digit = hex_digit(c);
    if (!digit) return std::nullopt;
    digits += "0123456789abcdef"[*digit];
  }
  return digits;
}

// "0A:BC" → "0abc"
std::optional<std::string> colon_hex(std::string_view text) {
  std::string digits;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const std::string_view octet = text.substr(at, 2);
    const auto part = plain_hex(octet);
    const bool ends = at + 2 == text.size();
    if (octet.size() != 2 || !part || (!ends && (text[at + 2] != ':' || at + 3 == text.size()))) {
      return std::nullopt;
    }
    digits += *part;
  }
  return digits;
}

// RFC 3986 2.1; nullopt for a broken escape or a character that could not be sent in Basic
// credentials (RFC 7617 2: no control character).
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      if (at + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[at + 1]);
      const auto low = hex_digit(text[at + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high * 16 + *low);
      at += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
    out += c;
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[octet >> 4U];
      out += kHex[octet & 15U];
    }
  }
  return out;
}

}  // namespace

Parsed<SocketAddress> parse_listen_address(std::string_view text) {
  const auto address = SocketAddress::parse(text);
  if (!address) {
    return wrong(text, R"(is not an address with a port, as "127.0.0.1:3128" or "[::1]:3128")");
  }
  return *address;
}

Parsed<IpNetwork> parse_network(std::string_view text) {
  const auto network = IpNetwork::parse(text);
  if (!network) {
    return wrong(text, R"(is not an address or network, as "10.0.0.0/8", "fd00::/8" or "::1" )"
                       "(bits after the prefix must be zero)");
  }
  return *network;
}

Parsed<DestinationPattern> parse_destination(std::string_view text) {
  DestinationPattern pattern;
  pattern.text = std::string(text);
  std::string_view rest = text;
  if (rest.starts_with("*.")) {
    pattern.subdomains = true;
    rest.remove_prefix(2);
  }
  if (rest.ends_with(":*")) {
    pattern.any_port = true;
    rest.remove_suffix(2);
  }
  if (rest == "*") {
    return wrong(text, R"(would allow every host: set other_destinations = "pass" for that)");
  }
  const auto authority = authority_of(rest);
  if (!authority || (pattern.any_port && authority->port)) {
    return wrong(text, R"(is not a destination, as "crl.example.com", "*.example.com", )"
                       R"("host:8080" or "host:*")");
  }
  if (pattern.subdomains && authority->ip) return wrong(text, "has a wildcard before an address");
  pattern.host = authority->host;
  pattern.port = authority->port;
  std::ranges::transform(pattern.text, pattern.text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return pattern;
}

Parsed<HostAndPort> parse_host_maybe_port(std::string_view text) {
  const auto authority = authority_of(text);
  if (!authority) return wrong(text, R"(is not a host, as "crl.example.com" or "host:8080")");
  return HostAndPort{authority->host, authority->port.value_or(0)};
}

Parsed<HostAndPort> parse_host_and_port(std::string_view text) {
  auto host = parse_host_maybe_port(text);
  if (!host || host->port == 0) {
    return wrong(text, R"(is not a host with a port, as "vpn.example.com:443")");
  }
  return host;
}

std::string print_host_and_port(const HostAndPort& host) {
  if (host.port == 0) return bracketed(host.host);
  return bracketed(host.host) + ':' + std::to_string(host.port);
}

Parsed<std::string> parse_host_name(std::string_view text) {
  const auto authority = authority_of(text);
  if (!authority || authority->port) return wrong(text, "is not a host name without a port");
  return bracketed(authority->host);
}

Parsed<std::string> parse_host_text(std::string_view text) {
  const auto host = parse_host_maybe_port(text);
  if (!host) return std::unexpected(host.error());
  return print_host_and_port(*host);
}

Parsed<http::Uri> parse_url(std::string_view text) {
  std::string storage;
  const auto view = http::parse_absolute_form(text, storage);
  if (!view) return wrong(text, "is not a usable URL: " + view.error().detail);
  return http::Uri(*view);
}

Parsed<ParentProxy> parse_parent_proxy(std::string_view text) {
  static constexpr std::string_view kScheme = "http://";
  static constexpr std::string_view kForm = R"(is not a proxy, as "http://proxy.example.com:8080")";
  if (!text.starts_with(kScheme)) return wrong(text, kForm);
  std::string_view rest = text.substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  ParentProxy proxy;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view userinfo = rest.substr(0, at);
    // The value is not repeated here: it holds a password.
    if (userinfo.find(':') != std::string_view::npos) {
      return std::unexpected(
          "a password must not stand here: put it into a file and name that in "
          "parent_proxy_password_file");
    }
    const auto user = percent_decoded(userinfo);
    if (!user || user->empty() || user->find(':') != std::string::npos) return wrong(text, kForm);
    proxy.user = *user;
    rest.remove_prefix(at + 1);
  }
  const auto host = parse_host_maybe_port(rest);
  if (!host) return wrong(text, kForm);
  proxy.host = host->host;
  proxy.port = host->port == 0 ? http::default_port(http::Scheme::http) : host->port;
  return proxy;
}

std::string print_parent_proxy(const ParentProxy& proxy) {
  const std::string user = proxy.user.empty() ? "" : percent_encoded(proxy.user) + '@';
  return "http://" + user + print_host_and_port({proxy.host, proxy.port});
}

Parsed<std::string> parse_method(std::string_view text) {
  static constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2
  const bool is_token = !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_digit(c) || is_letter(c) || kTokenMarks.find(c) != std::string_view::npos;
  });
  if (!is_token) return wrong(text, "is not a method");
  if (text == "CONNECT") return wrong(text, "is ruled by access.connect alone");
  return std::string(text);
}

Parsed<std::string> parse_serial(std::string_view text) {
  const auto given = text.find(':') == std::string_view::npos ? plain_hex(text) : colon_hex(text);
  std::string digits = given.value_or("");
  while (digits.size() > 2 && digits.starts_with("00")) digits.erase(0, 2);
  if (digits.empty() || digits.size() > 2 * kSerialOctetsMax) {
    return wrong(
        text, R"(is not a serial number: write 1 to 20 octets in hex, as "0a1b2c" or "0A:1B:2C")");
  }
  return digits;
}

Parsed<std::string> parse_reason(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kReasons{
      "unspecified",        "keyCompromise",      "cACompromise",
      "affiliationChanged", "superseded",         "cessationOfOperation",
      "certificateHold",    "privilegeWithdrawn", "aACompromise"};
  if (std::ranges::find(kReasons, text) != kReasons.end()) return std::string(text);
  if (text == "removeFromCRL") {
    return wrong(text, "lifts a revocation: remove the entry instead");
  }
  std::string names;
  for (const std::string_view name : kReasons)
    names += (names.empty() ? "" : ", ") + std::string(name);
  return wrong(text, "is not a reason of RFC 5280 section 5.3.1: " + names);
}

Parsed<std::string> parse_label(std::string_view text) {
  const bool fits = !text.empty() && text.size() <= kLabelBytesMax && text.front() != '.' &&
                    std::ranges::all_of(text, [](char c) {
                      return is_digit(c) || is_letter(c) || c == '-' || c == '_' || c == '.';
                    });
  if (!fits) {
    return wrong(text, R"(is not a name: at most 64 letters, digits, "-", "_" and ".")");
  }
  return std::string(text);
}

}  // namespace revcache::config
