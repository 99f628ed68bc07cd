// parse_certificates: certificates as they come in files (RFC 7468 for PEM, RFC 2315 for PKCS#7).
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "pki/certificate.h"
#include "pki/der.h"
#include "pki/openssl_ptr.h"
#include "pki/pkcs7.h"

namespace revcache::pki {
namespace {

using CertificateList = std::vector<CertificatePtr>;

constexpr std::string_view kPemBegin = "-----BEGIN ";

std::unexpected<Refused> refused_at(const std::string& place, const Refused& refused) {
  return refuse(refused.reason, place + ": " + refused.detail);
}

Checked<void> append_certificate(SharedBytes der, const std::string& place,
                                 CertificateList& certificates) {
  if (certificates.size() == kCertificatesMax) {
    return refuse(Refusal::malformed,
                  place + ": more than " + std::to_string(kCertificatesMax) + " certificates");
  }
  auto certificate = parse_certificate(std::move(der));
  if (!certificate) return refused_at(place, certificate.error());
  certificates.push_back(std::move(*certificate));
  return {};
}

Checked<void> append_pkcs7(const SharedBytes& der, const std::string& place,
                           CertificateList& certificates) {
  const auto found = pkcs7_certificates(der.bytes());
  if (!found) return refused_at(place, found.error());
  for (std::size_t index = 0; index < found->size(); ++index) {
    // A copy of its own: one certificate must not keep a whole file in memory.
    auto own = SharedBytes::copy_of(as_text((*found)[index]));
    const std::string where = place + ", certificate " + std::to_string(index + 1) + " of PKCS#7";
    auto appended = append_certificate(std::move(own), where, certificates);
    if (!appended) return appended;
  }
  return {};
}

// What PEM_read_bio allocates.
struct PemBlock {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;

  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
};

Checked<void> append_block(const PemBlock& block, const std::string& place,
                           CertificateList& certificates) {
  const std::string_view label = block.label;
  auto der = SharedBytes::copy_of(as_text({block.data, static_cast<std::size_t>(block.size)}));
  if (label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD) {
    return append_certificate(std::move(der), place, certificates);
  }
  if (label == PEM_STRING_PKCS7 || label == PEM_STRING_PKCS7_SIGNED || label == PEM_STRING_CMS) {
    return append_pkcs7(der, place, certificates);
  }
  return {};
}

// Blocks with another label are skipped, and so is text around them.
Checked<void> append_pem(std::string_view text, CertificateList& certificates) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  while (true) {
    const std::size_t read = text.size() - BIO_ctrl_pending(bio.get());
    const std::size_t begin = text.find(kPemBegin, read);
    if (begin == std::string_view::npos) return {};
    const auto line = std::ranges::count(text.substr(0, begin), '\n') + 1;
    const std::string place = "PEM block in line " + std::to_string(line);
    PemBlock block;
    if (PEM_read_bio(bio.get(), &block.label, &block.header, &block.data, &block.size) != 1) {
      const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      ERR_clear_error();
      if (is_end) return {};
      return refuse(Refusal::malformed, place + ": no proper base64, or no end");
    }
    auto appended = append_block(block, place, certificates);
    if (!appended) return appended;
  }
}

// One SEQUENCE, or the beginning of one that needs an octet which text has not.
bool is_der(std::string_view bytes) noexcept {
  constexpr unsigned kLongForm = 0x80;
  DerReader reader(as_bytes(bytes));
  if (reader.read(kSequenceTag, "a SEQUENCE was expected") && reader.at_end()) return true;
  return bytes.size() > 1 && bytes[0] == '0' && (as_bytes(bytes)[1] & kLongForm) != 0;
}

}  // namespace

Checked<std::vector<CertificatePtr>> parse_certificates(std::string_view bytes) {
  if (bytes.size() > kCertificateFileBytesMax) {
    return refuse(Refusal::malformed, "a file that is too long for certificates");
  }
  CertificateList certificates;
  Checked<void> appended;
  if (!is_der(bytes) && bytes.contains(kPemBegin)) {
    appended = append_pem(bytes, certificates);
  } else if (is_pkcs7(as_bytes(bytes))) {
    appended = append_pkcs7(SharedBytes::copy_of(bytes), "PKCS#7", certificates);
  } else {
    appended = append_certificate(SharedBytes::copy_of(bytes), "DER", certificates);
  }
  if (!appended) return std::unexpected(std::move(appended).error());
  if (certificates.empty()) return refuse(Refusal::malformed, "there is no certificate in it");
  return certificates;
}

}  // namespace revcache::pki
