#include "revocation/signer_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/check.h"
#include "tests/pki/signer_identities.h"

namespace revcache::revocation {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr WallSeconds kNow = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};

pki::Identity authority_until(const std::string& name, WallSeconds not_after,
                              const pki::Identity* issuer = nullptr) {
  return pki::make_identity({.name = name,
                             .issuer = issuer,
                             .extended_key_usage = {},
                             .key_usage = "critical,keyCertSign,cRLSign,digitalSignature",
                             .is_ca = true,
                             .not_after = not_after});
}

pki::Identity signer_until(WallSeconds not_after, const pki::Identity* issuer) {
  return pki::make_identity({.name = "OCSP signer",
                             .issuer = issuer,
                             .extended_key_usage = "OCSPSigning",
                             .key_usage = "critical,digitalSignature",
                             .nocheck = true,
                             .not_after = not_after});
}

pki::SignerPtr with_chain(const pki::Identity& signer,
                          const std::vector<pki::Identity>& chain = {}) {
  std::vector<pki::CertificatePtr> certificates{signer.certificate};
  for (const pki::Identity& link : chain) certificates.push_back(link.certificate);
  const auto key = pki::SignerKey::parse(signer.key_pem);
  CHECK(key.has_value());
  const auto made = pki::Signer::make(certificates, *key);
  CHECK(made.has_value());
  return *made;
}

TEST(VouchedUntil, IsTheEndOfTheAuthoritysOwnCertificateWhenItSigns) {
  const auto authority = authority_until("Root", kNow + days(10));
  const auto stranger = authority_until("Stranger", kNow + days(1));
  EXPECT_EQ(vouched_until(*with_chain(authority, {stranger}), authority.certificate, kNow),
            kNow + days(10));
}

TEST(VouchedUntil, OfADelegatedSignerIsNotPastTheAuthority) {
  const auto authority = authority_until("Root", kNow + days(10));
  const auto over = authority_until("Stranger", kNow + days(1));
  for (const int lifetime : {5, 20}) {
    const auto signer = signer_until(kNow + days(lifetime), &authority);
    const WallSeconds expected = kNow + days(std::min(lifetime, 10));
    EXPECT_EQ(vouched_until(*with_chain(signer), authority.certificate, kNow), expected);
    // What else its file holds vouches for nothing.
    EXPECT_EQ(vouched_until(*with_chain(signer, {over}), authority.certificate, kNow), expected);
  }
}

struct ChainCase {
  std::string name;
  int signer_days;
  int intermediate_days;
  int root_days;
  int expected_days;
};

class IndependentChain : public testing::TestWithParam<ChainCase> {};

TEST_P(IndependentChain, LastsAsLongAsItsFirstLinkThatIsNotOver) {
  const ChainCase& lifetime = GetParam();
  const auto authority = authority_until("Root", kNow + days(1));
  const auto root = authority_until("Signer root", kNow + days(lifetime.root_days));
  const auto intermediate =
      authority_until("Signer CA", kNow + days(lifetime.intermediate_days), &root);
  const auto signer = signer_until(kNow + days(lifetime.signer_days), &intermediate);
  EXPECT_EQ(vouched_until(*with_chain(signer, {intermediate, root}), authority.certificate, kNow),
            kNow + days(lifetime.expected_days));
}

INSTANTIATE_TEST_SUITE_P(Table, IndependentChain,
                         testing::Values(ChainCase{"SignerFirst", 5, 10, 20, 5},
                                         ChainCase{"IntermediateFirst", 20, 10, 30, 10},
                                         ChainCase{"RootFirst", 30, 20, 10, 10},
                                         ChainCase{"IntermediateOver", 20, -1, 30, 20},
                                         ChainCase{"SignerOver", -1, 10, 20, -1}),
                         [](const auto& made) { return made.param.name; });

TEST(VouchedUntil, LooksAtNoLinkBeyondOneThatDidNotIssueTheOneBefore) {
  const auto authority = authority_until("Root", kNow + days(1));
  const auto root = authority_until("Signer root", kNow + days(10));
  const auto stranger = authority_until("Stranger", kNow + days(2));
  const auto signer = signer_until(kNow + days(20), &root);
  EXPECT_EQ(vouched_until(*with_chain(signer, {stranger, root}), authority.certificate, kNow),
            kNow + days(20));
}

TEST(NotEntitled, SaysWhyForWhomAndWhatToDoButNothingOfDates) {
  const auto authority = pki::make_authority();
  const auto over = signer_until(kNow - days(1), &authority);
  EXPECT_EQ(not_entitled(*with_chain(over), "contoso", *authority.certificate, kNow), "");
  const auto no_usage = pki::make_identity({.name = "A server",
                                            .issuer = &authority,
                                            .extended_key_usage = {},
                                            .key_usage = "critical,digitalSignature",
                                            .not_after = kNow - days(1)});
  EXPECT_THAT(not_entitled(*with_chain(no_usage), "contoso", *authority.certificate, kNow),
              AllOf(HasSubstr("authority \"contoso\""), HasSubstr("id-kp-OCSPSigning"),
                    HasSubstr("revcache signer new"), Not(HasSubstr("expired"))));
}

TEST(CertificatesHash, TellsApartWhatAnswersEmbed) {
  const auto authority = pki::make_authority();
  const auto signer = signer_until(kNow + days(1), &authority);
  const auto alone = certificates_hash(*with_chain(signer));
  EXPECT_EQ(alone, pki::sha256(as_bytes(signer.certificate->der.text())));
  EXPECT_EQ(alone, certificates_hash(*with_chain(signer)));
  EXPECT_NE(alone, certificates_hash(*with_chain(signer, {authority})));
  EXPECT_NE(alone, certificates_hash(*with_chain(signer_until(kNow + days(1), &authority))));
}

TEST(FindingTexts, AreThoseOfASeverityAndAbove) {
  using pki::SignerSeverity;
  const std::vector<pki::SignerFinding> findings = {{SignerSeverity::info, "a", "one"},
                                                    {SignerSeverity::alarm, "b", "two"},
                                                    {SignerSeverity::refused, "c", "three"}};
  EXPECT_EQ(texts(findings, SignerSeverity::info), "one; two; three");
  EXPECT_EQ(texts(findings, SignerSeverity::warning), "two; three");
  EXPECT_EQ(texts(findings, SignerSeverity::refused), "three");
  EXPECT_EQ(texts({}, SignerSeverity::info), "");
}

}  // namespace
}  // namespace revcache::revocation
