// Signatures over DER, verified with OpenSSL. Never reads a clock; any thread.
//
//   AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }
//
// RSA PKCS#1 v1.5 and PSS (RFC 4055: MGF1 with the digest of the signature), ECDSA (P-256, P-384,
// P-521), Ed25519. MD5 and older are always refused, SHA-1 unless the policy allows it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "pki/refusal.h"

struct evp_pkey_st;

namespace revcache::pki {

struct SignaturePolicy {
  bool allow_sha1 = false;
  int rsa_bits_min = 2048;
};

// A SubjectPublicKeyInfo, decoded once. Immutable; verifying with one from several threads is safe.
class PublicKey {
 public:
  // `spki`: the whole SEQUENCE. Refuses with malformed, or algorithm_refused for a key type that is
  // none of the above.
  static Checked<PublicKey> parse(ByteView spki);

  [[nodiscard]] evp_pkey_st* get() const noexcept { return key_.get(); }
  [[nodiscard]] int bits() const noexcept;
  [[nodiscard]] std::string_view type() const noexcept;  // "RSA", "EC", "Ed25519"

 private:
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

// A key that is decoded when it is first asked for, and then kept: OpenSSL's decoders take longer
// than ten signatures verified with it. A copy, also by a move, begins anew. Any thread.
class DecodedOnceKey {
 public:
  DecodedOnceKey();
  DecodedOnceKey(const DecodedOnceKey& other);
  DecodedOnceKey& operator=(const DecodedOnceKey& other);
  ~DecodedOnceKey();

  // PublicKey::parse(spki), which is the same at each call.
  const Checked<PublicKey>& of(ByteView spki) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// `algorithm`: the whole AlgorithmIdentifier SEQUENCE. `signature`: the BIT STRING's octets,
// without the count of unused bits. Refuses with algorithm_refused, algorithm_mismatch (another key
// type) or signature_wrong.
Checked<void> verify_signature(const PublicKey& key, ByteView algorithm, ByteView signed_bytes,
                               ByteView signature, const SignaturePolicy& policy);

// "sha256WithRSAEncryption", "ecdsa-with-SHA384", or the dotted OID.
std::string algorithm_name(ByteView algorithm);

using Sha1 = std::array<std::uint8_t, 20>;
using Sha256 = std::array<std::uint8_t, 32>;
Sha1 sha1(ByteView bytes);
Sha256 sha256(ByteView bytes);
// Lower case, two digits an octet.
std::string hex(ByteView bytes);

}  // namespace revcache::pki
