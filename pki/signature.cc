#include "pki/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "pki/openssl_ptr.h"
#include "pki/signature_algorithm.h"

namespace revcache::pki {
namespace {

// What OpenSSL left in its queue must not be taken for the fault of whoever asks it next.
struct ClearErrors {
  ClearErrors() = default;
  ClearErrors(const ClearErrors&) = delete;
  ClearErrors& operator=(const ClearErrors&) = delete;
  ~ClearErrors() { ERR_clear_error(); }
};

bool is_our_curve(EVP_PKEY* key) {
  std::array<char, 32> name{};
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) return false;
  const std::string_view curve(name.data());
  return curve == "prime256v1" || curve == "secp384r1" || curve == "secp521r1";
}

// The keys that may make this kind of signature.
bool fits(int key_type, SignatureKind kind) noexcept {
  switch (kind) {
    case SignatureKind::rsa_pkcs1:
      return key_type == EVP_PKEY_RSA;
    case SignatureKind::rsa_pss:
      return key_type == EVP_PKEY_RSA || key_type == EVP_PKEY_RSA_PSS;
    case SignatureKind::ecdsa:
      return key_type == EVP_PKEY_EC;
    case SignatureKind::ed25519:
      return key_type == EVP_PKEY_ED25519;
  }
  return false;
}

const EVP_MD* message_digest(Digest digest) noexcept {
  switch (digest) {
    case Digest::none:
      return nullptr;
    case Digest::sha1:
      return EVP_sha1();
    case Digest::sha224:
      return EVP_sha224();
    case Digest::sha256:
      return EVP_sha256();
    case Digest::sha384:
      return EVP_sha384();
    case Digest::sha512:
      return EVP_sha512();
  }
  return nullptr;
}

bool set_pss(EVP_PKEY_CTX* context, const SignatureAlgorithm& algorithm) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, message_digest(algorithm.digest)) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, algorithm.salt_bytes) == 1;
}

template <std::size_t size>
std::array<std::uint8_t, size> digest_of(ByteView bytes, const EVP_MD* kind) {
  std::array<std::uint8_t, size> digest{};
  unsigned length = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, kind, nullptr) == 1);
  CHECK(length == size);
  return digest;
}

}  // namespace

Checked<PublicKey> PublicKey::parse(ByteView spki) {
  const ClearErrors clear;
  const auto algorithm = spki_algorithm(spki);
  if (!algorithm) return refuse(Refusal::malformed, "a public key: not a SubjectPublicKeyInfo");
  // Asked first: what we would refuse anyway, OpenSSL need not decode.
  if (!is_known_key_algorithm(*algorithm)) {
    return refuse(Refusal::algorithm_refused, "a public key of type " + algorithm_name(*algorithm));
  }
  const std::uint8_t* at = spki.data();
  std::shared_ptr<EVP_PKEY> key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())),
                                EVP_PKEY_free);
  if (key == nullptr) return refuse(Refusal::malformed, "a public key: cannot be decoded");
  if (at != spki.data() + spki.size()) {
    return refuse(Refusal::malformed, "a public key: data behind it");
  }
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
    case EVP_PKEY_ED25519:
      return PublicKey(std::move(key));
    case EVP_PKEY_EC:
      if (is_our_curve(key.get())) return PublicKey(std::move(key));
      return refuse(Refusal::algorithm_refused,
                    "a public key on another curve than P-256, 384, 521");
    default:
      return refuse(Refusal::algorithm_refused, "a public key that is not RSA, EC or Ed25519");
  }
}

struct DecodedOnceKey::State {
  std::once_flag once;
  std::optional<Checked<PublicKey>> key;
};

DecodedOnceKey::DecodedOnceKey() : state_(std::make_unique<State>()) {}
DecodedOnceKey::DecodedOnceKey(const DecodedOnceKey&) : DecodedOnceKey() {}
DecodedOnceKey& DecodedOnceKey::operator=(const DecodedOnceKey& other) {
  if (this != &other) state_ = std::make_unique<State>();
  return *this;
}
DecodedOnceKey::~DecodedOnceKey() = default;

const Checked<PublicKey>& DecodedOnceKey::of(ByteView spki) const {
  std::call_once(state_->once, [&] { state_->key.emplace(PublicKey::parse(spki)); });
  return *state_->key;
}

int PublicKey::bits() const noexcept { return EVP_PKEY_get_bits(key_.get()); }

std::string_view PublicKey::type() const noexcept {
  switch (EVP_PKEY_get_base_id(key_.get())) {
    case EVP_PKEY_EC:
      return "EC";
    case EVP_PKEY_ED25519:
      return "Ed25519";
    default:
      return "RSA";
  }
}

Checked<void> verify_signature(const PublicKey& key, ByteView algorithm, ByteView signed_bytes,
                               ByteView signature, const SignaturePolicy& policy) {
  const auto known = read_signature_algorithm(algorithm);
  if (!known) return std::unexpected(known.error());
  if (known->digest == Digest::sha1 && !policy.allow_sha1) {
    return refuse(Refusal::algorithm_refused, algorithm_name(algorithm) + " uses SHA-1");
  }
  if (!fits(EVP_PKEY_get_base_id(key.get()), known->kind)) {
    return refuse(Refusal::algorithm_mismatch,
                  algorithm_name(algorithm) + " under a key of type " + std::string(key.type()));
  }
  if (key.type() == "RSA" && key.bits() < policy.rsa_bits_min) {
    return refuse(Refusal::algorithm_refused, "an RSA key of " + std::to_string(key.bits()) +
                                                  " bits, at least " +
                                                  std::to_string(policy.rsa_bits_min) + " wanted");
  }
  const ClearErrors clear;
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const bool ready = context != nullptr &&
                     EVP_DigestVerifyInit(context.get(), &key_context,
                                          message_digest(known->digest), nullptr, key.get()) == 1 &&
                     (known->kind != SignatureKind::rsa_pss || set_pss(key_context, *known));
  if (!ready) {
    // A key of type id-RSASSA-PSS may name the only digest and salt that it is for.
    return refuse(Refusal::algorithm_mismatch,
                  algorithm_name(algorithm) + " is not what the key is for");
  }
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), signed_bytes.data(),
                       signed_bytes.size()) != 1) {
    return refuse(Refusal::signature_wrong,
                  algorithm_name(algorithm) + " does not verify under the issuer's key");
  }
  return {};
}

Sha1 sha1(ByteView bytes) { return digest_of<20>(bytes, EVP_sha1()); }

Sha256 sha256(ByteView bytes) { return digest_of<32>(bytes, EVP_sha256()); }

std::string hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t octet : bytes) {
    text += kDigits[octet >> 4U];
    text += kDigits[octet & 0x0fU];
  }
  return text;
}

}  // namespace revcache::pki
