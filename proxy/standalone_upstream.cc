#include "proxy/standalone_upstream.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/random_seed.h"
#include "http/uri.h"
#include "metrics/log.h"
#include "metrics/metrics.h"
#include "net/uv_resolver.h"
#include "net/uv_timers.h"
#include "net/uv_transport.h"
#include "proxy/upstream_client.h"

namespace revcache::proxy {
namespace {

constexpr std::chrono::seconds kConnectTimeout{5};
// A fetch's own timeout is what bounds an attempt: there is no second host to leave time for.
constexpr std::chrono::seconds kAttemptTimeout{60};

std::string instance_id() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id = "revcache-";
  std::uint64_t seed = draw_random_seed();
  for (int digit = 0; digit < 16; ++digit, seed >>= 4U) id += kDigits[seed & 0xfU];
  return id;
}

IpNetwork all_of(const char* text) { return IpNetwork::parse(text).value(); }

UpstreamSettings settings_for(const std::optional<config::ParentProxy>& via) {
  config::Config config;
  config.access.other_destinations = config::OtherDestinations::pass;
  config.access.allow_private_destinations = {all_of("0.0.0.0/0"), all_of("::/0")};
  config.upstream.parent_proxy = via;
  config.upstream.connect_timeout = kConnectTimeout;
  config.upstream.attempt_timeout = kAttemptTimeout;
  const std::vector<SocketAddress> no_listeners;
  const std::vector<IpAddress> no_addresses;
  auto access = std::make_shared<const AccessControl>(config, no_listeners, no_addresses);
  return {std::make_shared<const config::Config>(std::move(config)), std::move(access)};
}

Result<std::optional<config::ParentProxy>> parse_via(std::string_view via) {
  if (via.empty()) return std::nullopt;
  std::string storage;
  const auto uri = http::parse_absolute_form(via, storage);
  if (!uri || uri->scheme != http::Scheme::http || uri->path != "/") {
    return fail(ErrorCode::malformed, Blame::client,
                "the proxy is to be written as http://host:port");
  }
  config::ParentProxy parent;
  parent.host = std::string(uri->host);
  parent.port = uri->port;
  return parent;
}

}  // namespace

// Members in order of dependence: destroyed from the last to the first.
struct StandaloneUpstream::Parts {
  explicit Parts(UpstreamSettings settings)
      : client({transport, *resolver, timers, loop, *metrics, log, instance_id()},
               std::move(settings)) {}

  net::EventLoop loop;
  net::UvTimers timers{loop};
  std::unique_ptr<metrics::LoopMetrics> metrics = std::make_unique<metrics::LoopMetrics>();
  metrics::NullLog log;
  std::unique_ptr<net::UvResolver> resolver = net::UvResolver::open(loop, {}).value();
  net::UvTransport transport{loop};
  UpstreamClient client;
};

StandaloneUpstream::StandaloneUpstream(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

StandaloneUpstream::~StandaloneUpstream() = default;

Result<std::unique_ptr<StandaloneUpstream>> StandaloneUpstream::open(std::string_view via) {
  auto parent = parse_via(via);
  if (!parent) return fail(std::move(parent));
  auto parts = std::make_unique<Parts>(settings_for(*parent));
  return std::unique_ptr<StandaloneUpstream>(new StandaloneUpstream(std::move(parts)));
}

net::EventLoop& StandaloneUpstream::loop() noexcept { return parts_->loop; }

cache::Origin& StandaloneUpstream::origin() noexcept { return parts_->client; }

}  // namespace revcache::proxy
