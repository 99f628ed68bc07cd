// Request targets (RFC 9112 section 3.2) and what they name (RFC 3986), normalised so that no
// spelling of a host gets around an access rule. The path is kept byte for byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"

namespace revcache::http {

enum class Scheme : std::uint8_t { http, https };
std::string_view to_string(Scheme scheme) noexcept;
std::uint16_t default_port(Scheme scheme) noexcept;

// An absolute URI in normal form. Views point into the storage given to the parse function.
struct UriView {
  Scheme scheme = Scheme::http;
  std::string_view text;        // "http://host[:port]/path?query"; a default port is left out
  std::string_view host;        // lower case, no trailing dot; an IPv6 literal without brackets
  std::optional<IpAddress> ip;  // when the host is an address literal
  std::uint16_t port = 80;      // always set
  std::string_view path;        // path and query as received, at least "/"
  std::string_view authority;   // "host[:port]" inside text, as a Host field says it
};

// Owning form.
class Uri {
 public:
  Uri() = default;
  explicit Uri(const UriView& view);
  [[nodiscard]] UriView view() const noexcept;
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] Scheme scheme() const noexcept { return scheme_; }
  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] const std::optional<IpAddress>& ip() const noexcept { return ip_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string_view path() const noexcept;
  [[nodiscard]] std::string_view authority() const noexcept;

 private:
  std::string text_;
  std::string host_;
  Scheme scheme_ = Scheme::http;
  std::optional<IpAddress> ip_;
  std::uint16_t port_ = 80;
  std::uint16_t authority_at_ = 0;
  std::uint16_t path_at_ = 0;
};

// Refused (malformed, blame client): other schemes, userinfo, percent-encoding or non-ASCII in the
// host, an empty host, a host whose last label is a number but which is no strict dotted quad
// (decimal, octal, hex and short IPv4 spellings), zoned IPv6, port 0 or above 65535, labels over
// 63 or a name over 253 octets, a fragment.
// `storage` is overwritten and must outlive the view; with capacity to spare nothing is allocated.
Result<UriView> parse_absolute_form(std::string_view target, std::string& storage);

// Origin-form ("/path?query") with the value of Host.
Result<UriView> from_origin_form(std::string_view target, std::string_view host_value,
                                 Scheme scheme, std::string& storage);

// `reference` (a Location value) resolved against `base` (RFC 3986 section 5.2); dot segments are
// removed only where resolution asks for it. A fragment is dropped.
Result<Uri> resolve_reference(const Uri& base, std::string_view reference);

// host:port of CONNECT (RFC 9112 3.2.3) or of Host without scheme.
struct Authority {
  std::string host;  // normalised as above
  std::optional<IpAddress> ip;
  std::optional<std::uint16_t> port;
};
Result<Authority> parse_authority(std::string_view text);

}  // namespace revcache::http
