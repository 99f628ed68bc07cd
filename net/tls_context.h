// Whom we trust as a TLS client, and who we are as a TLS server: loaded from files once, shared by
// all connections, replaced as a whole by a reload.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/foreign_types.h"

namespace revcache::net {

struct FreeTlsContext {
  void operator()(ssl_ctx_st* context) const noexcept;
};
using TlsContextPtr = std::unique_ptr<ssl_ctx_st, FreeTlsContext>;

// TLS 1.2 or newer. A server's chain must lead to a trusted root with the certificates that the
// server itself sends (missing ones are not fetched). Offers "http/1.1" by ALPN. Immutable; any
// thread.
class TlsClientContext {
 public:
  // `ca_bundle`: a PEM file of trusted roots; empty: the system's. Fails with malformed or
  // unreachable (blame: local) and names the file.
  static Result<std::shared_ptr<const TlsClientContext>> load(const std::string& ca_bundle);

  [[nodiscard]] ssl_ctx_st* get() const noexcept { return context_.get(); }

 private:
  explicit TlsClientContext(TlsContextPtr context) noexcept : context_(std::move(context)) {}
  TlsContextPtr context_;
};

// TLS 1.2 or newer, our cipher order, no client certificates, no session tickets to keep keys for.
// Takes "http/1.1" by ALPN, or none. Immutable; any thread.
class TlsServerContext {
 public:
  // PEM files: the certificate with the intermediates after it, and its key without passphrase.
  // Fails with malformed (blame: local) and names the file.
  static Result<std::shared_ptr<const TlsServerContext>> load(const std::string& certificate_file,
                                                              const std::string& key_file);

  [[nodiscard]] ssl_ctx_st* get() const noexcept { return context_.get(); }

 private:
  explicit TlsServerContext(TlsContextPtr context) noexcept : context_(std::move(context)) {}
  TlsContextPtr context_;
};

}  // namespace revcache::net
