// A private key that signs: from a file, or inside a PKCS#11 token.
//
// sign() blocks (a token may take tens of milliseconds) and is for threads of the pool only;
// several may sign at the same time. The key never leaves the object but by private_key_pem().
#pragma once

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/guarded.h"
#include "base/result.h"

struct evp_pkey_st;

namespace revcache::pki {

inline constexpr std::size_t kPrivateKeyBytesMax = 64 * 1024;

// How a signature is made. RSA is PKCS#1 v1.5.
enum class SignatureScheme : std::uint8_t {
  rsa_sha256,
  rsa_sha384,
  rsa_sha512,
  ecdsa_sha256,
  ecdsa_sha384,
  ecdsa_sha512,
};

// The whole AlgorithmIdentifier (RFC 4055 section 5, RFC 5758 section 3.2). Static storage.
ByteView algorithm_identifier(SignatureScheme scheme) noexcept;

enum class KeyType : std::uint8_t { p256, p384, rsa2048, rsa3072 };

class SignerKey {
 public:
  // PEM (PKCS#8, PKCS#1 or SEC 1) or DER, not encrypted: nobody is there to type a passphrase.
  // Fails with malformed (blame local).
  static Result<std::shared_ptr<const SignerKey>> parse(std::string_view bytes);
  // Blocking: an RSA key takes up to a second.
  static std::shared_ptr<const SignerKey> generate(KeyType type);
  // A key that somebody else opened. `loading`, when not null, outlives the process' last key and
  // is held shared while signing.
  SignerKey(std::shared_ptr<evp_pkey_st> key, std::shared_mutex* loading);
  ~SignerKey();
  SignerKey(const SignerKey&) = delete;
  SignerKey& operator=(const SignerKey&) = delete;

  // The octets of the signature's BIT STRING: for ECDSA the DER of Ecdsa-Sig-Value. The scheme must
  // be one for keys of this kind. Fails with unreachable (blame local) when the token does.
  [[nodiscard]] Result<std::string> sign(ByteView bytes, SignatureScheme scheme) const;

  // Inside a PKCS#11 token, rather than from a file.
  [[nodiscard]] bool is_in_token() const noexcept { return loading_ != nullptr; }

  // DER of the SubjectPublicKeyInfo. Of keys that parse() or generate() made.
  [[nodiscard]] std::string public_key_der() const;
  // PKCS#8, not encrypted. Of keys that parse() or generate() made.
  [[nodiscard]] std::string private_key_pem() const;

 private:
  // What OpenSSL prepares for one signature at a time. Made once and used again: preparing costs as
  // much as a tenth of a P-256 signature.
  struct Workspace;

  [[nodiscard]] std::unique_ptr<Workspace> take_workspace(SignatureScheme scheme) const;
  [[nodiscard]] std::unique_ptr<Workspace> new_workspace(SignatureScheme scheme) const;

  std::shared_ptr<evp_pkey_st> key_;
  std::shared_mutex* loading_ = nullptr;
  // As many as threads ever signed at once, which the pool bounds.
  mutable Guarded<std::vector<std::unique_ptr<Workspace>>> idle_;
};

using SignerKeyPtr = std::shared_ptr<const SignerKey>;

}  // namespace revcache::pki
