// CertID (RFC 6960 section 4.1.1). Pure.
//
//   CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING,
//              issuerKeyHash OCTET STRING, serialNumber CertificateSerialNumber }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "pki/der.h"

namespace revcache::pki {

enum class CertIdHash : std::uint8_t { sha1, sha256, sha384, sha512, other };

// Views into the DER that was parsed.
struct CertId {
  ByteView der;  // the whole SEQUENCE, to be echoed byte for byte
  CertIdHash hash = CertIdHash::other;
  ByteView issuer_name_hash;
  ByteView issuer_key_hash;
  ByteView serial;  // content octets of the INTEGER: a serial that is not minimal is malformed
};

inline constexpr std::size_t kSerialBytesMax = 64;  // RFC 5280 4.1.2.2 allows 20; some CAs use more

// The next element of `reader`; it fails otherwise (DerReader::fault). For structures that hold
// one.
std::optional<CertId> read_cert_id(DerReader& reader) noexcept;

// One complete CertID, nothing after it. Strict DER; the lengths of the hashes must be those of the
// algorithm (for `other`: 1 to 64). Fails with malformed.
Result<CertId> parse_cert_id(ByteView der);

}  // namespace revcache::pki
