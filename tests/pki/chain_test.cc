#include "pki/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chain_files.h"
#include "pki/distinguished_name.h"

namespace revcache::pki {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// "user:expired Test Issuing Test Root": names with their faults, leaf first.
std::string summary(const Chain& chain) {
  std::string text;
  for (const auto& link : chain.links) {
    if (!text.empty()) text += " | ";
    text += name_text(link.certificate->subject).substr(3);
    for (const auto& fault : link.faults) text += ':' + std::string(to_string(fault.fault));
  }
  return text;
}

Chain build(const std::string& leaf, const std::vector<CertificatePtr>& candidates,
            const std::vector<CertificatePtr>& anchors, WallTime at = kChainTime,
            SignaturePolicy policy = {}) {
  return build_chain({.leaf = chain_certificate(leaf),
                      .candidates = candidates,
                      .anchors = anchors,
                      .at = at,
                      .policy = policy});
}

struct ChainCase {
  const char* what;
  const char* leaf;
  std::vector<std::string> candidates;
  std::vector<std::string> anchors;
  const char* expected;
};

class ChainVerdict : public testing::TestWithParam<ChainCase> {};

TEST_P(ChainVerdict, NamesEachLinkAndWhatIsWrongWithIt) {
  std::vector<CertificatePtr> candidates;
  std::vector<CertificatePtr> anchors;
  for (const auto& name : GetParam().candidates) candidates.push_back(chain_certificate(name));
  for (const auto& name : GetParam().anchors) anchors.push_back(chain_certificate(name));
  EXPECT_EQ(summary(build(GetParam().leaf, candidates, anchors)), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ChainVerdict,
    testing::Values(
        ChainCase{"good", "user", {"issuing"}, {"root"}, "user | Test Issuing | Test Root"},
        ChainCase{"root_in_the_chain",
                  "user",
                  {"issuing", "root"},
                  {},
                  "user | Test Issuing | Test Root"},
        ChainCase{"order_does_not_matter",
                  "user",
                  {"root", "user", "issuing"},
                  {},
                  "user | Test Issuing | Test Root"},
        ChainCase{"renewed_root_first",
                  "user",
                  {"issuing"},
                  {"root_renewed", "root"},
                  "user | Test Issuing | Test Root"},
        ChainCase{"renewed_root_only",
                  "user",
                  {"issuing"},
                  {"root_renewed"},
                  "user | Test Issuing:issuer_missing"},
        ChainCase{"untrusted_root",
                  "user",
                  {"issuing", "root"},
                  {"root_renewed"},
                  "user | Test Issuing | Test Root:untrusted_anchor"},
        ChainCase{"trust_anchor_that_is_no_root", "user", {}, {"issuing"}, "user | Test Issuing"},
        ChainCase{"issuer_missing", "user", {"root"}, {}, "user:issuer_missing"},
        ChainCase{"expired_leaf",
                  "user_expired",
                  {"issuing"},
                  {"root"},
                  "user_expired:expired | Test Issuing | Test Root"},
        ChainCase{"expired_ca",
                  "user",
                  {"issuing_expired"},
                  {"root"},
                  "user | Test Issuing:expired | Test Root"},
        ChainCase{"expired_ca_beside_a_good_one",
                  "user",
                  {"issuing_expired", "issuing"},
                  {"root"},
                  "user | Test Issuing | Test Root"},
        ChainCase{"issued_by_a_user",
                  "user_of_user",
                  {"user", "issuing"},
                  {"root"},
                  "user_of_user | user:not_a_ca:key_usage_forbids_issuing | Test "
                  "Issuing:path_too_long | Test Root"},
        ChainCase{"path_too_long",
                  "user_too_deep",
                  {"sub_too_deep", "issuing"},
                  {"root"},
                  "user_too_deep | Sub | Test Issuing:path_too_long | Test Root"},
        ChainCase{"no_cert_sign",
                  "user_of_no_sign",
                  {"no_cert_sign"},
                  {"root"},
                  "user_of_no_sign | No Sign:key_usage_forbids_issuing | Test Root"},
        ChainCase{"critical_extension",
                  "user_critical",
                  {"issuing"},
                  {"root"},
                  "user_critical:unknown_critical_extension | Test Issuing | Test Root"},
        ChainCase{"sha1",
                  "user_sha1",
                  {"issuing"},
                  {"root"},
                  "user_sha1:algorithm_refused | Test Issuing | Test Root"},
        ChainCase{"name_constraints_are_no_fault",
                  "user_of_constrained",
                  {"constrained"},
                  {"root"},
                  "user_of_constrained | Constrained | Test Root"},
        ChainCase{"anchor_alone", "root", {}, {"root"}, "Test Root:nothing_to_check"},
        ChainCase{"self_signed_alone", "stranger", {}, {}, "stranger:nothing_to_check"},
        ChainCase{"self_signed_untrusted", "stranger", {}, {"root"}, "stranger:untrusted_anchor"}),
    [](const auto& each) { return std::string(each.param.what); });

TEST(Chain, RolesAreLeafIntermediateAndRoot) {
  const auto chain = build("user", chain_certificates({"issuing"}), chain_certificates({"root"}));
  ASSERT_THAT(chain.links, SizeIs(3));
  EXPECT_EQ(chain.links[0].role, ChainRole::leaf);
  EXPECT_EQ(chain.links[1].role, ChainRole::intermediate);
  EXPECT_EQ(chain.links[2].role, ChainRole::root);
  EXPECT_TRUE(chain.is_valid());
  EXPECT_FALSE(chain.anchor_is_given);
}

TEST(Chain, AnAnchorTakenFromTheChainIsSaidToBe) {
  EXPECT_TRUE(build("user", chain_certificates({"issuing", "root"}), {}).anchor_is_given);
}

TEST(Chain, TimeIsTheOneAskedFor) {
  const auto candidates = chain_certificates({"issuing"});
  const auto anchors = chain_certificates({"root"});
  const auto user = chain_certificate("user");
  const auto at = [&](WallTime time) { return summary(build("user", candidates, anchors, time)); };
  EXPECT_EQ(at(user->not_before), "user | Test Issuing | Test Root");
  EXPECT_THAT(at(user->not_before - std::chrono::seconds(1)), HasSubstr("user:not_yet_valid"));
  EXPECT_EQ(at(user->not_after), "user | Test Issuing | Test Root");
  EXPECT_THAT(at(user->not_after + std::chrono::seconds(1)), HasSubstr("user:expired"));
}

TEST(Chain, Sha1IsAdmittedWhenAllowed) {
  const auto candidates = chain_certificates({"issuing"});
  const auto anchors = chain_certificates({"root"});
  const auto chain = build("user_sha1", candidates, anchors, kChainTime, {.allow_sha1 = true});
  EXPECT_TRUE(chain.is_valid()) << summary(chain);
}

// The signature is the end of the DER: another last octet is another signature.
TEST(Chain, AWrongSignatureIsTheFaultOfTheOneThatCarriesIt) {
  std::string der(chain_certificate("user")->der.text());
  der.back() = static_cast<char>(der.back() ^ 1);
  const auto altered = parse_certificate(SharedBytes::take(std::move(der)));
  ASSERT_TRUE(altered);
  const auto candidates = chain_certificates({"issuing"});
  const auto anchors = chain_certificates({"root"});
  const auto chain = build_chain({.leaf = *altered,
                                  .candidates = candidates,
                                  .anchors = anchors,
                                  .at = kChainTime,
                                  .policy = {}});
  EXPECT_EQ(summary(chain), "user:signature_wrong | Test Issuing | Test Root");
  EXPECT_FALSE(chain.is_valid());
}

TEST(Chain, TheSameCertificateManyTimesIsNoWork) {
  std::vector<CertificatePtr> many(2000, chain_certificate("root_renewed"));
  many.push_back(chain_certificate("issuing"));
  const auto chain = build("user", many, chain_certificates({"root"}));
  EXPECT_TRUE(chain.is_valid()) << summary(chain);
}

TEST(Chain, FaultsSayWhenAndHowMany) {
  const auto expired =
      build("user_expired", chain_certificates({"issuing"}), chain_certificates({"root"}));
  EXPECT_EQ(expired.links[0].faults[0].detail, "valid until 2026-06-01T00:00:00Z");
  const auto deep = build("user_too_deep", chain_certificates({"sub_too_deep", "issuing"}),
                          chain_certificates({"root"}));
  EXPECT_EQ(deep.links[2].faults[0].detail, "1 CA certificates below it, 0 allowed");
}

}  // namespace
}  // namespace revcache::pki
