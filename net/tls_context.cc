#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

#include "base/check.h"
#include "net/tls_session.h"

namespace revcache::net {

namespace {

// ALPN protocol list: one length and one name (RFC 7301 3.1).
constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

TlsContextPtr new_context(const SSL_METHOD* method) {
  TlsContextPtr context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

std::unexpected<Error> cannot_load(const std::string& what) {
  return fail(ErrorCode::malformed, Blame::local, what + ": " + take_openssl_error());
}

// A client that offers other protocols only gets none and speaks HTTP/1.1 anyway (RFC 7301 3.2
// would have us refuse it, which helps nobody).
// NOLINTNEXTLINE(readability-function-size): OpenSSL says how many parameters it has.
int choose_http11(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_length,
                  const unsigned char* offered, unsigned offered_length, void* /*argument*/) {
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, chosen_length, kHttp11.data(), kHttp11.size(),
                                            offered, offered_length);
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// Without it OpenSSL asks on the terminal, and a service waits for ever.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*argument*/) {
  return -1;
}

}  // namespace

void FreeTlsContext::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::load(
    const std::string& ca_bundle) {
  ERR_clear_error();
  TlsContextPtr context = new_context(TLS_client_method());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  CHECK(SSL_CTX_set_alpn_protos(context.get(), kHttp11.data(), kHttp11.size()) == 0);
  if (ca_bundle.empty()) {
    if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
      return cannot_load("the system's trusted certificates");
    }
  } else if (SSL_CTX_load_verify_file(context.get(), ca_bundle.c_str()) != 1) {
    return cannot_load("ca_bundle " + ca_bundle);
  }
  return std::shared_ptr<const TlsClientContext>(new TlsClientContext(std::move(context)));
}

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::load(
    const std::string& certificate_file, const std::string& key_file) {
  ERR_clear_error();
  TlsContextPtr context = new_context(TLS_server_method());
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_http11, nullptr);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return cannot_load("certificate " + certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return cannot_load("key " + key_file);
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return cannot_load("key " + key_file + " for certificate " + certificate_file);
  }
  return std::shared_ptr<const TlsServerContext>(new TlsServerContext(std::move(context)));
}

}  // namespace revcache::net
