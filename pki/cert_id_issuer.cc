// The hashes of an issuer in a CertID (RFC 6960 section 4.1.1), compared and made.
#include <openssl/evp.h>

#include <array>

#include "base/check.h"
#include "pki/cert_id.h"
#include "pki/der.h"
#include "pki/der_writer.h"
#include "pki/ocsp_response.h"

namespace revcache::pki {
namespace {

constexpr std::array<std::uint8_t, 5> kSha1{0x2b, 0x0e, 0x03, 0x02, 0x1a};
constexpr std::array<std::uint8_t, 9> kSha256{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
constexpr std::array<std::uint8_t, 9> kSha384{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
constexpr std::array<std::uint8_t, 9> kSha512{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03};

struct Algorithm {
  const EVP_MD* digest;  // null: none that we know
  ByteView oid;
};

Algorithm algorithm_of(CertIdHash hash) noexcept {
  switch (hash) {
    case CertIdHash::sha1:
      return {EVP_sha1(), kSha1};
    case CertIdHash::sha256:
      return {EVP_sha256(), kSha256};
    case CertIdHash::sha384:
      return {EVP_sha384(), kSha384};
    case CertIdHash::sha512:
      return {EVP_sha512(), kSha512};
    case CertIdHash::other:
      break;
  }
  return {nullptr, {}};
}

class Hashed {
 public:
  Hashed(const EVP_MD* digest, ByteView bytes) {
    unsigned size = 0;
    CHECK(EVP_Digest(bytes.data(), bytes.size(), octets_.data(), &size, digest, nullptr) == 1);
    size_ = size;
  }
  [[nodiscard]] ByteView bytes() const noexcept { return ByteView(octets_).first(size_); }

 private:
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> octets_{};
  std::size_t size_ = 0;
};

}  // namespace

bool cert_id_names_issuer(const CertId& cert_id, const Certificate& issuer) {
  const EVP_MD* digest = algorithm_of(cert_id.hash).digest;
  if (digest == nullptr) return false;
  return equal(cert_id.issuer_key_hash, Hashed(digest, issuer.public_key).bytes()) &&
         equal(cert_id.issuer_name_hash, Hashed(digest, issuer.subject).bytes());
}

std::string encode_cert_id(CertIdHash hash, const Certificate& issuer, ByteView serial) {
  const Algorithm algorithm = algorithm_of(hash);
  CHECK(algorithm.digest != nullptr);
  DerWriter writer;
  writer.constructed(kSequenceTag, [&] {
    writer.constructed(kSequenceTag, [&] {
      writer.primitive(kObjectIdentifierTag, algorithm.oid);
      writer.null();
    });
    writer.primitive(kOctetStringTag, Hashed(algorithm.digest, issuer.subject).bytes());
    writer.primitive(kOctetStringTag, Hashed(algorithm.digest, issuer.public_key).bytes());
    writer.primitive(kIntegerTag, serial);
  });
  return std::move(writer).take();
}

std::string encode_ocsp_request(std::string_view cert_id_der) {
  DerWriter writer;
  writer.constructed(kSequenceTag, [&] {      // OCSPRequest
    writer.constructed(kSequenceTag, [&] {    // TBSRequest
      writer.constructed(kSequenceTag, [&] {  // requestList
        writer.constructed(kSequenceTag, [&] { writer.raw(as_bytes(cert_id_der)); });
      });
    });
  });
  return std::move(writer).take();
}

}  // namespace revcache::pki
