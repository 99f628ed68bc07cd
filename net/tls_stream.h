// TLS over any stream. Private to net/: others hold it as Stream.
#pragma once

#include <memory>

#include "net/executor.h"
#include "net/stream.h"
#include "net/tls_session.h"

namespace revcache::net {

// Owns the stream below it. An end of that stream without close_notify is an error (disconnected):
// somebody may have cut off the rest. Destroying this sends no close_notify, so that the peer can
// tell a broken-off answer from a complete one; shutdown_write() does.
class TlsStream final : public Stream, private StreamReader {
 public:
  // What one try_write encrypts at most; encrypted bytes that the socket does not take are queued.
  static constexpr std::size_t kTryWriteBytesMax = std::size_t{64} * 1024;

  TlsStream(Executor& executor, std::unique_ptr<Stream> below, TlsSession session);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override;

  // Once, before anything else. `done` may destroy the stream.
  void handshake(Callback<Result<void>> done);

  // Whose fault a failure is: the side of the proxy that the peer is on.
  [[nodiscard]] Blame blame() const noexcept { return session_.blame(); }

  void start_reading(StreamReader& reader) override;
  void stop_reading() override;
  std::size_t try_write(std::span<const std::string_view> pieces) override;
  void write(std::vector<SharedBytes> pieces, Callback<Result<void>> done) override;
  void shutdown_write() override;
  [[nodiscard]] SocketAddress peer_address() const override { return below_->peer_address(); }
  [[nodiscard]] SocketAddress local_address() const override { return below_->local_address(); }

 private:
  void on_read(std::string_view chunk) override;
  void on_read_end() override;
  void on_read_error(Error error) override;

  void advance_handshake();
  void end_handshake(Result<void> outcome);
  void read_more();
  bool deliver();
  void end_reading(Error error);
  void send_output();

  Executor& executor_;
  TlsSession session_;
  Callback<Result<void>> handshake_done_;  // null: complete
  StreamReader* reader_ = nullptr;         // null: not reading
  std::size_t unsent_ = 0;                 // writes that the stream below has not finished
  bool read_finished_ = false;
  bool write_finished_ = false;
  std::shared_ptr<TlsStream*> life_;  // tells a callback or a posted task whether this still is
  std::unique_ptr<Stream> below_;     // goes first, with the callbacks that refer to this
};

}  // namespace revcache::net
