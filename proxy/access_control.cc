#include "proxy/access_control.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "metrics/metrics.h"

namespace revcache::proxy {

namespace {

using config::DestinationPattern;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

bool is_any_host(const DestinationPattern& pattern) noexcept {
  return pattern.host == "*" || (pattern.host.empty() && pattern.subdomains);
}

// "*.pki.azure.net" is every name below pki.azure.net at a label boundary, not the name itself.
bool host_matches(const DestinationPattern& pattern, std::string_view host) noexcept {
  if (is_any_host(pattern)) return true;
  if (!pattern.subdomains) return host == pattern.host;
  if (host.size() <= pattern.host.size() + 1 || !host.ends_with(pattern.host)) return false;
  return host[host.size() - pattern.host.size() - 1] == '.';
}

bool port_matches(const DestinationPattern& pattern, std::uint16_t port,
                  std::uint16_t default_port) noexcept {
  return pattern.any_port || port == pattern.port.value_or(default_port);
}

// Where no scheme is at hand either default port is the default.
bool matches_of_any_scheme(const DestinationPattern& pattern, std::string_view host,
                           std::uint16_t port) noexcept {
  return host_matches(pattern, host) &&
         (port_matches(pattern, port, kHttpPort) || port_matches(pattern, port, kHttpsPort));
}

bool is_mirror(const config::Mirror& mirror, std::string_view host, std::uint16_t port) noexcept {
  return std::ranges::any_of(mirror.hosts, [&](const config::HostAndPort& named) {
    const bool by_default = named.port == 0 && (port == kHttpPort || port == kHttpsPort);
    return host == named.host && (by_default || port == named.port);
  });
}

bool is_unspecified(const IpAddress& address) noexcept {
  return std::ranges::all_of(address.octets(), [](auto octet) { return octet == 0; });
}

}  // namespace

AccessControl::AccessControl(const config::Config& config,
                             const std::vector<SocketAddress>& listeners,
                             const std::vector<IpAddress>& local_addresses)
    : access_(config.access),
      own_names_(config.listen.names),
      listeners_(listeners),
      local_addresses_(local_addresses),
      mirrors_(config.mirrors) {
  if (config.upstream.parent_proxy) {
    parent_proxy_ = {config.upstream.parent_proxy->host, config.upstream.parent_proxy->port};
  }
  for (const auto& mirror : mirrors_) {
    mirror_labels_.push_back(mirror.hosts.empty() ? metrics::kUpstreamLabelsMax
                                                  : add_label(mirror.hosts.front().host));
  }
  for (const auto& pattern : access_.destinations) {
    pattern_labels_.push_back(add_label(pattern.text));
  }
  labels_.emplace_back("other");
}

// The label's index. Equal texts share one, and what no longer fits is "other".
std::size_t AccessControl::add_label(const std::string& text) {
  if (text == "other") return metrics::kUpstreamLabelsMax;
  const auto known = std::ranges::find(labels_, text);
  const auto index = static_cast<std::size_t>(known - labels_.begin());
  if (known != labels_.end()) return index;
  if (labels_.size() + 1 >= metrics::kUpstreamLabelsMax) return metrics::kUpstreamLabelsMax;
  labels_.push_back(text);
  return index;
}

bool AccessControl::client_allowed(const IpAddress& client) const noexcept {
  return std::ranges::any_of(access_.clients,
                             [&](const auto& network) { return network.contains(client); });
}

bool AccessControl::method_allowed(std::string_view method) const noexcept {
  return std::ranges::find(access_.methods, method) != access_.methods.end();
}

bool AccessControl::is_named(std::string_view host, std::uint16_t port,
                             std::uint16_t default_port) const noexcept {
  const auto same = [&](const config::HostAndPort& named) {
    return host == named.host && port == (named.port == 0 ? default_port : named.port);
  };
  return std::ranges::any_of(access_.named_destinations, same) ||
         std::ranges::any_of(
             mirrors_, [&](const auto& mirror) { return std::ranges::any_of(mirror.hosts, same); });
}

Destination AccessControl::destination(http::Scheme scheme, std::string_view host,
                                       std::uint16_t port) const noexcept {
  const auto default_port = http::default_port(scheme);
  const bool listed = std::ranges::any_of(access_.destinations, [&](const auto& pattern) {
    return host_matches(pattern, host) && port_matches(pattern, port, default_port);
  });
  if (listed || is_named(host, port, default_port)) return Destination::allowed;
  return access_.other_destinations == config::OtherDestinations::pass ? Destination::pass
                                                                       : Destination::denied;
}

bool AccessControl::connect_allowed(std::string_view host, std::uint16_t port) const noexcept {
  return std::ranges::any_of(access_.connect, [&](const auto& allowed) {
    return host == allowed.host && port == allowed.port;
  });
}

// Whether a connection to `address` would end at `listener`.
bool AccessControl::answers_at(const SocketAddress& listener,
                               const SocketAddress& address) const noexcept {
  if (listener.port != address.port || listener.ip.is_v4() != address.ip.is_v4()) return false;
  if (listener.ip == address.ip) return true;
  // Connecting to 0.0.0.0 or :: reaches this machine by its loopback.
  const bool to_itself = address.ip.is_loopback() || is_unspecified(address.ip);
  if (!is_unspecified(listener.ip)) {
    return is_unspecified(address.ip) && listener.ip.is_loopback();
  }
  return to_itself || std::ranges::find(local_addresses_, address.ip) != local_addresses_.end();
}

bool AccessControl::is_own_listener(const SocketAddress& address) const noexcept {
  return std::ranges::any_of(listeners_,
                             [&](const auto& listener) { return answers_at(listener, address); });
}

Result<void> AccessControl::not_own_listener(const SocketAddress& address) const {
  if (!is_own_listener(address)) return {};
  return fail(ErrorCode::loop_detected, Blame::client,
              address.to_string() + " is a listener of this proxy");
}

Result<void> AccessControl::address_allowed(const SocketAddress& address) const {
  auto own = not_own_listener(address);
  if (!own) return own;
  if (!address.ip.is_private()) return {};
  const bool excepted =
      std::ranges::any_of(access_.allow_private_destinations,
                          [&](const auto& network) { return network.contains(address.ip); });
  if (excepted) return {};
  return fail(
      ErrorCode::refused, Blame::client,
      address.ip.to_string() + " is a private address, not in access.allow_private_destinations");
}

bool AccessControl::is_parent_proxy(std::string_view host, std::uint16_t port) const noexcept {
  return parent_proxy_.port != 0 && port == parent_proxy_.port && host == parent_proxy_.host;
}

std::size_t AccessControl::upstream_label(std::string_view host,
                                          std::uint16_t port) const noexcept {
  const auto other = labels_.size() - 1;
  for (std::size_t i = 0; i < mirrors_.size(); ++i) {
    if (is_mirror(mirrors_[i], host, port)) return std::min(mirror_labels_[i], other);
  }
  // An exact pattern says more than a wildcard that also matches.
  std::optional<std::size_t> wildcard;
  for (std::size_t i = 0; i < access_.destinations.size(); ++i) {
    const auto& pattern = access_.destinations[i];
    if (!matches_of_any_scheme(pattern, host, port)) continue;
    const auto label = std::min(pattern_labels_[i], other);
    if (!pattern.subdomains && !is_any_host(pattern)) return label;
    if (!wildcard) wildcard = label;
  }
  return wildcard.value_or(other);
}

bool AccessControl::is_own_name(std::string_view host, std::uint16_t port) const noexcept {
  if (const auto ip = IpAddress::parse(host)) return is_own_listener({*ip, port});
  const bool own_port =
      std::ranges::any_of(listeners_, [&](const auto& listener) { return listener.port == port; });
  if (host == "localhost") {
    return is_own_listener({IpAddress::v4({127, 0, 0, 1}), port}) ||
           is_own_listener({IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), port});
  }
  const bool configured = std::ranges::find(own_names_, host) != own_names_.end();
  return configured && (own_port || port == kHttpPort || port == kHttpsPort);
}

bool AccessControl::is_own_host(std::string_view host) const noexcept {
  return std::ranges::any_of(
      listeners_, [&](const auto& listener) { return is_own_name(host, listener.port); });
}

}  // namespace revcache::proxy
