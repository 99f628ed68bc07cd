// A CRL as it comes in a file: DER, or PEM (RFC 7468 section 6).
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pki/crl.h"
#include "pki/der.h"

namespace revcache::pki {
namespace {

constexpr std::string_view kBegin = "-----BEGIN X509 CRL-----";
constexpr std::string_view kEnd = "-----END X509 CRL-----";
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;  // OpenSSL counts in int

bool is_whole_der(ByteView bytes) noexcept {
  DerReader reader(bytes);
  return reader.read(kSequenceTag, "a CertificateList was expected") && reader.at_end();
}

struct FreeDecoder {
  void operator()(EVP_ENCODE_CTX* context) const noexcept { EVP_ENCODE_CTX_free(context); }
};

// nullopt: not base64.
std::optional<std::string> from_base64(std::string_view text) {
  const std::unique_ptr<EVP_ENCODE_CTX, FreeDecoder> context(EVP_ENCODE_CTX_new());
  if (context == nullptr) return std::nullopt;
  EVP_DecodeInit(context.get());
  // What a piece may give beyond its own share: the rest of a line kept from the piece before.
  constexpr std::size_t kLineBytes = 80;
  std::string der(text.size() / 4 * 3 + kLineBytes, '\0');
  std::size_t written = 0;
  bool good = true;
  for (; good && !text.empty(); text.remove_prefix(std::min(text.size(), kPieceBytes))) {
    const std::string_view piece = text.substr(0, kPieceBytes);
    int length = 0;
    good = EVP_DecodeUpdate(context.get(), reinterpret_cast<unsigned char*>(&der[written]), &length,
                            reinterpret_cast<const unsigned char*>(piece.data()),
                            static_cast<int>(piece.size())) >= 0;
    written += static_cast<std::size_t>(length);
  }
  int length = 0;
  good = good && EVP_DecodeFinal(context.get(), reinterpret_cast<unsigned char*>(&der[written]),
                                 &length) >= 0;
  ERR_clear_error();
  if (!good) return std::nullopt;
  der.resize(written + static_cast<std::size_t>(length));
  return der;
}

}  // namespace

Checked<SharedBytes> crl_der(SharedBytes bytes) {
  // Asked first: a name inside a CRL may spell what PEM begins with.
  if (is_whole_der(bytes.bytes())) return bytes;
  const std::string_view text = bytes.text();
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) {
    return refuse(Refusal::malformed, "neither one DER object nor a PEM block X509 CRL");
  }
  const std::size_t start = begin + kBegin.size();
  const std::size_t end = text.find(kEnd, start);
  if (end == std::string_view::npos) {
    return refuse(Refusal::malformed, "the PEM block X509 CRL has no end");
  }
  if (text.find(kBegin, start) != std::string_view::npos) {
    return refuse(Refusal::malformed, "more than one PEM block X509 CRL");
  }
  const std::string_view content = text.substr(start, end - start);
  // OpenSSL takes a dash for the end, wherever it stands.
  const bool has_dash = content.find('-') != std::string_view::npos;
  auto der = has_dash ? std::nullopt : from_base64(content);
  if (!der) return refuse(Refusal::malformed, "the PEM block X509 CRL is not base64");
  return SharedBytes::take(*std::move(der));
}

}  // namespace revcache::pki
