#include "commands/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "config/command_line.h"
#include "config/load.h"
#include "pki/signer_check.h"
#include "pki/signer_files.h"

namespace revcache::commands {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr WallTime kNow = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};

class SignerCommand : public testing::Test {
 protected:
  SignerCommand() {
    std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    arguments_.name = "ocsp";
    arguments_.directory = directory_;
  }
  ~SignerCommand() override { std::filesystem::remove_all(directory_); }

  int run(const config::SignerArguments& arguments) {
    out_.str("");
    err_.str("");
    return run_signer_new(arguments, kNow, out_, err_);
  }
  int run() { return run(arguments_); }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  [[nodiscard]] pki::SignerFiles files() const { return {path("ocsp.pem"), path("ocsp.key")}; }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::ptrdiff_t files_made() const {
    return std::distance(std::filesystem::directory_iterator(directory_), {});
  }

  std::string directory_;
  config::SignerArguments arguments_;
  std::ostringstream out_;
  std::ostringstream err_;
};

class KeyTypes : public SignerCommand, public testing::WithParamInterface<std::string> {};

TEST_P(KeyTypes, GiveASignerThatIsReadyForUse) {
  arguments_.key_type = GetParam();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  const auto signer = pki::load_signer(files());
  ASSERT_TRUE(signer.has_value()) << signer.error().detail;
  const pki::Certificate& certificate = *(*signer)->certificate();
  EXPECT_EQ(certificate.version, 3);
  EXPECT_TRUE(certificate.is_self_issued());
  EXPECT_TRUE(certificate.has_basic_constraints);
  EXPECT_FALSE(certificate.is_ca);
  EXPECT_EQ(certificate.key_usage, static_cast<std::uint16_t>(pki::KeyUsage::digital_signature));
  EXPECT_THAT(certificate.extended_key_usage,
              testing::Optional(testing::ElementsAre(std::string(pki::kOcspSigningOid))));
  EXPECT_TRUE(certificate.ocsp_nocheck);
  EXPECT_EQ(pki::hex(certificate.subject_key_id), pki::hex(pki::sha1(certificate.public_key)));
  EXPECT_EQ(pki::name_text(certificate.subject), "CN=OCSP signer ocsp");
  EXPECT_THAT(certificate.unknown_critical_extensions, IsEmpty());
  EXPECT_EQ(certificate.not_before, kNow - std::chrono::hours(1));
  EXPECT_EQ(certificate.not_after, kNow + std::chrono::days(365));
  const auto findings = pki::check_signer((*signer)->certificates(), certificate, kNow);
  EXPECT_THAT(findings, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, KeyTypes, testing::Values("p256", "rsa2048", "rsa3072"));

TEST_F(SignerCommand, LetsOnlyTheOwnerReadTheKey) {
  const mode_t before = umask(0);
  const int code = run();
  umask(before);
  ASSERT_EQ(code, config::kExitOk);
  struct stat status{};
  ASSERT_EQ(stat(path("ocsp.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(SignerCommand, NeverOverwritesAndLeavesNothingHalfMade) {
  for (const std::string name : {"ocsp.key", "ocsp.pem"}) {
    std::ofstream(path(name)) << "precious";
    EXPECT_EQ(run(), config::kExitUsage);
    EXPECT_THAT(err_.str(), AllOf(HasSubstr(path(name)), HasSubstr("nothing is overwritten")));
    EXPECT_EQ(text_of(name), "precious");
    EXPECT_EQ(files_made(), 1);
    std::filesystem::remove(path(name));
  }
}

TEST_F(SignerCommand, SaysWhatToPutIntoTheConfiguration) {
  ASSERT_EQ(run(), config::kExitOk);
  const std::string text = out_.str();
  EXPECT_THAT(text, AllOf(HasSubstr("2027-11-22T00:00:00Z"), HasSubstr("signer = \"ocsp\"\n")));
  // What stands there is taken as it is.
  const std::size_t from = text.find("[[signer]]");
  ASSERT_NE(from, std::string::npos);
  std::ofstream(path("c.toml")) << text.substr(from, text.find("\n\n", from) - from) << '\n';
  config::Source source;
  source.file = path("c.toml");
  const auto loaded = config::load(source);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().front().to_string();
  ASSERT_EQ(loaded->signers.size(), 1U);
  EXPECT_EQ(loaded->signers[0].certificate, path("ocsp.pem"));
  EXPECT_EQ(loaded->signers[0].key, path("ocsp.key"));
}

TEST_F(SignerCommand, ShowsTheFingerprintThatWindowsShows) {
  ASSERT_EQ(run(), config::kExitOk);
  const auto certificates = pki::parse_certificates(text_of("ocsp.pem"));
  ASSERT_TRUE(certificates.has_value());
  EXPECT_THAT(out_.str(), HasSubstr(pki::hex(pki::sha256((*certificates)[0]->der.bytes()))));
}

TEST_F(SignerCommand, MakesARequestForAnotherCa) {
  arguments_.csr = true;
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_FALSE(std::filesystem::exists(path("ocsp.pem")));
  EXPECT_THAT(text_of("ocsp.csr"), testing::StartsWith("-----BEGIN CERTIFICATE REQUEST-----\n"));
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("ocsp.csr"), HasSubstr("ocsp.pem"), HasSubstr("1.3.6.1.5.5.7.3.9")));
  EXPECT_THAT(out_.str(), Not(HasSubstr("self-signed")));
}

TEST_F(SignerCommand, WritesDatesBeyond2049AsTheStandardDemands) {
  arguments_.days = config::kSignerDaysMax;
  out_.str("");
  constexpr WallTime kLater = std::chrono::sys_days{std::chrono::year(2045) / 1 / 1};
  ASSERT_EQ(run_signer_new(arguments_, kLater, out_, err_), config::kExitOk);
  const auto signer = pki::load_signer(files());
  ASSERT_TRUE(signer.has_value()) << signer.error().detail;
  EXPECT_EQ((*signer)->certificate()->not_after, kLater + std::chrono::days(3650));
}

TEST_F(SignerCommand, GivesEveryCertificateItsOwnSerialNumber) {
  ASSERT_EQ(run(), config::kExitOk);
  arguments_.name = "second";
  ASSERT_EQ(run(), config::kExitOk);
  const auto first = pki::parse_certificates(text_of("ocsp.pem"));
  const auto second = pki::parse_certificates(text_of("second.pem"));
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_NE(pki::hex((*first)[0]->serial), pki::hex((*second)[0]->serial));
}

struct MistakeCase {
  std::string name;
  config::SignerArguments arguments;
  std::string says;
};

class SignerMistakes : public SignerCommand, public testing::WithParamInterface<MistakeCase> {};

TEST_P(SignerMistakes, AreNamedAndMakeNothing) {
  config::SignerArguments arguments = GetParam().arguments;
  arguments.directory = directory_ + arguments.directory;
  EXPECT_EQ(run(arguments), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr(GetParam().says));
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(files_made(), 0);
}

config::SignerArguments with(std::string name, std::string key_type = "p256",
                             std::int64_t days = 365, std::string directory = "") {
  return {.name = std::move(name),
          .csr = false,
          .key_type = std::move(key_type),
          .days = days,
          .directory = std::move(directory)};
}

INSTANTIATE_TEST_SUITE_P(
    All, SignerMistakes,
    testing::Values(MistakeCase{"NoName", with(""), "--name"},
                    MistakeCase{"PathAsName", with("../evil"), "--name"},
                    MistakeCase{"HiddenName", with(".ocsp"), "--name"},
                    MistakeCase{"LongName", with(std::string(53, 'n')), "at most 52"},
                    MistakeCase{"KeyType", with("ocsp", "dsa"), "--key-type"},
                    MistakeCase{"NoDays", with("ocsp", "p256", 0), "--days"},
                    MistakeCase{"ManyDays", with("ocsp", "p256", 3651), "--days"},
                    MistakeCase{"NoDirectory", with("ocsp", "p256", 9, "/none"),
                                "cannot be written"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace revcache::commands
