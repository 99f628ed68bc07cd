#include "proxy/router.h"

#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "proxy/upstream_request.h"

namespace revcache::proxy {

using http::FieldId;
using http::Method;

namespace {

Route refuse(std::uint16_t status, std::string text, metrics::Denial denial) {
  return RefusedRoute{
      .reply = {.status = status, .text = std::move(text), .allow = {}, .cache_status = {}},
      .denial = denial};
}

Route malformed(std::string_view what, const Error& error) {
  return RefusedRoute{.reply = {.status = 400,
                                .text = std::string(what) + ": " + error.detail,
                                .close = true,
                                .allow = {},
                                .cache_status = {}},
                      .counted = false};
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* begin = std::to_address(text.begin());
  const auto* end = std::to_address(text.end());
  const auto [at, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || at != end || text.empty()) return std::nullopt;
  return value;
}

// RFC 9110 7.6.2: OPTIONS and TRACE that may go no further are answered here.
bool ends_here(const http::RequestHead& head) {
  if (head.method != Method::options && head.method != Method::trace) return false;
  const auto value = head.fields.find(FieldId::max_forwards);
  return value && number(*value) == std::optional<std::uint64_t>(0);
}

Route route_connect(const http::RequestHead& head, const AccessControl& access) {
  auto authority = http::parse_authority(head.target);
  if (!authority) return malformed("CONNECT", authority.error());
  if (!authority->port) {
    return malformed("CONNECT", {ErrorCode::malformed, Blame::client, "the port is missing"});
  }
  if (!access.connect_allowed(authority->host, *authority->port)) {
    return refuse(403,
                  "CONNECT to " + authority->host + ":" + std::to_string(*authority->port) +
                      " is not allowed: see access.connect",
                  metrics::Denial::connect);
  }
  return ConnectRoute{std::move(authority->host), *authority->port};
}

Route route_uri(const http::UriView& uri, const AccessControl& access, bool reverse) {
  const auto destination = access.destination(uri.scheme, uri.host, uri.port);
  if (destination != Destination::denied) {
    return ForwardRoute{uri, destination == Destination::pass};
  }
  const auto authority = std::string(uri.host) + ":" + std::to_string(uri.port);
  if (reverse) {
    // RFC 9110 15.5.20.
    return refuse(421,
                  authority +
                      " is neither a name of this proxy nor an allowed destination: see "
                      "listen.names and access.destinations",
                  metrics::Denial::destination);
  }
  return refuse(403, authority + " is not an allowed destination: see access.destinations",
                metrics::Denial::destination);
}

Route route_origin_form(const http::RequestHead& head, const AccessControl& access,
                        std::string& storage) {
  const auto host = head.fields.find(FieldId::host);
  if (!host || host->empty()) return OwnRoute{head.target};
  auto uri = http::from_origin_form(head.target, *host, http::Scheme::http, storage);
  if (!uri) return malformed("Request target", uri.error());
  if (access.is_own_name(uri->host, uri->port)) return OwnRoute{head.target};
  // OpenSSL's ocsp and GnuTLS' ocsptool leave the port out of Host. Another service of this machine
  // is meant only where it is an allowed destination.
  const bool portless = uri->port == http::default_port(http::Scheme::http);
  if (portless && access.is_own_host(uri->host) &&
      access.destination(uri->scheme, uri->host, uri->port) != Destination::allowed) {
    return OwnRoute{head.target};
  }
  return route_uri(*uri, access, true);
}

}  // namespace

Route route(const http::RequestHead& head, const AccessControl& access,
            std::string_view instance_id, std::string& storage) {
  if (head.method == Method::connect) return route_connect(head, access);
  if (!access.method_allowed(head.method_text)) {
    auto refused =
        refuse(405, "This method is not allowed: see access.methods", metrics::Denial::method);
    std::get<RefusedRoute>(refused).reply.allow = allow_value(access);
    return refused;
  }
  if (head.fields.has(FieldId::cdn_loop)) {
    const auto loop = head.fields.combined(FieldId::cdn_loop);
    if (loop && is_looped(*loop, instance_id)) {
      return refuse(508, "This request has been here before (CDN-Loop)", metrics::Denial::loop);
    }
  }
  if (head.target == "*") {
    if (head.method == Method::options) return FinalRoute{};
    return malformed("Request target",
                     {ErrorCode::malformed, Blame::client, "\"*\" is for OPTIONS"});
  }
  if (ends_here(head)) return FinalRoute{};
  if (head.target.starts_with('/')) return route_origin_form(head, access, storage);
  auto uri = http::parse_absolute_form(head.target, storage);
  if (!uri) return malformed("Request target", uri.error());
  return route_uri(*uri, access, false);
}

std::string allow_value(const AccessControl& access) {
  std::string value;
  for (const auto& method : access.methods()) {
    if (!value.empty()) value += ", ";
    value += method;
  }
  return value;
}

}  // namespace revcache::proxy
