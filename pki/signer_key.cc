#include "pki/signer_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "pki/openssl_ptr.h"

namespace revcache::pki {
namespace {

using EvpMdPtr = std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>>;

// sha256WithRSAEncryption and its siblings, 1.2.840.113549.1.1.11 to 13, with NULL parameters.
template <std::uint8_t last>
constexpr std::array<std::uint8_t, 15> kRsa{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                            0xf7, 0x0d, 0x01, 0x01, last, 0x05, 0x00};
// ecdsa-with-SHA256 and its siblings, 1.2.840.10045.4.3.2 to 4, without parameters.
template <std::uint8_t last>
constexpr std::array<std::uint8_t, 12> kEcdsa{0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                              0x48, 0xce, 0x3d, 0x04, 0x03, last};

const char* digest_name(SignatureScheme scheme) noexcept {
  switch (scheme) {
    case SignatureScheme::rsa_sha256:
    case SignatureScheme::ecdsa_sha256:
      return "SHA256";
    case SignatureScheme::rsa_sha384:
    case SignatureScheme::ecdsa_sha384:
      return "SHA384";
    case SignatureScheme::rsa_sha512:
    case SignatureScheme::ecdsa_sha512:
      break;
  }
  return "SHA512";
}

// The newest reason in this thread's queue of OpenSSL, which is emptied.
std::string take_reason() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "OpenSSL gives no reason" : reason;
}

// Without it OpenSSL asks on the terminal, and a service waits for ever.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*argument*/) {
  return -1;
}

EvpPkeyPtr from_pem(std::string_view bytes) {
  const BioPtr bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  return EvpPkeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

EvpPkeyPtr from_der(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  return EvpPkeyPtr(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(bytes.size())));
}

EVP_PKEY* new_key(KeyType type) {
  switch (type) {
    case KeyType::p256:
      return EVP_EC_gen("P-256");
    case KeyType::p384:
      return EVP_EC_gen("P-384");
    case KeyType::rsa2048:
      return EVP_RSA_gen(2048);
    case KeyType::rsa3072:
      break;
  }
  return EVP_RSA_gen(3072);
}

}  // namespace

ByteView algorithm_identifier(SignatureScheme scheme) noexcept {
  switch (scheme) {
    case SignatureScheme::rsa_sha256:
      return kRsa<11>;
    case SignatureScheme::rsa_sha384:
      return kRsa<12>;
    case SignatureScheme::rsa_sha512:
      return kRsa<13>;
    case SignatureScheme::ecdsa_sha256:
      return kEcdsa<2>;
    case SignatureScheme::ecdsa_sha384:
      return kEcdsa<3>;
    case SignatureScheme::ecdsa_sha512:
      break;
  }
  return kEcdsa<4>;
}

struct SignerKey::Workspace {
  SignatureScheme scheme{};
  EvpMdPtr digest;
  EvpMdCtxPtr hashing;
  EvpPkeyCtxPtr signing;
  std::string signature;  // room for the longest
};

SignerKey::SignerKey(std::shared_ptr<evp_pkey_st> key, std::shared_mutex* loading)
    : key_(std::move(key)), loading_(loading) {
  CHECK(key_ != nullptr);
}

SignerKey::~SignerKey() = default;

Result<std::shared_ptr<const SignerKey>> SignerKey::parse(std::string_view bytes) {
  if (bytes.size() > kPrivateKeyBytesMax) {
    return fail(ErrorCode::malformed, Blame::local, "too large for a private key");
  }
  ERR_clear_error();
  const bool is_pem = bytes.find("-----BEGIN ") != std::string_view::npos;
  EvpPkeyPtr key = is_pem ? from_pem(bytes) : from_der(bytes);
  if (key != nullptr) return std::make_shared<const SignerKey>(std::move(key), nullptr);
  const bool encrypted = bytes.find("ENCRYPTED") != std::string_view::npos;
  const std::string reason = take_reason();
  return fail(ErrorCode::malformed, Blame::local,
              encrypted ? "an encrypted private key: nobody is there to type its passphrase; "
                          "store it without one, or in a PKCS#11 token"
                        : "no private key in PEM or DER: " + reason);
}

std::shared_ptr<const SignerKey> SignerKey::generate(KeyType type) {
  EvpPkeyPtr key(new_key(type));
  CHECK(key != nullptr);
  return std::make_shared<const SignerKey>(std::move(key), nullptr);
}

Result<std::string> SignerKey::sign(ByteView bytes, SignatureScheme scheme) const {
  std::shared_lock<std::shared_mutex> no_loading;
  if (loading_ != nullptr) no_loading = std::shared_lock(*loading_);
  ERR_clear_error();
  const auto failed = [] {
    return fail(ErrorCode::unreachable, Blame::local, "the key does not sign: " + take_reason());
  };
  std::unique_ptr<Workspace> space = take_workspace(scheme);
  if (space == nullptr) return failed();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned digest_length = 0;
  EVP_MD_CTX* hashing = space->hashing.get();
  const bool hashed = EVP_DigestInit_ex2(hashing, space->digest.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(hashing, bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(hashing, digest.data(), &digest_length) == 1;
  std::size_t length = space->signature.size();
  // A workspace that failed is not used again.
  if (!hashed ||
      EVP_PKEY_sign(space->signing.get(), reinterpret_cast<unsigned char*>(space->signature.data()),
                    &length, digest.data(), digest_length) != 1) {
    return failed();
  }
  std::string signature = space->signature.substr(0, length);
  idle_.with([&space](auto& idle) { idle.push_back(std::move(space)); });
  return signature;
}

std::unique_ptr<SignerKey::Workspace> SignerKey::take_workspace(SignatureScheme scheme) const {
  std::unique_ptr<Workspace> space = idle_.with([scheme](auto& idle) {
    std::unique_ptr<Workspace> found;
    const auto at = std::ranges::find(idle, scheme, [](const auto& one) { return one->scheme; });
    if (at == idle.end()) return found;
    found = std::move(*at);
    *at = std::move(idle.back());
    idle.pop_back();
    return found;
  });
  return space != nullptr ? std::move(space) : new_workspace(scheme);
}

std::unique_ptr<SignerKey::Workspace> SignerKey::new_workspace(SignatureScheme scheme) const {
  auto space = std::make_unique<Workspace>();
  space->scheme = scheme;
  space->digest.reset(EVP_MD_fetch(nullptr, digest_name(scheme), nullptr));
  space->hashing.reset(EVP_MD_CTX_new());
  space->signing.reset(EVP_PKEY_CTX_new(key_.get(), nullptr));
  CHECK(space->digest != nullptr && space->hashing != nullptr && space->signing != nullptr);
  const bool ready = EVP_PKEY_sign_init(space->signing.get()) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(space->signing.get(), space->digest.get()) == 1;
  const int bytes_max = EVP_PKEY_get_size(key_.get());
  if (!ready || bytes_max <= 0) return nullptr;
  space->signature.resize(static_cast<std::size_t>(bytes_max));
  return space;
}

std::string SignerKey::public_key_der() const {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key_.get(), &der);
  CHECK(length > 0);
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return bytes;
}

std::string SignerKey::private_key_pem() const {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  CHECK(bio != nullptr);
  CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr,
                                      nullptr) == 1);
  char* text = nullptr;
  const long length = BIO_ctrl(bio.get(), BIO_CTRL_INFO, 0, static_cast<void*>(&text));
  CHECK(length > 0);
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace revcache::pki
