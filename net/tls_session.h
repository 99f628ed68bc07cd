// TLS without sockets: ciphertext and plaintext in, plaintext and ciphertext out. Never waits.
// Private to net/.
//
//   session.feed(bytes from the peer);
//   … handshake(), then read() and write() …
//   send(session.take_output());        // after each of them
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls_context.h"

namespace revcache::net {

// The newest reason in this thread's queue of OpenSSL, which is emptied.
[[nodiscard]] std::string take_openssl_error();

class TlsSession {
 public:
  enum class ReadKind : std::uint8_t {
    data,        // `bytes` were decrypted; there may be more
    wants_more,  // of the peer's bytes
    closed,      // close_notify: the peer has finished sending
  };
  struct ReadOutcome {
    ReadKind kind = ReadKind::wants_more;
    std::size_t bytes = 0;
  };

  // `server_name`: a host name (sent by SNI, RFC 6066 3) or an IP address literal (not sent); the
  // peer's certificate must be valid for it. Fails with malformed when it can be neither.
  static Result<TlsSession> client(const TlsClientContext& context, const std::string& server_name);
  static TlsSession server(const TlsServerContext& context);

  // True when complete, false when it needs more of the peer's bytes. On failure there may be
  // output: the alert.
  Result<bool> handshake();

  void feed(std::string_view ciphertext);
  // Something was fed that read() has not yet given.
  [[nodiscard]] bool has_unread_input() const;
  Result<ReadOutcome> read(std::span<char> into);

  // Encrypts all of it.
  Result<void> write(std::string_view plaintext);
  // close_notify: nothing is written after it.
  void close_write();

  // Ciphertext to send, in order; empty when there is none.
  [[nodiscard]] std::string take_output();

  [[nodiscard]] Blame blame() const noexcept { return blame_; }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  TlsSession(SSL_CTX* context, Blame blame);
  [[nodiscard]] std::unexpected<Error> failed(int reason, std::string_view doing) const;

  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* input_;   // owned by ssl_
  BIO* output_;  // owned by ssl_
  Blame blame_;
  std::string peer_;  // for errors
};

}  // namespace revcache::net
