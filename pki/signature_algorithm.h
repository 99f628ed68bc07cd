// AlgorithmIdentifiers of signatures and keys: which one it is, and the parameters of RSASSA-PSS.
// Pure.
//
//   RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1,
//       maskGenAlgorithm [1] DEFAULT mgf1SHA1, saltLength [2] INTEGER DEFAULT 20,
//       trailerField [3] INTEGER DEFAULT 1 }                              (RFC 4055 section 3.1)
//
// Refused on purpose: parameters where there must be none (RFC 5758 3.2, RFC 8410 3), a mask made
// with another digest than the signature's, another trailer than 1.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "pki/refusal.h"

namespace revcache::pki {

enum class SignatureKind : std::uint8_t { rsa_pkcs1, rsa_pss, ecdsa, ed25519 };
enum class Digest : std::uint8_t { none, sha1, sha224, sha256, sha384, sha512 };

struct SignatureAlgorithm {
  SignatureKind kind = SignatureKind::rsa_pkcs1;
  Digest digest = Digest::none;
  int salt_bytes = 0;  // of PSS
};

// `algorithm`: the whole SEQUENCE. Refuses with malformed or algorithm_refused.
Checked<SignatureAlgorithm> read_signature_algorithm(ByteView algorithm);

// The whole AlgorithmIdentifier of a SubjectPublicKeyInfo; nullopt when it is none.
std::optional<ByteView> spki_algorithm(ByteView spki) noexcept;

// RSA, RSASSA-PSS, EC or Ed25519.
bool is_known_key_algorithm(ByteView algorithm) noexcept;

}  // namespace revcache::pki
