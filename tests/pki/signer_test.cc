#include "pki/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pki/openssl_ptr.h"
#include "tests/pki/der_text.h"
#include "tests/pki/signer_identities.h"

namespace revcache::pki {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

using OcspResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>>;
using OcspBasicPtr = std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;

void free_certificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }
using X509StackPtr = std::unique_ptr<STACK_OF(X509), FreeWith<free_certificates>>;

constexpr WallSeconds kNow = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};
constexpr std::string_view kSerial = "\x0a\x1b\x2c"sv;

X509Ptr x509_of(const Identity& identity) {
  const BioPtr bio(BIO_new_mem_buf(identity.certificate_pem.data(),
                                   static_cast<int>(identity.certificate_pem.size())));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

std::string response_about(const Identity& authority, const Signer& signer, SignatureScheme scheme,
                           StatusToSign status = StatusToSign::good(AnyProof())) {
  const std::string id =
      encode_cert_id(CertIdHash::sha1, *authority.certificate, as_bytes(kSerial));
  const SingleAnswer answer{.cert_id_der = as_bytes(id),
                            .status = status,
                            .this_update = kNow,
                            .next_update = kNow + std::chrono::hours(1)};
  auto response =
      signer.respond({.produced_at = kNow, .answers = {&answer, 1}, .nonce = std::nullopt}, scheme);
  EXPECT_TRUE(response.has_value());
  return response.value_or("");
}

// OCSP_basic_verify with `trusted` as root and, for an independent responder, as -VAfile names it.
bool openssl_accepts(const std::string& response, const Identity& trusted, bool as_responder) {
  const auto* at = reinterpret_cast<const unsigned char*>(response.data());
  const OcspResponsePtr whole(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size())));
  if (whole == nullptr) return false;
  const OcspBasicPtr basic(OCSP_response_get1_basic(whole.get()));
  const X509StorePtr store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), x509_of(trusted).get());
  const X509StackPtr responders(sk_X509_new_null());
  if (as_responder) sk_X509_push(responders.get(), x509_of(trusted).release());
  return OCSP_basic_verify(basic.get(), responders.get(), store.get(),
                           as_responder ? OCSP_TRUSTOTHER : 0UL) == 1;
}

struct RelationCase {
  std::string name;
  std::string_view authority_key;
  std::string_view signer_key;  // empty: the authority signs
  bool delegated;
};

class SignedResponses : public testing::TestWithParam<RelationCase> {
 protected:
  SignedResponses()
      : authority_(make_authority("Authority", GetParam().authority_key)),
        own_(GetParam().signer_key.empty()),
        signer_(own_ ? authority_
                     : make_ocsp_signer(GetParam().delegated ? &authority_ : nullptr,
                                        GetParam().signer_key)) {}

  [[nodiscard]] bool is_independent() const { return !own_ && !GetParam().delegated; }

  Identity authority_;
  bool own_;
  Identity signer_;
};

TEST_P(SignedResponses, AreAcceptedByOpenssl) {
  const SignerPtr signer = signer_of(signer_);
  const std::string response = response_about(authority_, *signer, signer->scheme_for({}));
  EXPECT_TRUE(openssl_accepts(response, is_independent() ? signer_ : authority_, is_independent()));
  // The check can fail.
  EXPECT_FALSE(openssl_accepts(response, make_authority("Stranger"), false));
  std::string forged = response;
  forged.at(forged.find("\x18\x0f"sv) + 5) ^= 1;
  EXPECT_FALSE(openssl_accepts(forged, is_independent() ? signer_ : authority_, is_independent()));
}

TEST_P(SignedResponses, AreAcceptedByOurOwnVerification) {
  const SignerPtr signer = signer_of(signer_);
  const std::string response =
      response_about(authority_, *signer, signer->scheme_for({}),
                     StatusToSign::revoked(kNow - std::chrono::days(1), CrlReason::superseded));
  const auto parsed = parse_ocsp_response(SharedBytes::copy_of(response));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  std::vector<CertificatePtr> trusted;
  if (is_independent()) trusted.push_back(signer_.certificate);
  const auto verified =
      verify_ocsp_response(*parsed, *authority_.certificate, trusted, kNow, SignaturePolicy{});
  ASSERT_TRUE(verified.has_value()) << verified.error().detail;
  ResponderKind expected = ResponderKind::issuer;
  if (!own_) expected = GetParam().delegated ? ResponderKind::delegated : ResponderKind::trusted;
  EXPECT_EQ((*verified)->responder(), expected);
  const SingleResponse* single = (*verified)->find(*authority_.certificate, as_bytes(kSerial));
  ASSERT_NE(single, nullptr);
  EXPECT_EQ(single->status, OcspCertStatus::revoked);
  EXPECT_EQ(single->reason, CrlReason::superseded);
}

TEST_P(SignedResponses, CarryTheSignersCertificate) {
  const SignerPtr signer = signer_of(signer_);
  const auto parsed = parse_ocsp_response(
      SharedBytes::copy_of(response_about(authority_, *signer, signer->scheme_for({}))));
  ASSERT_TRUE(parsed.has_value());
  ASSERT_EQ((*parsed)->certificates.size(), 1U);
  EXPECT_EQ((*parsed)->certificates[0]->der.text(), signer_.certificate->der.text());
}

INSTANTIATE_TEST_SUITE_P(Relations, SignedResponses,
                         testing::Values(RelationCase{"AuthorityRsa", "RSA-2048", "", false},
                                         RelationCase{"AuthorityEc", "P-384", "", false},
                                         RelationCase{"DelegatedRsa", "P-256", "RSA-2048", true},
                                         RelationCase{"DelegatedP256", "RSA-2048", "P-256", true},
                                         RelationCase{"DelegatedP384", "P-256", "P-384", true},
                                         RelationCase{"DelegatedP521", "P-256", "P-521", true},
                                         RelationCase{"IndependentRsa", "P-256", "RSA-2048", false},
                                         RelationCase{"IndependentP256", "RSA-2048", "P-256",
                                                      false}),
                         [](const auto& test) { return test.param.name; });

TEST(Signer, EmbedsTheChainThatItWasGiven) {
  const Identity root = make_authority("Root");
  const Identity identity = make_ocsp_signer(&root);
  const auto key = SignerKey::parse(identity.key_pem);
  ASSERT_TRUE(key.has_value());
  const auto signer = Signer::make({identity.certificate, root.certificate}, *key);
  ASSERT_TRUE(signer.has_value());
  const auto parsed = parse_ocsp_response(
      SharedBytes::copy_of(response_about(root, **signer, SignatureScheme::ecdsa_sha256)));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ((*parsed)->certificates.size(), 2U);
}

// --- The signature algorithm ------------------------------------------------------------------

std::string algorithm(std::string_view oid, std::string_view parameters = "") {
  return der(0x30, {der(0x06, {oid}), parameters});
}

const std::string kRsaSha1 = algorithm("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "\x05\x00"sv);
const std::string kRsaSha512 = algorithm("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", "\x05\x00"sv);
const std::string kEcdsaSha256 = algorithm("\x2a\x86\x48\xce\x3d\x04\x03\x02");
const std::string kEcdsaSha384 = algorithm("\x2a\x86\x48\xce\x3d\x04\x03\x03");
const std::string kUnheardOf = algorithm("\x2a\x03\x04");

std::string preference(std::initializer_list<std::string_view> algorithms) {
  std::string list;
  for (const std::string_view one : algorithms) list += der(0x30, {one});
  return der(0x30, {list});
}

struct PreferenceCase {
  std::string name;
  std::string_view key;
  std::string preferred;
  SignatureScheme chosen;
};

class PreferredAlgorithms : public testing::TestWithParam<PreferenceCase> {};

TEST_P(PreferredAlgorithms, AreHonouredWhereTheKeyCan) {
  const Identity authority = make_authority("Authority", GetParam().key);
  const SignerPtr signer = signer_of(authority);
  const SignatureScheme chosen = signer->scheme_for(as_bytes(GetParam().preferred));
  EXPECT_EQ(chosen, GetParam().chosen);
  EXPECT_TRUE(openssl_accepts(response_about(authority, *signer, chosen), authority, false));
}

INSTANTIATE_TEST_SUITE_P(
    Preferences, PreferredAlgorithms,
    testing::Values(PreferenceCase{"None", "P-256", "", SignatureScheme::ecdsa_sha256},
                    PreferenceCase{"NoneForP384", "P-384", "", SignatureScheme::ecdsa_sha384},
                    PreferenceCase{"NoneForRsa", "RSA-2048", "", SignatureScheme::rsa_sha256},
                    PreferenceCase{"OtherDigest", "P-256", preference({kEcdsaSha384}),
                                   SignatureScheme::ecdsa_sha384},
                    PreferenceCase{"OtherDigestForRsa", "RSA-2048", preference({kRsaSha512}),
                                   SignatureScheme::rsa_sha512},
                    PreferenceCase{"FirstThatFits", "RSA-2048",
                                   preference({kUnheardOf, kEcdsaSha256, kRsaSha512}),
                                   SignatureScheme::rsa_sha512},
                    PreferenceCase{"NeverSha1", "RSA-2048", preference({kRsaSha1}),
                                   SignatureScheme::rsa_sha256},
                    PreferenceCase{"OnlyOfOtherKeys", "P-256", preference({kRsaSha512}),
                                   SignatureScheme::ecdsa_sha256},
                    PreferenceCase{"Malformed", "P-256", "\x30\x05", SignatureScheme::ecdsa_sha256},
                    PreferenceCase{"NotAList", "P-256", "text", SignatureScheme::ecdsa_sha256}),
    [](const auto& test) { return test.param.name; });

// --- Keys -------------------------------------------------------------------------------------

TEST(SignerMake, RefusesTheKeyOfAnotherCertificate) {
  for (const std::string_view other : {"P-256"sv, "RSA-2048"sv}) {
    const auto key = SignerKey::parse(make_authority("Other", other).key_pem);
    ASSERT_TRUE(key.has_value());
    const auto signer = Signer::make({make_authority().certificate}, *key);
    ASSERT_FALSE(signer.has_value());
    EXPECT_EQ(signer.error().code, ErrorCode::untrusted);
    EXPECT_THAT(signer.error().detail, HasSubstr("does not belong"));
  }
}

TEST(SignerMake, RefusesKeysThatClientsDoNotTakeOrKnow) {
  const Identity weak = make_ocsp_signer(nullptr, "RSA-1024");
  const auto weak_key = SignerKey::parse(weak.key_pem);
  ASSERT_TRUE(weak_key.has_value());
  const auto refused = Signer::make({weak.certificate}, *weak_key);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("1024 bits"));

  const Identity unknown = make_ocsp_signer(nullptr, "ED25519");
  const auto unknown_key = SignerKey::parse(unknown.key_pem);
  ASSERT_TRUE(unknown_key.has_value());
  const auto unsupported = Signer::make({unknown.certificate}, *unknown_key);
  ASSERT_FALSE(unsupported.has_value());
  EXPECT_EQ(unsupported.error().code, ErrorCode::unsupported);
}

TEST(SignerMake, NeedsOneToEightCertificates) {
  const Identity authority = make_authority();
  const auto key = SignerKey::parse(authority.key_pem);
  ASSERT_TRUE(key.has_value());
  EXPECT_FALSE(Signer::make({}, *key).has_value());
  EXPECT_TRUE(Signer::make(std::vector(8, authority.certificate), *key).has_value());
  EXPECT_FALSE(Signer::make(std::vector(9, authority.certificate), *key).has_value());
}

TEST(SignerKeyParse, SaysWhyItRefuses) {
  const auto junk = SignerKey::parse("no key at all");
  ASSERT_FALSE(junk.has_value());
  EXPECT_THAT(junk.error().detail, HasSubstr("no private key in PEM or DER"));
  const auto encrypted = SignerKey::parse(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n-----END ENCRYPTED PRIVATE KEY-----\n");
  ASSERT_FALSE(encrypted.has_value());
  EXPECT_THAT(encrypted.error().detail, HasSubstr("passphrase"));
  EXPECT_FALSE(SignerKey::parse(std::string(kPrivateKeyBytesMax + 1, 'x')).has_value());
}

TEST(SignerKeyParse, ReadsDerToo) {
  const Identity authority = make_authority();
  const BioPtr bio(
      BIO_new_mem_buf(authority.key_pem.data(), static_cast<int>(authority.key_pem.size())));
  const EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  unsigned char* encoded = nullptr;
  const int length = i2d_PrivateKey(key.get(), &encoded);
  ASSERT_GT(length, 0);
  const std::string bytes(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length));
  OPENSSL_free(encoded);
  const auto parsed = SignerKey::parse(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_TRUE(Signer::make({authority.certificate}, *parsed).has_value());
}

// Threads share workspaces of several schemes; none may see another's half-made signature.
TEST(SignerKey, SignsForSeveralThreadsAtOnce) {
  const Identity authority = make_authority();
  const SignerPtr signer = signer_of(authority);
  const auto certified = PublicKey::parse(authority.certificate->spki);
  ASSERT_TRUE(certified.has_value());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 50; ++round) {
        const SignatureScheme scheme =
            round % 2 == 0 ? SignatureScheme::ecdsa_sha256 : SignatureScheme::ecdsa_sha384;
        const std::string text = std::to_string(thread) + "," + std::to_string(round);
        const auto signature = signer->sign(as_bytes(text), scheme);
        const bool right = signature && verify_signature(*certified, algorithm_identifier(scheme),
                                                         as_bytes(text), as_bytes(*signature), {});
        if (!right) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace revcache::pki
