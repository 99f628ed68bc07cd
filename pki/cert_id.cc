#include "pki/cert_id.h"

#include <algorithm>
#include <array>
#include <string>

namespace revcache::pki {
namespace {

constexpr std::size_t kUnknownHashBytesMax = 64;

constexpr std::array<std::uint8_t, 5> kSha1{0x2b, 0x0e, 0x03, 0x02, 0x1a};
// 2.16.840.1.101.3.4.2.x: the last octet tells 1 SHA-256, 2 SHA-384, 3 SHA-512.
constexpr std::array<std::uint8_t, 8> kNistHashes{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};

CertIdHash hash_of(ByteView oid) noexcept {
  if (equal(oid, kSha1)) return CertIdHash::sha1;
  if (oid.size() != kNistHashes.size() + 1 || !equal(oid.first(kNistHashes.size()), kNistHashes)) {
    return CertIdHash::other;
  }
  switch (oid.back()) {
    case 1:
      return CertIdHash::sha256;
    case 2:
      return CertIdHash::sha384;
    case 3:
      return CertIdHash::sha512;
    default:
      return CertIdHash::other;
  }
}

bool is_length_of(CertIdHash hash, std::size_t size) noexcept {
  switch (hash) {
    case CertIdHash::sha1:
      return size == 20;
    case CertIdHash::sha256:
      return size == 32;
    case CertIdHash::sha384:
      return size == 48;
    case CertIdHash::sha512:
      return size == 64;
    case CertIdHash::other:
      break;
  }
  return size >= 1 && size <= kUnknownHashBytesMax;
}

// AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
// The parameters of the SHA family are NULL or absent; both are in use (RFC 5754 section 2).
bool read_algorithm(DerReader& reader, CertIdHash& hash) noexcept {
  const auto algorithm = reader.read(kSequenceTag, "an AlgorithmIdentifier was expected");
  if (!algorithm) return false;
  DerReader inner(algorithm->content);
  const auto oid = inner.read(kObjectIdentifierTag, "a hash algorithm was expected");
  if (!oid) return reader.adopt(inner);
  if (!is_object_identifier(oid->content)) return reader.fail_at("a malformed OBJECT IDENTIFIER");
  hash = hash_of(oid->content);
  if (inner.at_end()) return true;
  const auto parameters = inner.read_any();
  if (!parameters || !inner.expect_end("data behind the algorithm's parameters")) {
    return reader.adopt(inner);
  }
  const bool is_null = parameters->tag == kNullTag && parameters->content.empty();
  if (hash != CertIdHash::other && !is_null) return reader.fail_at("parameters of a hash");
  return true;
}

bool read_hash(DerReader& reader, CertIdHash hash, ByteView& value) noexcept {
  const auto element = reader.read(kOctetStringTag, "the hash of a CertID was expected");
  if (!element) return false;
  if (!is_length_of(hash, element->content.size())) {
    return reader.fail_at("a hash of the wrong length");
  }
  value = element->content;
  return true;
}

}  // namespace

std::optional<CertId> read_cert_id(DerReader& reader) noexcept {
  const auto whole = reader.read(kSequenceTag, "a CertID was expected");
  if (!whole) return std::nullopt;
  CertId id;
  id.der = whole->whole;
  DerReader inner(whole->content);
  const bool has_hashes = read_algorithm(inner, id.hash) &&
                          read_hash(inner, id.hash, id.issuer_name_hash) &&
                          read_hash(inner, id.hash, id.issuer_key_hash);
  if (has_hashes) {
    const auto serial = inner.read_integer("a serial number was expected");
    if (serial && serial->size() > kSerialBytesMax) {
      inner.fail_at("a serial number that is too long");
    }
    if (serial) id.serial = *serial;
    inner.expect_end("data behind the serial number");
  }
  if (inner.ok()) return id;
  reader.adopt(inner);
  return std::nullopt;
}

Result<CertId> parse_cert_id(ByteView der) {
  DerReader reader(der);
  const auto id = read_cert_id(reader);
  if (id && reader.expect_end("data behind the CertID")) return *id;
  return fail(ErrorCode::malformed, Blame::client, describe_fault(reader, der));
}

}  // namespace revcache::pki
