// Who may ask, for what, and which addresses may be connected to: [access] as one immutable value.
// Any thread may read it; a reload makes a new one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "config/config.h"
#include "http/uri.h"

namespace revcache::proxy {

enum class Destination : std::uint8_t { allowed, pass, denied };

class AccessControl {
 public:
  // `listeners`: the addresses our own ports are bound to, never to be connected to. A wildcard
  // listener stands for every address in `local_addresses` (the machine's own).
  AccessControl(const config::Config& config, const std::vector<SocketAddress>& listeners,
                const std::vector<IpAddress>& local_addresses);

  [[nodiscard]] bool client_allowed(const IpAddress& client) const noexcept;
  [[nodiscard]] bool method_allowed(std::string_view method) const noexcept;
  [[nodiscard]] const std::vector<std::string>& methods() const noexcept { return access_.methods; }

  // By normalised name (or address literal) and port. No allocation.
  [[nodiscard]] Destination destination(http::Scheme scheme, std::string_view host,
                                        std::uint16_t port) const noexcept;
  [[nodiscard]] bool connect_allowed(std::string_view host, std::uint16_t port) const noexcept;

  // The address that is about to be connected to, after name resolution, on every hop. Fails with
  // refused (blame client), or loop_detected for a listener of our own; the detail names the rule.
  [[nodiscard]] Result<void> address_allowed(const SocketAddress& address) const;
  // The part of it that holds for a parent proxy's address too, which may be private: fails with
  // loop_detected for a listener of our own.
  [[nodiscard]] Result<void> not_own_listener(const SocketAddress& address) const;
  // True for the parent proxy's name and port: exempt from the private-address rule.
  [[nodiscard]] bool is_parent_proxy(std::string_view host, std::uint16_t port) const noexcept;

  // Index into upstream_labels() for metrics: the configured pattern or mirror group; the last
  // label is "other".
  [[nodiscard]] std::size_t upstream_label(std::string_view host,
                                           std::uint16_t port) const noexcept;
  [[nodiscard]] const std::vector<std::string>& upstream_labels() const noexcept { return labels_; }

  // True when the host and port of an origin-form request name ourselves: a configured name (with
  // a port of ours, or the scheme's default as a load balancer shows it), or an address and port
  // that one of our listeners answers at. Another port is another service on the same machine.
  [[nodiscard]] bool is_own_name(std::string_view host, std::uint16_t port) const noexcept;
  // The same for some port of ours: for clients that leave it out of Host.
  [[nodiscard]] bool is_own_host(std::string_view host) const noexcept;

 private:
  [[nodiscard]] bool is_named(std::string_view host, std::uint16_t port,
                              std::uint16_t default_port) const noexcept;
  [[nodiscard]] bool answers_at(const SocketAddress& listener,
                                const SocketAddress& address) const noexcept;
  [[nodiscard]] bool is_own_listener(const SocketAddress& address) const noexcept;
  std::size_t add_label(const std::string& text);

  config::Access access_;
  std::vector<std::string> own_names_;
  std::vector<SocketAddress> listeners_;
  std::vector<IpAddress> local_addresses_;
  std::vector<config::Mirror> mirrors_;
  config::HostAndPort parent_proxy_;
  std::vector<std::string> labels_;
  std::vector<std::size_t> pattern_labels_;  // beside access_.destinations
  std::vector<std::size_t> mirror_labels_;   // beside mirrors_
};

}  // namespace revcache::proxy
