#include "proxy/admin_port.h"

#include <utility>

#include "admin/token.h"
#include "net/tls_context.h"

namespace revcache::proxy {

namespace {

constexpr std::chrono::milliseconds kTlsHandshakeTimeout{10000};

Result<admin::AccessRules> access_rules(const config::Config& config) {
  auto token = admin::configured_token(config);
  if (!token) return fail(std::move(token));
  const bool open_to_read = config.listen.admin.ip.is_loopback();
  return admin::AccessRules{.names = config.listen.names,
                            .token = open_to_read ? std::string() : *token,
                            .change_token = *token};
}

}  // namespace

AdminPort::AdminPort(const Parts& parts, admin::AccessRules rules, admin::AdminSources sources,
                     std::shared_ptr<AdminOperations> operations)
    : operations_(std::move(operations)),
      server_({parts.timers, parts.work, parts.loop}, {.rules = std::move(rules)},
              std::move(sources)) {}

AdminPort::~AdminPort() { operations_->stop(); }

Result<std::unique_ptr<AdminPort>> AdminPort::open(const Parts& parts,
                                                   std::shared_ptr<const config::Config> settings,
                                                   admin::AdminSources sources) {
  const config::Config& config = *settings;
  auto rules = access_rules(config);
  if (!rules) return fail(std::move(rules));
  auto operations = std::make_shared<AdminOperations>(
      AdminOperations::Parts{parts.loop, parts.timers, parts.clock, parts.log, parts.revocation,
                             parts.refresher, parts.cache, parts.disk, parts.hash_seed,
                             parts.responder_table, parts.status},
      std::move(settings));
  sources.operations = operations;
  std::unique_ptr<AdminPort> port(
      new AdminPort(parts, std::move(*rules), std::move(sources), std::move(operations)));
  if (!config.listen.tls_certificate.empty()) {
    auto context =
        net::TlsServerContext::load(config.listen.tls_certificate, config.listen.tls_key);
    if (!context) return fail(std::move(context));
    port->tls_ = std::make_unique<net::TlsAcceptor>(parts.loop, std::move(*context));
  }
  auto listener = net::Listener::open(parts.loop, config.listen.admin, {},
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

Result<void> AdminPort::apply(std::shared_ptr<const config::Config> config) {
  auto rules = access_rules(*config);
  operations_->apply(std::move(config));
  if (!rules) return fail(std::move(rules));
  server_.apply(std::move(*rules));
  return {};
}

}  // namespace revcache::proxy
