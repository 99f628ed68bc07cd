#include "pki/certificate_file.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace revcache::pki {

namespace {

struct FreeX509 {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using X509Ptr = std::unique_ptr<X509, FreeX509>;

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

X509Ptr from_pem(std::string_view bytes) {
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  // A passphrase is never asked for: certificates have none.
  return X509Ptr(
      PEM_read_bio_X509(bio.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
}

X509Ptr from_der(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(bytes.size())));
  const auto* end = reinterpret_cast<const unsigned char*>(bytes.data()) + bytes.size();
  return at == end ? std::move(certificate) : nullptr;
}

}  // namespace

Result<std::string> certificate_der(std::string_view bytes) {
  constexpr std::size_t kCertificateBytesMax = 1U << 20U;
  if (bytes.size() > kCertificateBytesMax) {
    return fail(ErrorCode::malformed, Blame::local, "too large for a certificate");
  }
  const bool is_pem = bytes.find("-----BEGIN ") != std::string_view::npos;
  const auto certificate = is_pem ? from_pem(bytes) : from_der(bytes);
  if (certificate == nullptr) {
    return fail(ErrorCode::malformed, Blame::local, "no certificate in PEM or DER");
  }
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate.get(), &der);
  if (length <= 0) return fail(ErrorCode::malformed, Blame::local, "cannot be encoded");
  std::string encoded(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return encoded;
}

}  // namespace revcache::pki
