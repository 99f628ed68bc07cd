#include "proxy/upstream_route.h"

namespace revcache::proxy {

namespace {

std::string host_and_port(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

}  // namespace

std::string UpstreamRoute::authority() const { return host_and_port(host, port); }

std::string UpstreamRoute::pool_key() const {
  const std::string by = parent ? " by " + host_and_port(parent->host, parent->port) : "";
  if (absolute_form()) return "http" + by;
  return (tls ? "https " : "http ") + authority() + by;
}

UpstreamRoute route_to(const http::Uri& uri, const UpstreamSettings& settings) {
  UpstreamRoute route;
  route.host = uri.host();
  route.ip = uri.ip();
  route.port = uri.port();
  route.tls = uri.scheme() == http::Scheme::https;
  route.parent = settings.config->upstream.parent_proxy;
  route.tunnel = route.parent.has_value() && route.tls;
  route.label = settings.access->upstream_label(route.host, route.port);
  return route;
}

UpstreamRoute tunnel_to(std::string_view host, std::uint16_t port,
                        const UpstreamSettings& settings) {
  UpstreamRoute route;
  route.host = std::string(host);
  route.ip = IpAddress::parse(host);
  route.port = port;
  route.parent = settings.config->upstream.parent_proxy;
  route.tunnel = route.parent.has_value();
  route.label = settings.access->upstream_label(host, port);
  return route;
}

}  // namespace revcache::proxy
