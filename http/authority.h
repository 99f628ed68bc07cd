// The authority part of a URI, which is also what Host holds:
//   authority = host [ ":" port ]       (RFC 3986 section 3.2, without userinfo: RFC 9110 4.2.4)
//   host      = "[" IPv6address "]" / IPv4address / reg-name
// Refused on purpose: userinfo, percent-encoding, characters that no name in DNS has, empty labels,
// IPvFuture, zones, and numbers that some resolvers take for IPv4 addresses ("0x7f.1",
// "017700000001"). Pure, allocates nothing; internal to http/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"

namespace revcache::http {

// Views into the text that was parsed.
struct AuthorityParts {
  std::string_view name;  // as written, without the trailing dot; empty when `ip` is set
  std::optional<IpAddress> ip;
  std::optional<std::uint16_t> port;  // nullopt when absent or empty ("host:")
};

// Gives why `text` is refused: a static string, empty when `parts` was filled.
std::string_view parse_authority_parts(std::string_view text, AuthorityParts& parts) noexcept;

// The host in normal form: lower case, addresses as IpAddress::to_string, without brackets.
void append_host(const AuthorityParts& parts, std::string& out);

// ":8080"
void append_port(std::uint16_t port, std::string& out);

}  // namespace revcache::http
