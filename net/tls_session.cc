#include "net/tls_session.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/ip_address.h"

namespace revcache::net {

std::string take_openssl_error() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  if (error == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(error);
  if (reason != nullptr) return reason;
  return "error " + std::to_string(ERR_GET_REASON(error));
}

namespace {

// SSL_set_tlsext_host_name is a macro with C casts; OpenSSL copies the name.
bool set_sni(SSL* ssl, const std::string& name) {
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(name.c_str())) == 1;
}

}  // namespace

TlsSession::TlsSession(SSL_CTX* context, Blame blame)
    : ssl_(SSL_new(context)),
      input_(BIO_new(BIO_s_mem())),
      output_(BIO_new(BIO_s_mem())),
      blame_(blame) {
  CHECK(ssl_ != nullptr && input_ != nullptr && output_ != nullptr);
  // An empty input means "later", not the end.
  BIO_set_mem_eof_return(input_, -1);
  SSL_set_bio(ssl_.get(), input_, output_);
}

Result<TlsSession> TlsSession::client(const TlsClientContext& context,
                                      const std::string& server_name) {
  ERR_clear_error();
  TlsSession session(context.get(), Blame::upstream);
  session.peer_ = server_name;
  SSL* ssl = session.ssl_.get();
  SSL_set_connect_state(ssl);
  bool usable = false;
  if (IpAddress::parse(server_name)) {
    // RFC 6066 3: SNI never carries an address. RFC 9110 4.3.5: it is matched as an iPAddress.
    usable = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name.c_str()) == 1;
  } else if (!server_name.empty()) {
    // RFC 9110 4.3.4: the name is looked for in subjectAltName only.
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    usable = SSL_set1_host(ssl, server_name.c_str()) == 1 && set_sni(ssl, server_name);
  }
  if (!usable) {
    return fail(ErrorCode::malformed, Blame::upstream, "not a TLS server name: " + server_name);
  }
  return session;
}

TlsSession TlsSession::server(const TlsServerContext& context) {
  TlsSession session(context.get(), Blame::client);
  session.peer_ = "client";
  SSL_set_accept_state(session.ssl_.get());
  return session;
}

Result<bool> TlsSession::handshake() {
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl_.get());
  if (outcome == 1) return true;
  const int reason = SSL_get_error(ssl_.get(), outcome);
  if (reason == SSL_ERROR_WANT_READ) return false;
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK) {
    ERR_clear_error();
    return fail(ErrorCode::untrusted, blame_,
                "TLS certificate of " + peer_ + ": " + X509_verify_cert_error_string(verified));
  }
  return failed(reason, "handshake");
}

void TlsSession::feed(std::string_view ciphertext) {
  std::size_t written = 0;
  if (ciphertext.empty()) return;
  CHECK(BIO_write_ex(input_, ciphertext.data(), ciphertext.size(), &written) == 1);
  CHECK(written == ciphertext.size());
}

bool TlsSession::has_unread_input() const {
  return BIO_ctrl_pending(input_) > 0 || SSL_has_pending(ssl_.get()) == 1;
}

Result<TlsSession::ReadOutcome> TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  std::size_t count = 0;
  const int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  if (outcome == 1) return ReadOutcome{ReadKind::data, count};
  const int reason = SSL_get_error(ssl_.get(), outcome);
  if (reason == SSL_ERROR_WANT_READ) return ReadOutcome{ReadKind::wants_more, 0};
  if (reason == SSL_ERROR_ZERO_RETURN) return ReadOutcome{ReadKind::closed, 0};
  return failed(reason, "read");
}

Result<void> TlsSession::write(std::string_view plaintext) {
  if (plaintext.empty()) return {};
  ERR_clear_error();
  std::size_t written = 0;
  const int outcome = SSL_write_ex(ssl_.get(), plaintext.data(), plaintext.size(), &written);
  if (outcome == 1 && written == plaintext.size()) return {};
  return failed(SSL_get_error(ssl_.get(), outcome), "write");
}

void TlsSession::close_write() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsSession::take_output() {
  const std::size_t waiting = BIO_ctrl_pending(output_);
  std::string bytes(waiting, '\0');
  if (waiting == 0) return bytes;
  std::size_t taken = 0;
  CHECK(BIO_read_ex(output_, bytes.data(), bytes.size(), &taken) == 1 && taken == waiting);
  return bytes;
}

std::unexpected<Error> TlsSession::failed(int reason, std::string_view doing) const {
  std::string why = reason == SSL_ERROR_SYSCALL ? "broken off" : take_openssl_error();
  ERR_clear_error();
  return fail(ErrorCode::disconnected, blame_,
              "TLS " + std::string(doing) + " with " + peer_ + ": " + why);
}

}  // namespace revcache::net
