// Names of hosts, networks, certificates and reasons as they stand in the configuration, normalised
// so that no spelling gets around a rule. Parse and print are inverse. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/units.h"

namespace revcache::config {

// "127.0.0.1:3128", "[::1]:3128".
Parsed<SocketAddress> parse_listen_address(std::string_view text);
// "10.0.0.0/8", "fd00::/8", "::1".
Parsed<IpNetwork> parse_network(std::string_view text);

// "crl.example.com", "*.pki.azure.net", "[2001:db8::1]"; then nothing, ":8080" or ":*".
Parsed<DestinationPattern> parse_destination(std::string_view text);

// "host:port"; the port must be there.
Parsed<HostAndPort> parse_host_and_port(std::string_view text);
// "host" or "host:port"; without a port it is 0.
Parsed<HostAndPort> parse_host_maybe_port(std::string_view text);
std::string print_host_and_port(const HostAndPort& host);

// A host name or address without port, in lower case.
Parsed<std::string> parse_host_name(std::string_view text);
// The same, "host:port" allowed too.
Parsed<std::string> parse_host_text(std::string_view text);

// "http://…" or "https://…" without user and fragment.
Parsed<http::Uri> parse_url(std::string_view text);

// "http://proxy:8080", "http://user@proxy:8080" (RFC 3986 3.2.1, percent-encoding allowed). A
// password is refused: it belongs in a file.
Parsed<ParentProxy> parse_parent_proxy(std::string_view text);
std::string print_parent_proxy(const ParentProxy& proxy);

// A method's token (RFC 9110 9.1), case kept.
Parsed<std::string> parse_method(std::string_view text);

// A certificate's serial number, 1 to 20 octets (RFC 5280 4.1.2.2): hex digits in any case, with
// or without colons. Lower case, without leading zero octets.
Parsed<std::string> parse_serial(std::string_view text);

// A CRLReason of RFC 5280 5.3.1 that a certificate may be revoked for: all but removeFromCRL.
Parsed<std::string> parse_reason(std::string_view text);

// What becomes a metric label and part of a path: letters, digits, "-", "_", ".", at most 64.
Parsed<std::string> parse_label(std::string_view text);

}  // namespace revcache::config
