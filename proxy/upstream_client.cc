#include "proxy/upstream_client.h"

#include <utility>

#include "proxy/upstream_context.h"
#include "proxy/upstream_fetch.h"

namespace revcache::proxy {

namespace {

// What the client of Origin holds: letting go of it cancels.
class FetchHandle final : public cache::OriginExchange {
 public:
  explicit FetchHandle(std::shared_ptr<UpstreamFetch> fetch) : fetch_(std::move(fetch)) {}
  FetchHandle(const FetchHandle&) = delete;
  FetchHandle& operator=(const FetchHandle&) = delete;
  ~FetchHandle() override { fetch_->cancel(); }

  void pause() override { fetch_->pause(); }
  void resume() override { fetch_->resume(); }
  void send_body(std::string_view piece, bool last) override { fetch_->send_body(piece, last); }

 private:
  std::shared_ptr<UpstreamFetch> fetch_;
};

}  // namespace

UpstreamClient::UpstreamClient(UpstreamEnvironment environment, UpstreamSettings settings)
    : context_(std::make_shared<UpstreamContext>(std::move(environment), std::move(settings))) {}

UpstreamClient::~UpstreamClient() {
  for (const auto& tunnel : context_->tunnels) {
    if (const auto dial = tunnel.lock()) dial->cancel();
  }
  context_->pool.close_idle();
}

std::unique_ptr<cache::OriginExchange> UpstreamClient::fetch(cache::OriginRequest request,
                                                             cache::OriginSink& sink) {
  auto fetch = std::make_shared<UpstreamFetch>(context_, std::move(request), sink);
  fetch->start();
  return std::make_unique<FetchHandle>(std::move(fetch));
}

void UpstreamClient::connect(const std::string& host, std::uint16_t port, net::ConnectDone done) {
  const auto& settings = context_->settings;
  const auto deadline = context_->environment.clock.monotonic() + settings.config->upstream.timeout;
  auto dial = std::make_shared<UpstreamDial>(
      context_->environment, settings, tunnel_to(host, port, settings), deadline, std::move(done));
  std::erase_if(context_->tunnels, [](const auto& known) { return known.expired(); });
  context_->tunnels.push_back(dial);
  dial->start();
}

void UpstreamClient::apply(UpstreamSettings settings) {
  context_->settings = std::move(settings);
  context_->mirrors = UpstreamMirrors(context_->settings.config->mirrors);
  context_->pool.apply(context_->settings.config->limits);
}

void UpstreamClient::close_idle() { context_->pool.close_idle(); }

}  // namespace revcache::proxy
