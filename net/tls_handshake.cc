#include "net/tls_handshake.h"

#include <utility>

namespace revcache::net {

namespace {

// Lives in `pending` until finish().
class TlsHandshake : public std::enable_shared_from_this<TlsHandshake> {
 public:
  TlsHandshake(PendingOperations& pending, std::unique_ptr<TlsStream> stream, ConnectDone done)
      : pending_(pending), stream_(std::move(stream)), done_(std::move(done)) {}

  void start(Timers& timers, std::chrono::milliseconds timeout, Blame blame) {
    pending_.add(shared_from_this());
    timer_ = timers.after(timeout, [this, blame] {
      finish(fail(ErrorCode::timed_out, blame, "TLS handshake: no answer in time"));
    });
    stream_->handshake([this](Result<void> outcome) { finish(std::move(outcome)); });
  }

 private:
  void finish(Result<void> outcome) {
    const auto self = shared_from_this();
    timer_.reset();
    pending_.remove(self);
    auto done = std::exchange(done_, nullptr);
    std::unique_ptr<Stream> stream = std::move(stream_);
    if (outcome) return done(std::move(stream));
    stream.reset();
    done(std::unexpected(std::move(outcome).error()));
  }

  PendingOperations& pending_;
  std::unique_ptr<TlsStream> stream_;
  ConnectDone done_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace

void run_tls_handshake(Timers& timers, PendingOperations& pending,
                       std::unique_ptr<TlsStream> stream, std::chrono::milliseconds timeout,
                       ConnectDone done) {
  const Blame blame = stream->blame();
  std::make_shared<TlsHandshake>(pending, std::move(stream), std::move(done))
      ->start(timers, timeout, blame);
}

}  // namespace revcache::net
