#include "pki/signer_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/pki/signer_identities.h"

namespace revcache::pki {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

constexpr WallSeconds kNow = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};

const Identity& authority() {
  static const Identity made = make_authority();
  return made;
}

// "refused signer-expired"
std::vector<std::string> verdicts(const std::vector<SignerFinding>& findings) {
  std::vector<std::string> list;
  for (const SignerFinding& finding : findings) {
    list.push_back(std::string(to_string(finding.severity)) + ' ' + std::string(finding.id));
  }
  return list;
}

std::vector<SignerFinding> findings_about(const Identity& signer, WallTime now = kNow) {
  return check_signer({&signer.certificate, 1}, *authority().certificate, now);
}

struct CheckCase {
  std::string name;
  bool delegated;  // else self-signed
  std::string extended_key_usage = "OCSPSigning";
  std::string key_usage = "critical,digitalSignature";
  bool nocheck = true;
  WallSeconds not_before = kLongAgo;
  WallSeconds not_after = kFarAhead;
  std::vector<std::string> found;
  bool usable = true;
};

class SignerCheck : public testing::TestWithParam<CheckCase> {};

TEST_P(SignerCheck, FindsWhatAnAdministratorShouldKnow) {
  const CheckCase& one = GetParam();
  const Identity signer = make_identity({.name = "OCSP signer",
                                         .issuer = one.delegated ? &authority() : nullptr,
                                         .extended_key_usage = one.extended_key_usage,
                                         .key_usage = one.key_usage,
                                         .nocheck = one.nocheck,
                                         .not_before = one.not_before,
                                         .not_after = one.not_after});
  const auto findings = findings_about(signer);
  EXPECT_THAT(verdicts(findings), UnorderedElementsAreArray(one.found));
  EXPECT_EQ(may_sign(findings), one.usable);
}

constexpr std::chrono::hours kHour{1};

INSTANTIATE_TEST_SUITE_P(
    Certificates, SignerCheck,
    testing::Values(
        CheckCase{.name = "Delegated", .delegated = true, .found = {}},
        CheckCase{.name = "Independent", .delegated = false, .found = {"info signer-independent"}},
        CheckCase{.name = "OtherUsage",
                  .delegated = true,
                  .extended_key_usage = "clientAuth",
                  .found = {"refused signer-eku-missing"},
                  .usable = false},
        CheckCase{.name = "AnyUsageIsNotEnough",
                  .delegated = true,
                  .extended_key_usage = "anyExtendedKeyUsage",
                  .found = {"refused signer-eku-missing"},
                  .usable = false},
        CheckCase{.name = "NoUsageNamed",
                  .delegated = false,
                  .extended_key_usage = "",
                  .found = {"refused signer-eku-missing", "info signer-independent"},
                  .usable = false},
        CheckCase{.name = "KeyUsageWithoutSignature",
                  .delegated = true,
                  .key_usage = "critical,keyEncipherment",
                  .found = {"refused signer-key-usage"},
                  .usable = false},
        CheckCase{.name = "KeyUsageAbsent", .delegated = true, .key_usage = "", .found = {}},
        CheckCase{.name = "WithoutNocheck",
                  .delegated = true,
                  .nocheck = false,
                  .found = {"warning signer-nocheck-missing"}},
        CheckCase{.name = "Expired",
                  .delegated = true,
                  .not_after = kNow - kHour,
                  .found = {"refused signer-expired"},
                  .usable = false},
        CheckCase{.name = "NotYetValid",
                  .delegated = true,
                  .not_before = kNow + kHour,
                  .found = {"refused signer-not-yet-valid"},
                  .usable = false},
        CheckCase{.name = "EndsInSixDays",
                  .delegated = true,
                  .not_after = kNow + std::chrono::days(6),
                  .found = {"alarm signer-expires-soon"}},
        CheckCase{.name = "EndsInThreeWeeks",
                  .delegated = true,
                  .not_after = kNow + std::chrono::days(21),
                  .found = {"warning signer-expires-soon"}},
        CheckCase{.name = "EndsInFortyDays",
                  .delegated = true,
                  .not_after = kNow + std::chrono::days(40),
                  .found = {}}),
    [](const auto& test) { return test.param.name; });

TEST(SignerCheck, LetsTheAuthoritySignWithoutExtendedKeyUsage) {
  EXPECT_EQ(signer_kind(*authority().certificate, *authority().certificate), SignerKind::authority);
  EXPECT_THAT(verdicts(findings_about(authority())), UnorderedElementsAreArray<std::string>({}));
}

TEST(SignerCheck, OnlyWarnsOfAnAuthorityWhoseKeyUsageForgetsSignatures) {
  const Identity plain = make_identity({.name = "Plain authority",
                                        .extended_key_usage = {},
                                        .key_usage = "critical,keyCertSign,cRLSign",
                                        .is_ca = true});
  const auto findings = check_signer({&plain.certificate, 1}, *plain.certificate, kNow);
  EXPECT_THAT(verdicts(findings),
              UnorderedElementsAreArray<std::string>({"warning signer-key-usage"}));
}

// A CA that was renewed keeps its name; a signer that its old key issued is not delegated by the
// new one.
TEST(SignerCheck, TellsASignerOfTheAuthoritysOldKey) {
  const Identity old_authority = make_authority();
  const Identity signer = make_ocsp_signer(&old_authority);
  EXPECT_EQ(signer_kind(*signer.certificate, *old_authority.certificate), SignerKind::delegated);
  EXPECT_EQ(signer_kind(*signer.certificate, *authority().certificate), SignerKind::independent);
  const auto findings = findings_about(signer);
  EXPECT_THAT(verdicts(findings), UnorderedElementsAreArray<std::string>(
                                      {"warning signer-not-delegated", "info signer-independent"}));
}

TEST(SignerCheck, LooksAtTheChainInTheFile) {
  const Identity root = make_authority("Other root");
  const Identity signer = make_ocsp_signer(&root);
  const std::vector<CertificatePtr> right{signer.certificate, root.certificate};
  EXPECT_THAT(verdicts(check_signer(right, *authority().certificate, kNow)),
              UnorderedElementsAreArray<std::string>({"info signer-independent"}));
  const std::vector<CertificatePtr> wrong{signer.certificate, authority().certificate};
  const auto findings = check_signer(wrong, *authority().certificate, kNow);
  EXPECT_THAT(verdicts(findings), UnorderedElementsAreArray<std::string>(
                                      {"warning signer-chain", "info signer-independent"}));
}

TEST(SignerCheck, TextsNameTimesAndObjectIdentifiers) {
  const Identity signer =
      make_identity({.name = "Old", .extended_key_usage = {}, .key_usage = {}, .not_after = kNow});
  std::string text;
  for (const auto& finding : findings_about(signer, kNow + std::chrono::days(1))) {
    text += finding.text + '\n';
  }
  EXPECT_THAT(text,
              AllOf(HasSubstr("expired at 2026-11-22T00:00:00Z"), HasSubstr("1.3.6.1.5.5.7.3.9")));
}

}  // namespace
}  // namespace revcache::pki
