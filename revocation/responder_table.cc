#include "revocation/responder_table.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "http/characters.h"

namespace revcache::revocation {
namespace {

// Of an OCSP URL that names none: RFC 6960 A.1 speaks of http.
constexpr std::uint16_t kHttpPort = 80;

struct HostAndPort {
  std::string_view host;  // without the brackets of an IPv6 address
  std::uint16_t port = kHttpPort;
};

HostAndPort split(std::string_view text) noexcept {
  HostAndPort parts{.host = text};
  const std::size_t colon = text.rfind(':');
  const bool is_bare_ipv6 = colon != text.find(':') && !text.starts_with('[');
  if (colon != std::string_view::npos && !is_bare_ipv6 && !text.ends_with(']')) {
    const std::string_view digits = text.substr(colon + 1);
    const char* const end = digits.end();
    const auto read = std::from_chars(digits.begin(), end, parts.port);
    // A port that is none is nobody's.
    if (read.ec != std::errc() || read.ptr != end) return {.host = {}, .port = 0};
    parts.host = text.substr(0, colon);
  }
  if (parts.host.starts_with('[') && parts.host.ends_with(']')) {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

bool same_host(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, {}, http::to_lower, http::to_lower);
}

}  // namespace

bool SigningAuthority::answers_for_host(std::string_view host, std::uint16_t port) const noexcept {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return false;
  return std::ranges::any_of(responder_hosts, [&](const std::string& text) {
    const HostAndPort ours = split(text);
    return ours.port == port && same_host(ours.host, host);
  });
}

Decision SigningAuthority::decide(const Snapshot& known, const Issuer& issuer, ByteView serial,
                                  const Standing& standing, WallTime now) const {
  Decision decision = revocation::decide(known, issuer, policy, serial, standing, now);
  if (!decision.is_signed() || signs_at(now)) return decision;
  return {.rule = Rule::signer_unusable, .why = "its signer cannot be used now: see the log"};
}

const SigningAuthority* ResponderTable::find(const pki::KeyHash& key) const noexcept {
  const auto found = std::ranges::find(authorities, key, &SigningAuthority::key);
  return found == authorities.end() ? nullptr : &*found;
}

const SigningAuthority* ResponderTable::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(authorities, name, &SigningAuthority::name);
  return found == authorities.end() ? nullptr : &*found;
}

bool ResponderTable::answers_for_host(std::string_view host, std::uint16_t port) const noexcept {
  return std::ranges::any_of(authorities, [&](const SigningAuthority& authority) {
    return authority.answers_for_host(host, port);
  });
}

}  // namespace revcache::revocation
