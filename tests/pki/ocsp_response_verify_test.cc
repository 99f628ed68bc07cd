// RFC 6960 3.2, 4.2.2.2: which responses are evidence, by file and by the minute.
#include <gtest/gtest.h>
#include <openssl/ocsp.h>

#include <span>
#include <string>
#include <vector>

#include "pki/ocsp_response.h"
#include "pki/openssl_ptr.h"
#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

using namespace std::chrono_literals;
using Responders = std::vector<CertificatePtr>;

CertificatePtr certificate(const std::string& name) {
  auto parsed = parse_certificate(SharedBytes::take(test_file("ocsp_response/" + name + ".der")));
  if (parsed) return *parsed;
  ADD_FAILURE() << name << ": " << parsed.error().detail;
  return std::make_shared<const Certificate>();
}

CertificatePtr issuer() { return certificate("issuer"); }

ParsedOcspResponsePtr response(const std::string& file) {
  auto parsed = parse_ocsp_response(SharedBytes::take(test_file(file)));
  if (parsed) return *parsed;
  ADD_FAILURE() << file << ": " << parsed.error().detail;
  return nullptr;
}

WallTime minute_after(const ParsedOcspResponse& parsed) { return parsed.produced_at + 1min; }

// Whom the administrator trusts, as the file's name says.
Responders trusted_of(const std::string& file) {
  if (file.contains("trusted_for_web")) return {certificate("trusted_responder_for_web")};
  if (file.contains("trusted")) return {certificate("trusted_responder")};
  return {};
}

Checked<VerifiedOcspResponsePtr> verify(const std::string& file, const SignaturePolicy& policy) {
  const auto parsed = response(file);
  const Responders trusted = trusted_of(file);
  return verify_ocsp_response(parsed, *issuer(), trusted, minute_after(*parsed), policy);
}

const SingleResponse* find(const VerifiedOcspResponse& verified, std::string_view serial) {
  return verified.find(*issuer(), as_bytes(serial));
}

class Accepted : public testing::TestWithParam<std::string> {};

TEST_P(Accepted, SaysWhatItsNameSays) {
  const auto verified = verify(GetParam(), {});
  ASSERT_TRUE(verified) << to_string(verified.error().reason) << ": " << verified.error().detail;
  const SingleResponse* single = find(**verified, "\x10\x01");
  ASSERT_NE(single, nullptr);
  const std::string verdict = name_of_file({GetParam(), 0});
  EXPECT_TRUE(verdict.starts_with(to_string(single->status))) << to_string(single->status);
}

std::vector<std::string> accepted_files() {
  std::vector<std::string> files;
  for (const char* verdict : {"good_", "revoked_", "unknown_"}) {
    for (auto& file : test_files("ocsp_response", verdict)) files.push_back(std::move(file));
  }
  return files;
}

INSTANTIATE_TEST_SUITE_P(Ocsp, Accepted, testing::ValuesIn(accepted_files()), name_of_file);

class RefusedFile : public testing::TestWithParam<std::string> {};

TEST_P(RefusedFile, IsRefusedForTheReasonInItsName) {
  const auto verified = verify(GetParam(), {});
  ASSERT_FALSE(verified);
  const std::string verdict = name_of_file({GetParam(), 0}).substr(std::size("refused_") - 1);
  EXPECT_TRUE(verdict.starts_with(to_string(verified.error().reason)))
      << to_string(verified.error().reason) << ": " << verified.error().detail;
  EXPECT_FALSE(verified.error().detail.empty());
}

INSTANTIATE_TEST_SUITE_P(Ocsp, RefusedFile,
                         testing::ValuesIn(test_files("ocsp_response", "refused_")), name_of_file);

TEST(OcspVerification, ReachesEveryReasonThatItCanGive) {
  for (const Refusal reason :
       {Refusal::responder_not_authorized, Refusal::algorithm_refused, Refusal::algorithm_mismatch,
        Refusal::signature_wrong, Refusal::unknown_critical_extension, Refusal::cert_id_mismatch,
        Refusal::not_yet_valid, Refusal::expired}) {
    const std::string prefix = "refused_" + std::string(to_string(reason));
    EXPECT_FALSE(test_files("ocsp_response", prefix).empty()) << prefix;
  }
}

TEST(OcspVerification, ErrorStatusIsNoEvidence) {
  const auto files = test_files("ocsp_response", "error_");
  EXPECT_EQ(files.size(), 5U);
  for (const auto& file : files) {
    const auto verified = verify(file, {});
    ASSERT_FALSE(verified) << file;
    EXPECT_EQ(verified.error().reason, Refusal::not_successful) << file;
  }
}

TEST(OcspVerification, SaysWhoseKeySigned) {
  const auto by_ca = verify("ocsp_response/good_by_ca.der", {});
  EXPECT_EQ((*by_ca)->responder(), ResponderKind::issuer);
  EXPECT_EQ((*by_ca)->signer(), nullptr);
  const auto delegated = verify("ocsp_response/good_openssl_delegated.der", {});
  EXPECT_EQ((*delegated)->responder(), ResponderKind::delegated);
  EXPECT_TRUE((*delegated)->signer()->ocsp_nocheck);
  const auto trusted = verify("ocsp_response/good_trusted.der", {});
  EXPECT_EQ((*trusted)->responder(), ResponderKind::trusted);
  EXPECT_EQ((*trusted)->signer()->der.text(), certificate("trusted_responder")->der.text());
}

TEST(OcspVerification, ResponderIsTrustedOnlyWhenTheAdministratorSaysSo) {
  for (const char* file :
       {"ocsp_response/good_trusted.der", "ocsp_response/good_trusted_by_key_not_embedded.der"}) {
    const auto parsed = response(file);
    const auto verified = verify_ocsp_response(parsed, *issuer(), {}, minute_after(*parsed), {});
    ASSERT_FALSE(verified) << file;
    EXPECT_EQ(verified.error().reason, Refusal::responder_not_authorized) << file;
  }
}

TEST(OcspVerification, TrustedResponderMustBeValid) {
  const auto parsed = response("ocsp_response/good_trusted.der");
  const Responders trusted{certificate("trusted_responder")};
  const WallTime later = trusted[0]->not_after + 1s;
  const auto verified = verify_ocsp_response(parsed, *issuer(), trusted, later, {});
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().reason, Refusal::responder_not_authorized);
}

TEST(OcspVerification, OtherIssuersResponsesAreNotThisOnes) {
  const auto parsed = response("ocsp_response/good_by_ca.der");
  const auto other = certificate("trusted_responder");
  const auto verified = verify_ocsp_response(parsed, *other, {}, minute_after(*parsed), {});
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().reason, Refusal::responder_not_authorized);
}

TEST(OcspVerification, Sha1IsAcceptedWhenThePolicyAllowsIt) {
  const SignaturePolicy policy{.allow_sha1 = true};
  EXPECT_TRUE(verify("ocsp_response/refused_algorithm_refused_sha1.der", policy));
  EXPECT_TRUE(verify("ocsp_response/refused_algorithm_refused_certificate.der", policy));
}

TEST(OcspVerification, HoldsFromFiveMinutesAheadUntilNextUpdate) {
  const auto parsed = response("ocsp_response/good_by_ca.der");
  const WallTime this_update = parsed->responses[0].this_update;
  const WallTime next_update = *parsed->responses[0].next_update;
  ASSERT_EQ(this_update, WallTime(parsed->produced_at));
  const auto at = [&](WallTime now) {
    const auto verified = verify_ocsp_response(parsed, *issuer(), {}, now, {});
    return verified ? "accepted" : to_string(verified.error().reason);
  };
  EXPECT_EQ(at(this_update - 5min - 1ms), "not_yet_valid");
  EXPECT_EQ(at(this_update - 5min), "accepted");
  EXPECT_EQ(at(next_update), "accepted");
  EXPECT_EQ(at(next_update + 1ms), "expired");
}

TEST(OcspVerification, FindsOneAnswerBySerialAndIssuer) {
  const auto verified = verify("ocsp_response/good_openssl_several.der", {});
  ASSERT_TRUE(verified);
  EXPECT_EQ(find(**verified, "\x10\x01")->status, OcspCertStatus::good);
  EXPECT_EQ(find(**verified, std::string_view("\0\0\x20\x02", 4))->status, OcspCertStatus::revoked);
  EXPECT_EQ(find(**verified, "\x30\x03")->status, OcspCertStatus::unknown);
  EXPECT_EQ(find(**verified, "\x10\x02"), nullptr);
  EXPECT_EQ((*verified)->find(*certificate("trusted_responder"), as_bytes("\x10\x01")), nullptr);
}

using OcspResponsePtr = std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>>;
using BasicResponsePtr = std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>>;
using StorePtr = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;

X509Ptr openssl_certificate(const Certificate& ours) {
  const auto* at = ours.der.bytes().data();
  return X509Ptr(d2i_X509(nullptr, &at, static_cast<long>(ours.der.size())));
}

// As `openssl ocsp -VAfile` would.
bool openssl_accepts(const std::string& der, const Responders& trusted, WallTime now) {
  const auto* at = as_bytes(der).data();
  const OcspResponsePtr whole(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const BasicResponsePtr basic(OCSP_response_get1_basic(whole.get()));
  const StorePtr store(X509_STORE_new());
  const X509Ptr anchor = openssl_certificate(*issuer());
  X509_STORE_add_cert(store.get(), anchor.get());
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()),
                             std::chrono::system_clock::to_time_t(now));
  STACK_OF(X509)* certificates = sk_X509_new_null();
  for (const auto& responder : trusted) {
    sk_X509_push(certificates, openssl_certificate(*responder).release());
  }
  sk_X509_push(certificates, openssl_certificate(*issuer()).release());
  const bool accepted =
      OCSP_basic_verify(basic.get(), certificates, store.get(), OCSP_TRUSTOTHER) > 0;
  sk_X509_pop_free(certificates, X509_free);
  return accepted;
}

// What we refuse and OCSP_basic_verify does not look at: dates, extensions, weak signatures, the
// CertIDs of a response that an anchor signs itself, and what a trusted responder is for.
bool is_ours_alone(const std::string& file, Refusal reason) {
  return reason == Refusal::not_yet_valid || reason == Refusal::expired ||
         reason == Refusal::unknown_critical_extension || reason == Refusal::algorithm_refused ||
         reason == Refusal::cert_id_mismatch || file.contains("no_digital_signature") ||
         file.contains("trusted_for_web");
}

// Of several certificates with the responder's name it tries the first only.
bool is_openssls_alone(const std::string& file) { return file.contains("among_others"); }

TEST(OcspVerification, AgreesWithOpenssl) {
  auto files = accepted_files();
  for (auto& file : test_files("ocsp_response", "refused_")) files.push_back(std::move(file));
  for (const auto& file : files) {
    const auto verified = verify(file, {});
    const bool expected =
        verified ? !is_openssls_alone(file) : is_ours_alone(file, verified.error().reason);
    const WallTime now = minute_after(*response(file));
    EXPECT_EQ(openssl_accepts(test_file(file), trusted_of(file), now), expected) << file;
  }
}

}  // namespace
}  // namespace revcache::pki
