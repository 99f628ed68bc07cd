#include "pki/ocsp_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ocsp.h>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
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

constexpr WallSeconds kThisUpdate = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};
constexpr WallSeconds kNextUpdate = kThisUpdate + std::chrono::hours(1);
constexpr WallSeconds kProduced = kThisUpdate + std::chrono::minutes(7);

// SHA-1 with NULL parameters unless `algorithm` says otherwise.
std::string cert_id(std::string_view serial = "\x11"sv,
                    std::string_view algorithm = "\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00"sv,
                    std::size_t hash_bytes = 20) {
  const std::string hash(hash_bytes, 'h');
  return der(0x30,
             {der(0x30, {algorithm}), der(0x04, {hash}), der(0x04, {hash}), der(0x02, {serial})});
}

const Identity& authority() {
  static const Identity made = make_authority();
  return made;
}

ResponderId responder() { return ResponderId::by_key(*authority().certificate); }

// Around a signature that nobody made: for what only the form is looked at.
std::string unsigned_response(std::span<const SingleAnswer> answers,
                              std::optional<ByteView> nonce = std::nullopt,
                              const ResponderId& id = responder()) {
  const std::string tbs = encode_response_data(
      {.responder = &id, .produced_at = kProduced, .answers = answers, .nonce = nonce});
  return encode_ocsp_response(
      {.tbs = as_bytes(tbs),
       .signature_algorithm = algorithm_identifier(SignatureScheme::ecdsa_sha256),
       .signature = as_bytes("signature"sv),
       .certificates = {}});
}

OcspBasicPtr decoded(const std::string& response) {
  const auto* at = reinterpret_cast<const unsigned char*>(response.data());
  const OcspResponsePtr whole(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(response.size())));
  if (whole == nullptr || at != as_bytes(response).data() + response.size()) return nullptr;
  if (OCSP_response_status(whole.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return nullptr;
  return OcspBasicPtr(OCSP_response_get1_basic(whole.get()));
}

ParsedOcspResponsePtr parsed(const std::string& response) {
  auto read = parse_ocsp_response(SharedBytes::copy_of(response));
  if (read) return *read;
  ADD_FAILURE() << read.error().detail;
  return nullptr;
}

SingleAnswer answer(std::string_view id, StatusToSign status) {
  return {.cert_id_der = as_bytes(id),
          .status = status,
          .this_update = kThisUpdate,
          .next_update = kNextUpdate};
}

struct ErrorCase {
  OcspResponseStatus status;
  int in_openssl;
};

class OcspErrorResponses : public testing::TestWithParam<ErrorCase> {};

TEST_P(OcspErrorResponses, SayTheirStatusAndNothingElse) {
  const std::string_view bytes = ocsp_error_response(GetParam().status);
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const OcspResponsePtr whole(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(bytes.size())));
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(at, as_bytes(bytes).data() + bytes.size());
  EXPECT_EQ(OCSP_response_status(whole.get()), GetParam().in_openssl);
  EXPECT_EQ(OCSP_response_get1_basic(whole.get()), nullptr);
  const auto ours = parsed(std::string(bytes));
  ASSERT_NE(ours, nullptr);
  EXPECT_EQ(ours->status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Statuses, OcspErrorResponses,
    testing::Values(
        ErrorCase{OcspResponseStatus::malformed_request, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
        ErrorCase{OcspResponseStatus::internal_error, OCSP_RESPONSE_STATUS_INTERNALERROR},
        ErrorCase{OcspResponseStatus::try_later, OCSP_RESPONSE_STATUS_TRYLATER},
        ErrorCase{OcspResponseStatus::sig_required, OCSP_RESPONSE_STATUS_SIGREQUIRED},
        ErrorCase{OcspResponseStatus::unauthorized, OCSP_RESPONSE_STATUS_UNAUTHORIZED}));

struct CertIdCase {
  std::string name;
  std::string der;
};

class CertIdEcho : public testing::TestWithParam<CertIdCase> {};

TEST_P(CertIdEcho, IsExactToTheOctet) {
  const std::string& id = GetParam().der;
  const SingleAnswer one = answer(id, StatusToSign::unknown());
  const std::string response = unsigned_response({&one, 1});
  const auto ours = parsed(response);
  ASSERT_NE(ours, nullptr);
  ASSERT_EQ(ours->responses.size(), 1U);
  EXPECT_EQ(as_text(ours->responses[0].cert_id.der), id);
  EXPECT_NE(decoded(response), nullptr) << "OpenSSL does not read it";
}

constexpr std::string_view kNull = "\x05\x00"sv;

// AlgorithmIdentifier's content for SHA-256 (1), SHA-384 (2), SHA-512 (3).
std::string sha2(char number, std::string_view parameters) {
  std::string content = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02";
  content += number;
  return content + std::string(parameters);
}

INSTANTIATE_TEST_SUITE_P(
    CertIds, CertIdEcho,
    testing::Values(CertIdCase{"Sha1Null", cert_id()},
                    CertIdCase{"Sha1Absent", cert_id("\x11"sv, "\x06\x05\x2b\x0e\x03\x02\x1a"sv)},
                    CertIdCase{"Sha256Null", cert_id("\x11"sv, sha2(1, kNull), 32)},
                    CertIdCase{"Sha256Absent", cert_id("\x11"sv, sha2(1, ""sv), 32)},
                    CertIdCase{"Sha384Null", cert_id("\x11"sv, sha2(2, kNull), 48)},
                    CertIdCase{"Sha384Absent", cert_id("\x11"sv, sha2(2, ""sv), 48)},
                    CertIdCase{"Sha512Null", cert_id("\x11"sv, sha2(3, kNull), 64)},
                    CertIdCase{"Sha512Absent", cert_id("\x11"sv, sha2(3, ""sv), 64)},
                    CertIdCase{"SerialWithSignOctet", cert_id("\x00\xff\x01"sv)},
                    CertIdCase{"NegativeSerial", cert_id("\xff\x01"sv)},
                    CertIdCase{"SerialZero", cert_id("\x00"sv)},
                    CertIdCase{"LongSerial", cert_id(std::string(64, '\x33'))}),
    [](const auto& test) { return test.param.name; });

TEST(OcspBuilder, SaysRevokedWithTimeAndReason) {
  const WallSeconds at = kThisUpdate - std::chrono::days(3);
  const std::string id = cert_id();
  const SingleAnswer one = answer(id, StatusToSign::revoked(at, CrlReason::key_compromise));
  const auto ours = parsed(unsigned_response({&one, 1}));
  ASSERT_NE(ours, nullptr);
  const SingleResponse& single = ours->responses.at(0);
  EXPECT_EQ(single.status, OcspCertStatus::revoked);
  EXPECT_EQ(single.revoked_at, at);
  EXPECT_EQ(single.reason, CrlReason::key_compromise);
  EXPECT_EQ(single.this_update, kThisUpdate);
  EXPECT_EQ(single.next_update, kNextUpdate);
  EXPECT_EQ(ours->produced_at, kProduced);
}

TEST(OcspBuilder, LeavesAReasonOutThatSaysNothing) {
  for (const CrlReason reason : {CrlReason::unspecified, CrlReason::remove_from_crl}) {
    const std::string id = cert_id();
    const SingleAnswer one = answer(id, StatusToSign::revoked(kThisUpdate, reason));
    const OcspBasicPtr basic = decoded(unsigned_response({&one, 1}));
    ASSERT_NE(basic, nullptr);
    int written = 0;
    OCSP_single_get0_status(OCSP_resp_get0(basic.get(), 0), &written, nullptr, nullptr, nullptr);
    EXPECT_EQ(written, OCSP_REVOKED_STATUS_NOSTATUS);
  }
}

TEST(OcspBuilder, SaysUnknownUnlessToldOtherwise) {
  const std::string id = cert_id();
  const SingleAnswer one = answer(id, StatusToSign{});
  const auto ours = parsed(unsigned_response({&one, 1}));
  ASSERT_NE(ours, nullptr);
  EXPECT_EQ(ours->responses.at(0).status, OcspCertStatus::unknown);
}

// Not a conversion, not a number, not an enumerator: only a type that was derived for it.
TEST(OcspBuilder, LetsNobodySayGoodWithoutAProof) {
  static_assert(!std::is_default_constructible_v<ProofOfGood>);
  static_assert(!std::is_constructible_v<StatusToSign, OcspCertStatus>);
  static_assert(!std::is_aggregate_v<StatusToSign>);
  const std::string id = cert_id();
  const SingleAnswer one = answer(id, StatusToSign::good(AnyProof()));
  const auto ours = parsed(unsigned_response({&one, 1}));
  ASSERT_NE(ours, nullptr);
  EXPECT_EQ(ours->responses.at(0).status, OcspCertStatus::good);
}

TEST(OcspBuilder, AnswersSeveralQuestionsInTheirOrder) {
  std::vector<std::string> ids;
  for (char serial = 1; serial <= 64; ++serial) ids.push_back(cert_id(std::string(1, serial)));
  std::vector<SingleAnswer> answers;
  for (const std::string& id : ids) {
    answers.push_back(answer(
        id, answers.size() % 2 == 0 ? StatusToSign::good(AnyProof()) : StatusToSign::unknown()));
  }
  const auto ours = parsed(unsigned_response(answers));
  ASSERT_NE(ours, nullptr);
  ASSERT_EQ(ours->responses.size(), 64U);
  for (std::size_t at = 0; at < ids.size(); ++at) {
    EXPECT_EQ(as_text(ours->responses[at].cert_id.der), ids[at]);
    EXPECT_EQ(ours->responses[at].status,
              at % 2 == 0 ? OcspCertStatus::good : OcspCertStatus::unknown);
  }
}

TEST(OcspBuilder, EchoesANonceOfAnyAllowedLength) {
  for (const std::size_t length : {1U, 32U, 128U}) {
    const std::string nonce(length, 'n');
    const std::string id = cert_id();
    const SingleAnswer one = answer(id, StatusToSign::unknown());
    const std::string response = unsigned_response({&one, 1}, as_bytes(nonce));
    const auto ours = parsed(response);
    ASSERT_NE(ours, nullptr);
    ASSERT_TRUE(ours->nonce.has_value());
    EXPECT_EQ(as_text(*ours->nonce), nonce);
    const OcspBasicPtr basic = decoded(response);
    ASSERT_NE(basic, nullptr);
    EXPECT_GE(OCSP_BASICRESP_get_ext_by_NID(basic.get(), NID_id_pkix_OCSP_Nonce, -1), 0);
  }
}

TEST(OcspBuilder, NamesTheResponderByKeyOrByName) {
  const Certificate& signer = *authority().certificate;
  const std::string id = cert_id();
  const SingleAnswer one = answer(id, StatusToSign::unknown());
  const auto by_key = parsed(unsigned_response({&one, 1}));
  ASSERT_NE(by_key, nullptr);
  EXPECT_EQ(hex(by_key->responder_key_hash), hex(sha1(signer.public_key)));
  EXPECT_TRUE(by_key->responder_name.empty());
  const auto by_name =
      parsed(unsigned_response({&one, 1}, std::nullopt, ResponderId::by_name(signer)));
  ASSERT_NE(by_name, nullptr);
  EXPECT_EQ(hex(by_name->responder_name), hex(signer.subject));
  EXPECT_TRUE(by_name->responder_key_hash.empty());
}

// What another encoder makes of what it decoded is the same: our bytes are DER.
TEST(OcspBuilder, WritesWhatOpensslWouldWrite) {
  const std::string id = cert_id();
  const std::string nonce = "nonce";
  const std::vector<SingleAnswer> answers{
      answer(id, StatusToSign::good(AnyProof())),
      answer(id, StatusToSign::revoked(kThisUpdate, CrlReason::superseded)),
      answer(id, StatusToSign::unknown())};
  const std::string response = unsigned_response(answers, as_bytes(nonce));
  const OcspBasicPtr basic = decoded(response);
  ASSERT_NE(basic, nullptr);
  // A copy has no memory of the bytes that it was read from.
  unsigned char* encoded = nullptr;
  const int length = i2d_OCSP_RESPDATA(OCSP_resp_get0_respdata(basic.get()), &encoded);
  ASSERT_GT(length, 0);
  const std::string again(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length));
  OPENSSL_free(encoded);
  EXPECT_THAT(response, HasSubstr(again));
}

TEST(OcspBuilderDeathTest, RefusesToBuildAResponseWithoutAnswers) {
  EXPECT_DEATH(unsigned_response({}), "answers.empty");
}

}  // namespace
}  // namespace revcache::pki
