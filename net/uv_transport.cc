#include "net/uv_transport.h"

#include <utility>

#include "base/check.h"
#include "net/pending_operations.h"
#include "net/socket_address.h"
#include "net/tcp_stream.h"
#include "net/tls_context.h"
#include "net/tls_handshake.h"
#include "net/uv_handle.h"

namespace revcache::net {

namespace {

// Reasons that lie on this machine, not on the way or at the peer.
bool is_ours(int status) {
  return status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOBUFS ||
         status == UV_ENOMEM || status == UV_EADDRNOTAVAIL || status == UV_EACCES;
}

// One attempt to connect. Lives in `pending` until finish().
class Connecting : public std::enable_shared_from_this<Connecting> {
 public:
  Connecting(EventLoop& loop, PendingOperations& pending, const SocketAddress& address,
             ConnectDone done)
      : loop_(loop), pending_(pending), address_(address), done_(std::move(done)) {}

  void start(Timers& timers, std::chrono::milliseconds timeout) {
    pending_.add(shared_from_this());
    auto tcp = std::make_unique<uv_tcp_t>();
    CHECK(uv_tcp_init(loop_.uv_loop(), tcp.get()) == 0);
    handle_.reset(tcp.release());

    auto request = std::make_unique<Request>();
    request->uv.data = request.get();
    request->operation = weak_from_this();
    const KernelAddress kernel = to_kernel(address_);
    const int status = uv_tcp_connect(&request->uv, handle_.get(), kernel.get(), on_uv_connect);
    if (status != 0) return fail_later(status);
    static_cast<void>(request.release());  // on_uv_connect takes it back
    timer_ = timers.after(timeout, [this] { on_timeout(); });
  }

 private:
  // libuv calls back also when the attempt has been given up and closed.
  struct Request {
    uv_connect_t uv{};
    std::weak_ptr<Connecting> operation;
  };

  static void on_uv_connect(uv_connect_t* uv, int status) noexcept {
    const std::unique_ptr<Request> request(static_cast<Request*>(uv->data));
    static_cast<EventLoop*>(uv->handle->loop->data)->on_wakeup();
    if (const auto self = request->operation.lock()) self->on_connected(status);
  }

  void fail_later(int status) {
    loop_.post([weak = weak_from_this(), status] {
      if (const auto self = weak.lock()) self->on_connected(status);
    });
  }

  void on_connected(int status) {
    if (status != 0) {
      return finish(std::unexpected(
          Error{is_ours(status) ? ErrorCode::overloaded : ErrorCode::unreachable,
                is_ours(status) ? Blame::local : Blame::upstream,
                "connect to " + address_.to_string() + ": " + describe_uv_error(status)}));
    }
    // Small requests leave at once (no Nagle); failing that only delays them.
    uv_tcp_nodelay(handle_.get(), 1);
    auto stream = std::make_unique<TcpStream>(loop_, std::move(handle_), Blame::upstream);
    stream->set_peer_address(address_);
    finish(std::unique_ptr<Stream>(std::move(stream)));
  }

  void on_timeout() {
    handle_.reset();
    finish(fail(ErrorCode::timed_out, Blame::upstream,
                "connect to " + address_.to_string() + ": no answer in time"));
  }

  void finish(Result<std::unique_ptr<Stream>> outcome) {
    const auto self = shared_from_this();
    timer_.reset();
    pending_.remove(self);
    std::exchange(done_, nullptr)(std::move(outcome));
  }

  EventLoop& loop_;
  PendingOperations& pending_;
  SocketAddress address_;
  ConnectDone done_;
  UvHandle<uv_tcp_t> handle_;
  std::unique_ptr<Timer> timer_;
};

Result<TlsSession> start_session(const TlsClientContext* context, const std::string& server_name) {
  if (context == nullptr) {
    return fail(ErrorCode::unsupported, Blame::local, "no trusted certificates are loaded");
  }
  return TlsSession::client(*context, server_name);
}

}  // namespace

UvTransport::UvTransport(EventLoop& loop, std::shared_ptr<const TlsClientContext> tls)
    : loop_(loop),
      timers_(loop),
      tls_(std::move(tls)),
      pending_(std::make_unique<PendingOperations>()) {}

UvTransport::~UvTransport() = default;

void UvTransport::connect(const SocketAddress& address, std::chrono::milliseconds timeout,
                          ConnectDone done) {
  std::make_shared<Connecting>(loop_, *pending_, address, std::move(done))->start(timers_, timeout);
}

void UvTransport::set_tls(std::shared_ptr<const TlsClientContext> tls) { tls_ = std::move(tls); }

void UvTransport::start_tls(std::unique_ptr<Stream> tcp, const std::string& server_name,
                            std::chrono::milliseconds timeout, ConnectDone done) {
  auto session = start_session(tls_.get(), server_name);
  if (!session) {
    return pending_->answer_later<Result<std::unique_ptr<Stream>>>(
        loop_, std::move(done), std::unexpected(std::move(session).error()));
  }
  auto stream = std::make_unique<TlsStream>(loop_, std::move(tcp), std::move(*session));
  run_tls_handshake(timers_, *pending_, std::move(stream), timeout, std::move(done));
}

}  // namespace revcache::net
