#include "net/tls_acceptor.h"

#include <utility>

#include "base/check.h"
#include "net/pending_operations.h"
#include "net/tls_context.h"
#include "net/tls_handshake.h"

namespace revcache::net {

TlsAcceptor::TlsAcceptor(EventLoop& loop, std::shared_ptr<const TlsServerContext> context)
    : loop_(loop),
      timers_(loop),
      context_(std::move(context)),
      pending_(std::make_unique<PendingOperations>()) {
  CHECK(context_ != nullptr);
}

TlsAcceptor::~TlsAcceptor() = default;

void TlsAcceptor::accept(std::unique_ptr<Stream> tcp, std::chrono::milliseconds timeout,
                         ConnectDone done) {
  auto stream = std::make_unique<TlsStream>(loop_, std::move(tcp), TlsSession::server(*context_));
  run_tls_handshake(timers_, *pending_, std::move(stream), timeout, std::move(done));
}

void TlsAcceptor::set_context(std::shared_ptr<const TlsServerContext> context) {
  CHECK(context != nullptr);
  context_ = std::move(context);
}

}  // namespace revcache::net
