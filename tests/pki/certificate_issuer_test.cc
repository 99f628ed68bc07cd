// verify_issued_by: every refusal, by file.
#include <gtest/gtest.h>

#include <string>

#include "pki/certificate.h"
#include "tests/pki/test_files.h"

namespace revcache::pki {
namespace {

CertificatePtr read(const std::string& file) {
  auto parsed = parse_certificate(SharedBytes::take(test_file(file)));
  if (parsed) return *parsed;
  ADD_FAILURE() << file << ": " << parsed.error().detail;
  return std::make_shared<const Certificate>();
}

CertificatePtr root() { return read("certificate/good_root.der"); }

class GoodLeaf : public testing::TestWithParam<std::string> {};

TEST_P(GoodLeaf, WasIssuedByTheRoot) {
  const auto issued = verify_issued_by(*read(GetParam()), *root(), {});
  EXPECT_TRUE(issued) << to_string(issued.error().reason) << ": " << issued.error().detail;
}

std::vector<std::string> leaves() {
  auto files = test_files("certificate", "good_", ".der");
  std::erase_if(files, [](const std::string& file) {
    return file.contains("/good_issuer_not") || file.contains("/good_issuer_no_") ||
           file.contains("/good_issuer_md5") || file.contains("/good_root_");
  });
  return files;
}

INSTANTIATE_TEST_SUITE_P(Issuer, GoodLeaf, testing::ValuesIn(leaves()), name_of_file);

TEST(Issuer, OfEveryKeyTypeSignsItself) {
  for (const char* type : {"rsa", "ed25519", "same_name"}) {
    const auto self = read(std::string("certificate/good_root_") + type + ".der");
    const auto issued = verify_issued_by(*self, *self, {});
    EXPECT_TRUE(issued) << type << ": " << issued.error().detail;
  }
}

struct Row {
  const char* file;
  Refusal reason;
  const char* issuer = "good_root";
};

const Row kRefused[] = {
    {"issuer_unknown_name", Refusal::issuer_unknown},
    {"issuer_unknown_key_id", Refusal::issuer_unknown},
    {"issuer_not_entitled_not_ca", Refusal::issuer_not_entitled, "good_issuer_not_ca"},
    {"issuer_not_entitled_no_constraints", Refusal::issuer_not_entitled,
     "good_issuer_no_constraints"},
    {"issuer_not_entitled_no_key_cert_sign", Refusal::issuer_not_entitled,
     "good_issuer_no_key_cert_sign"},
    {"algorithm_mismatch_outer", Refusal::algorithm_mismatch},
    {"algorithm_refused_sha1", Refusal::algorithm_refused},
    {"algorithm_refused_md5", Refusal::algorithm_refused, "good_issuer_md5"},
    {"signature_wrong_sibling", Refusal::signature_wrong},
    {"signature_wrong_last_octet", Refusal::signature_wrong},
};

TEST(Issuer, RefusesWithTheReasonInTheFilesName) {
  for (const Row& row : kRefused) {
    const auto subject = read(std::string("certificate/refused_") + row.file + ".der");
    const auto issuer = read(std::string("certificate/") + row.issuer + ".der");
    const auto issued = verify_issued_by(*subject, *issuer, {});
    ASSERT_FALSE(issued) << row.file;
    EXPECT_EQ(to_string(issued.error().reason), to_string(row.reason)) << row.file;
    EXPECT_TRUE(std::string_view(row.file).starts_with(to_string(row.reason))) << row.file;
    EXPECT_FALSE(issued.error().detail.empty()) << row.file;
  }
}

TEST(Issuer, EveryRefusedFileIsInTheTable) {
  EXPECT_EQ(test_files("certificate", "refused_").size(), std::size(kRefused));
}

TEST(Issuer, Sha1IsAcceptedWhenThePolicyAllowsIt) {
  const auto subject = read("certificate/refused_algorithm_refused_sha1.der");
  EXPECT_TRUE(verify_issued_by(*subject, *root(), {.allow_sha1 = true}));
}

TEST(Issuer, KeyThatIsTooShortIsRefused) {
  const auto rsa = read("certificate/good_root_rsa.der");
  const auto issued = verify_issued_by(*rsa, *rsa, {.rsa_bits_min = 4096});
  ASSERT_FALSE(issued);
  EXPECT_EQ(issued.error().reason, Refusal::algorithm_refused);
}

}  // namespace
}  // namespace revcache::pki
