// The way to an origin: directly, or by the parent proxy. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "http/uri.h"
#include "proxy/upstream_client.h"

namespace revcache::proxy {

struct UpstreamRoute {
  std::string host;  // of the origin; normalised, an IPv6 literal without brackets
  std::optional<IpAddress> ip;
  std::uint16_t port = 80;
  bool tls = false;
  std::optional<config::ParentProxy> parent;
  bool tunnel = false;    // by CONNECT through the parent
  std::size_t label = 0;  // of metrics

  // Requests to a parent name the whole URI (RFC 9112 3.2.2), but not inside a tunnel.
  [[nodiscard]] bool absolute_form() const noexcept { return parent.has_value() && !tunnel; }
  // "host:port" of the origin; IPv6 in brackets.
  [[nodiscard]] std::string authority() const;
  // Connections with equal keys can stand in for each other: plain ones to a parent carry
  // requests for any origin.
  [[nodiscard]] std::string pool_key() const;
};

// For a fetch of `uri`.
UpstreamRoute route_to(const http::Uri& uri, const UpstreamSettings& settings);
// For bytes of unknown meaning: CONNECT from a client. TLS, if any, is the client's own.
UpstreamRoute tunnel_to(std::string_view host, std::uint16_t port,
                        const UpstreamSettings& settings);

}  // namespace revcache::proxy
