// The files of tests/testdata/crl, whose names say what they are; make_crls.py made them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "pki/certificate.h"
#include "pki/crl.h"
#include "tests/pki/crl_factory.h"

namespace revcache::pki {
namespace {

const std::filesystem::path kDirectory = std::filesystem::path(REVCACHE_TESTDATA) / "crl";

SharedBytes read(const std::string& stem) {
  std::ifstream stream(kDirectory / (stem + ".der"), std::ios::binary);
  EXPECT_TRUE(stream.good()) << stem;
  std::ostringstream text;
  text << stream.rdbuf();
  return SharedBytes::take(std::move(text).str());
}

std::vector<std::string> stems(const std::string& verdict) {
  std::vector<std::string> found;
  for (const auto& file : std::filesystem::directory_iterator(kDirectory)) {
    const std::string stem = file.path().stem().string();
    if (file.path().extension() == ".der" && stem.starts_with(verdict)) found.push_back(stem);
  }
  std::ranges::sort(found);
  return found;
}

CertificatePtr issuer_of(const std::string& stem) {
  std::string issuer = "issuer";
  if (stem.ends_with("ed25519")) issuer = "issuer_ed25519";
  if (stem.contains("not_entitled")) issuer = "issuer_without_crl_sign";
  auto certificate = parse_certificate(read(issuer));
  EXPECT_TRUE(certificate) << issuer;
  return *certificate;
}

Checked<VerifiedCrlPtr> verdict_of(const std::string& stem) {
  auto crl = parse_crl(read(stem), kTestHashSeed);
  if (!crl) return std::unexpected(crl.error());
  return verify_crl(*std::move(crl), issuer_of(stem), test_now(), {});
}

std::string file_name(const testing::TestParamInfo<std::string>& row) { return row.param; }

class GoodCrlFile : public testing::TestWithParam<std::string> {};

TEST_P(GoodCrlFile, IsEvidenceInWhichEveryEntryIsFound) {
  const auto crl = verdict_of(GetParam());
  ASSERT_TRUE(crl) << crl.error().detail;
  std::size_t entries = 0;
  (*crl)->crl().for_each([&](const RevokedEntry& listed) {
    ++entries;
    EXPECT_TRUE((*crl)->crl().find(listed.serial));
  });
  EXPECT_EQ(entries, (*crl)->crl().entries);
}

INSTANTIATE_TEST_SUITE_P(Files, GoodCrlFile, testing::ValuesIn(stems("good_")), file_name);

class MalformedCrlFile : public testing::TestWithParam<std::string> {};

TEST_P(MalformedCrlFile, IsNoCrl) {
  const auto crl = parse_crl(read(GetParam()), kTestHashSeed);
  ASSERT_FALSE(crl);
  EXPECT_EQ(crl.error().reason, Refusal::malformed);
}

INSTANTIATE_TEST_SUITE_P(Files, MalformedCrlFile, testing::ValuesIn(stems("malformed_")),
                         file_name);

// The reason for which the file is refused: by itself, or as a delta of good_complete.
std::string refusal_of(const std::string& stem) {
  const auto crl = verdict_of(stem);
  if (!crl) return std::string(to_string(crl.error().reason));
  const auto complete = verdict_of("good_complete");
  const auto refused = may_combine(**complete, **crl);
  return refused ? std::string(to_string(refused->reason)) : "nothing";
}

class RefusedCrlFile : public testing::TestWithParam<std::string> {};

TEST_P(RefusedCrlFile, IsRefusedForTheReasonInItsName) {
  const std::string reason = refusal_of(GetParam());
  EXPECT_TRUE(GetParam().starts_with("refused_" + reason + "_")) << reason;
}

INSTANTIATE_TEST_SUITE_P(Files, RefusedCrlFile, testing::ValuesIn(stems("refused_")), file_name);

TEST(CrlFiles, ReachEveryRefusalOfACrl) {
  std::set<std::string> reached;
  for (const std::string& stem : stems("refused_")) reached.insert(refusal_of(stem));
  const std::set<std::string> all{"algorithm_mismatch",
                                  "algorithm_refused",
                                  "base_mismatch",
                                  "expired",
                                  "indirect_crl",
                                  "issuer_not_entitled",
                                  "issuer_unknown",
                                  "no_next_update",
                                  "not_yet_valid",
                                  "only_some_reasons",
                                  "scope_mismatch",
                                  "signature_wrong",
                                  "unknown_critical_extension",
                                  "unsupported_version"};
  EXPECT_EQ(reached, all);
}

}  // namespace
}  // namespace revcache::pki
