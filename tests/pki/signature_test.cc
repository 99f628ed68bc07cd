// RFC 4055, 5758, 8410: which signatures verify, and which are refused whatever they say.
#include "pki/signature.h"

#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include <array>
#include <string>

#include "pki/object_identifier.h"
#include "pki/openssl_ptr.h"
#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

const std::string kNull = "\x05\x00"s;
const std::string kText = "what is signed";

std::string identifier(std::string_view oid, std::string_view parameters = {}) {
  return der(0x30, {der(0x06, {oid}), parameters});
}

const std::string kRsaSha256 = identifier("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", kNull);
const std::string kEcdsaSha256 = identifier("\x2a\x86\x48\xce\x3d\x04\x03\x02");
const std::string kEd25519 = identifier("\x2b\x65\x70");
const std::string kPssOid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
const std::string kSha1 = identifier("\x2b\x0e\x03\x02\x1a", kNull);
const std::string kSha256 = identifier("\x60\x86\x48\x01\x65\x03\x04\x02\x01", kNull);

std::string pss(const std::string& digest, const std::string& mask_digest, char salt) {
  const std::string mask = identifier("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08", mask_digest);
  return identifier(kPssOid, der(0x30, {der(0xa0, {digest}), der(0xa1, {mask}),
                                        der(0xa2, {der(0x02, {std::string(1, salt)})})}));
}

struct Key {
  explicit Key(EVP_PKEY* made) : key(made) {
    std::uint8_t* octets = nullptr;
    const int length = i2d_PUBKEY(key.get(), &octets);
    spki.assign(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(length));
    OPENSSL_free(octets);
  }
  EvpPkeyPtr key;
  std::string spki;
};

const Key& rsa() {
  static const Key made(EVP_RSA_gen(2048));
  return made;
}
const Key& ec() {
  static const Key made(EVP_EC_gen("P-256"));
  return made;
}
const Key& ed25519() {
  static const Key made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  return made;
}

// `salt` >= 0: PSS.
std::string sign(const Key& key, const EVP_MD* digest, int salt = -1) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EXPECT_EQ(EVP_DigestSignInit(context.get(), &key_context, digest, nullptr, key.key.get()), 1);
  if (salt >= 0) {
    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, salt);
  }
  std::array<std::uint8_t, 512> octets{};
  std::size_t length = octets.size();
  EXPECT_EQ(
      EVP_DigestSign(context.get(), octets.data(), &length, as_bytes(kText).data(), kText.size()),
      1);
  return std::string(as_text({octets.data(), length}));
}

std::string verdict(const Key& key, const std::string& algorithm, const std::string& signature,
                    const SignaturePolicy& policy = {}) {
  const auto parsed = PublicKey::parse(as_bytes(key.spki));
  if (!parsed) return "no key: " + parsed.error().detail;
  const auto verified =
      verify_signature(*parsed, as_bytes(algorithm), as_bytes(kText), as_bytes(signature), policy);
  return verified ? "good" : std::string(to_string(verified.error().reason));
}

TEST(Signature, VerifiesUnderEachKindOfKey) {
  EXPECT_EQ(verdict(rsa(), kRsaSha256, sign(rsa(), EVP_sha256())), "good");
  EXPECT_EQ(verdict(rsa(), pss(kSha256, kSha256, 32), sign(rsa(), EVP_sha256(), 32)), "good");
  EXPECT_EQ(verdict(ec(), kEcdsaSha256, sign(ec(), EVP_sha256())), "good");
  EXPECT_EQ(verdict(ed25519(), kEd25519, sign(ed25519(), nullptr)), "good");
  for (const char* curve : {"P-384", "P-521"}) {
    const Key key(EVP_EC_gen(curve));
    EXPECT_EQ(verdict(key, kEcdsaSha256, sign(key, EVP_sha256())), "good") << curve;
  }
}

TEST(Signature, OfOtherBytesOrOfAnotherDigestIsWrong) {
  std::string changed = sign(rsa(), EVP_sha256());
  changed[20] = static_cast<char>(changed[20] + 1);
  EXPECT_EQ(verdict(rsa(), kRsaSha256, changed), "signature_wrong");
  EXPECT_EQ(verdict(rsa(), kRsaSha256, ""), "signature_wrong");
  EXPECT_EQ(verdict(rsa(), kRsaSha256, sign(rsa(), EVP_sha384())), "signature_wrong");
  EXPECT_EQ(verdict(rsa(), kRsaSha256, sign(rsa(), EVP_sha256(), 32)), "signature_wrong");
  EXPECT_EQ(verdict(rsa(), pss(kSha256, kSha256, 20), sign(rsa(), EVP_sha256(), 32)),
            "signature_wrong");
  EXPECT_EQ(verdict(ec(), kEcdsaSha256, "\x30\x00"s), "signature_wrong");
}

TEST(Signature, Md5IsRefusedAndSha1UnlessAllowed) {
  const SignaturePolicy lenient{.allow_sha1 = true};
  const std::string md5 = identifier("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", kNull);
  EXPECT_EQ(verdict(rsa(), md5, sign(rsa(), EVP_md5()), lenient), "algorithm_refused");
  const std::string rsa_sha1 = identifier("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", kNull);
  const std::string by_sha1 = sign(rsa(), EVP_sha1());
  EXPECT_EQ(verdict(rsa(), rsa_sha1, by_sha1), "algorithm_refused");
  EXPECT_EQ(verdict(rsa(), rsa_sha1, by_sha1, lenient), "good");
  // RSASSA-PSS without parameters means SHA-1.
  const std::string pss_sha1 = identifier(kPssOid, der(0x30, {}));
  EXPECT_EQ(verdict(rsa(), pss_sha1, sign(rsa(), EVP_sha1(), 20)), "algorithm_refused");
  EXPECT_EQ(verdict(rsa(), pss_sha1, sign(rsa(), EVP_sha1(), 20), lenient), "good");
}

TEST(Signature, AKeyOfAnotherTypeIsAMismatch) {
  EXPECT_EQ(verdict(ec(), kRsaSha256, "x"), "algorithm_mismatch");
  EXPECT_EQ(verdict(rsa(), kEcdsaSha256, "x"), "algorithm_mismatch");
  EXPECT_EQ(verdict(rsa(), kEd25519, "x"), "algorithm_mismatch");
}

TEST(Signature, AKeyForPssAloneSignsNothingElse) {
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_id(EVP_PKEY_RSA_PSS, nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_keygen_md(context.get(), EVP_sha256()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(context.get(), EVP_sha256()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(context.get(), 32), 1);
  ASSERT_EQ(EVP_PKEY_keygen(context.get(), &made), 1);
  const Key key(made);
  EXPECT_EQ(verdict(key, pss(kSha256, kSha256, 32), sign(key, EVP_sha256(), 32)), "good");
  EXPECT_EQ(verdict(key, kRsaSha256, sign(key, EVP_sha256(), 32)), "algorithm_mismatch");
  EXPECT_EQ(verdict(key, pss(kSha256, kSha256, 20), "x"), "algorithm_mismatch");
  EXPECT_EQ(verdict(key, pss(kSha1, kSha1, 32), "x", {.allow_sha1 = true}), "algorithm_mismatch");
}

TEST(Signature, AShortRsaKeyIsRefused) {
  const Key key(EVP_RSA_gen(1024));
  const std::string signature = sign(key, EVP_sha256());
  EXPECT_EQ(verdict(key, kRsaSha256, signature), "algorithm_refused");
  EXPECT_EQ(verdict(key, kRsaSha256, signature, {.rsa_bits_min = 1024}), "good");
}

TEST(Signature, ParametersMustBeThoseOfTheAlgorithm) {
  const std::string rsa_without = identifier("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b");
  EXPECT_EQ(verdict(rsa(), rsa_without, sign(rsa(), EVP_sha256())), "good");
  const std::string refused[] = {
      identifier("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", der(0x04, {"x"})),
      identifier("\x2a\x86\x48\xce\x3d\x04\x03\x02", kNull),
      identifier("\x2b\x65\x70", kNull),
      identifier("\x2a\x03", kNull),
      identifier(kPssOid),
      identifier(kPssOid, kNull),
      pss(kSha256, kSha1, 32),
      pss(kSha256, kSha256, '\xff'),
      identifier(kPssOid, der(0x30, {der(0xa3, {der(0x02, {"\x02"})})})),
      identifier(kPssOid, der(0x30, {der(0xa4, {der(0x02, {"\x01"})})})),
  };
  for (const std::string& algorithm : refused) {
    EXPECT_EQ(verdict(rsa(), algorithm, "x", {.allow_sha1 = true}), "algorithm_refused")
        << hex(as_bytes(algorithm));
  }
  for (const std::string& algorithm : {""s, der(0x31, {}), kRsaSha256 + "x", der(0x30, {kNull})}) {
    EXPECT_EQ(verdict(rsa(), algorithm, "x"), "malformed") << hex(as_bytes(algorithm));
  }
}

TEST(PublicKeyTest, TellsItsTypeAndSize) {
  const auto type = [](const Key& key) {
    const auto parsed = PublicKey::parse(as_bytes(key.spki));
    return parsed ? std::string(parsed->type()) + " " + std::to_string(parsed->bits()) : "";
  };
  EXPECT_EQ(type(rsa()), "RSA 2048");
  EXPECT_EQ(type(ec()), "EC 256");
  EXPECT_EQ(type(ed25519()), "Ed25519 256");
}

TEST(PublicKeyTest, RefusesOtherTypesAndWhatIsNone) {
  const auto reason = [](const std::string& spki) {
    const auto parsed = PublicKey::parse(as_bytes(spki));
    return parsed ? "good" : std::string(to_string(parsed.error().reason));
  };
  EXPECT_EQ(reason(Key(EVP_EC_gen("secp256k1")).spki), "algorithm_refused");
  EXPECT_EQ(reason(Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")).spki), "algorithm_refused");
  EXPECT_EQ(reason(Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")).spki), "algorithm_refused");
  EXPECT_EQ(reason(""), "malformed");
  EXPECT_EQ(reason(rsa().spki + "x"), "malformed");
  EXPECT_EQ(reason(der(0x30, {identifier("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", kNull),
                              der(0x03, {"\x00junk"s})})),
            "malformed");
}

TEST(AlgorithmName, IsTheUsualOneOrTheDottedOid) {
  EXPECT_EQ(algorithm_name(as_bytes(kRsaSha256)), "sha256WithRSAEncryption");
  EXPECT_EQ(algorithm_name(as_bytes(pss(kSha256, kSha256, 32))), "rsassaPss");
  EXPECT_EQ(algorithm_name(as_bytes(kEcdsaSha256)), "ecdsa-with-SHA256");
  EXPECT_EQ(algorithm_name(as_bytes(kEd25519)), "Ed25519");
  EXPECT_EQ(algorithm_name(as_bytes(identifier("\x2a\x03"))), "1.2.3");
  EXPECT_EQ(algorithm_name(as_bytes("junk")), "malformed 6a756e6b");
}

TEST(ObjectIdentifier, IsWrittenWithDots) {
  EXPECT_EQ(dotted(as_bytes("\x2a\x86\x48\x86\xf7\x0d")), "1.2.840.113549");
  EXPECT_EQ(dotted(as_bytes("\x00"s)), "0.0");
  EXPECT_EQ(dotted(as_bytes("\x27")), "0.39");
  EXPECT_EQ(dotted(as_bytes("\x28")), "1.0");
  EXPECT_EQ(dotted(as_bytes("\x88\x37\x03")), "2.999.3");
  EXPECT_EQ(dotted(as_bytes("\x80\x01")), "malformed 8001");
  EXPECT_EQ(dotted({}), "malformed ");
  const std::string longest = "\x2a\x81" + std::string(8, '\xff') + "\x7f";
  EXPECT_EQ(dotted(as_bytes(longest)), "1.2.18446744073709551615");
  const std::string too_long = "\x2a\x82" + std::string(8, '\xff') + "\x7f";
  EXPECT_EQ(dotted(as_bytes(too_long)), "malformed " + hex(as_bytes(too_long)));
}

TEST(Hash, IsThatOfTheStandards) {
  EXPECT_EQ(hex(sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace revcache::pki
