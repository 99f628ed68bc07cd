#include "proxy/admin_port.h"

#include <utility>

#include "admin/token.h"
#include "net/tls_context.h"

namespace revcache::proxy {

namespace {

constexpr std::chrono::milliseconds kTlsHandshakeTimeout{10000};

Result<admin::AccessRules> access_rules(const config::Config& config) {
  auto token = admin::required_token(config);
  if (!token) return fail(std::move(token));
  return admin::AccessRules{config.listen.names, std::move(*token)};
}

}  // namespace

AdminPort::AdminPort(net::EventLoop& loop, net::Timers& timers, net::BackgroundWork& work,
                     admin::AccessRules rules, admin::AdminSources sources)
    : server_({timers, work, loop}, {.rules = std::move(rules)}, std::move(sources)) {}

Result<std::unique_ptr<AdminPort>> AdminPort::open(net::EventLoop& loop, net::Timers& timers,
                                                   net::BackgroundWork& work,
                                                   const config::Config& config,
                                                   admin::AdminSources sources) {
  auto rules = access_rules(config);
  if (!rules) return fail(std::move(rules));
  std::unique_ptr<AdminPort> port(
      new AdminPort(loop, timers, work, std::move(*rules), std::move(sources)));
  if (!config.listen.tls_certificate.empty()) {
    auto context =
        net::TlsServerContext::load(config.listen.tls_certificate, config.listen.tls_key);
    if (!context) return fail(std::move(context));
    port->tls_ = std::make_unique<net::TlsAcceptor>(loop, std::move(*context));
  }
  auto listener = net::Listener::open(loop, config.listen.admin, {},
                                      [opened = port.get()](std::unique_ptr<net::Stream> stream) {
                                        opened->accept(std::move(stream));
                                      });
  if (!listener) return fail(std::move(listener));
  port->listener_ = std::move(*listener);
  return port;
}

void AdminPort::accept(std::unique_ptr<net::Stream> stream) {
  if (tls_ == nullptr) return server_.accept(std::move(stream));
  tls_->accept(std::move(stream), kTlsHandshakeTimeout, [this](auto secured) {
    if (secured) server_.accept(std::move(*secured));
  });
}

Result<void> AdminPort::apply(const config::Config& config) {
  auto rules = access_rules(config);
  if (!rules) return fail(std::move(rules));
  server_.apply(std::move(*rules));
  return {};
}

}  // namespace revcache::proxy
