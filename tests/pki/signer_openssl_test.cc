// What the openssl command says of our responses, as an administrator would ask it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/pki/signer_identities.h"

namespace revcache::pki {
namespace {

using namespace std::string_view_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class OpensslCommand : public testing::TestWithParam<CertIdHash> {
 protected:
  OpensslCommand() : authority_(make_authority("Authority", "RSA-2048")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    write("authority.pem", authority_.certificate_pem);
  }
  ~OpensslCommand() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }

  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }

  // What `openssl ocsp` says of an answer that `signer` signs, asked with `trust`.
  std::string verdict(const Identity& signer, StatusToSign status, const std::string& trust) const {
    const std::string id =
        encode_cert_id(GetParam(), *authority_.certificate, as_bytes("\x0a\x1b\x2c"sv));
    const SingleAnswer answer{.cert_id_der = as_bytes(id),
                              .status = status,
                              .this_update = kLongAgo,
                              .next_update = kFarAhead};
    const SignerPtr made = signer_of(signer);
    const auto response =
        made->respond({.produced_at = kLongAgo, .answers = {&answer, 1}, .nonce = std::nullopt},
                      made->scheme_for({}));
    EXPECT_TRUE(response.has_value());
    write("response.der", response.value_or(""));
    const std::string digest = GetParam() == CertIdHash::sha1 ? "" : " -sha256";
    const std::string command = "openssl ocsp -no_nonce" + digest + " -issuer " +
                                path("authority.pem") + " -serial 0x0a1b2c -respin " +
                                path("response.der") + trust + " 2>&1";
    return output_of(command);
  }

  static std::string output_of(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return "cannot be run";
    std::string text;
    for (int octet = fgetc(pipe); octet != EOF; octet = fgetc(pipe)) {
      text += static_cast<char>(octet);
    }
    pclose(pipe);
    return text;
  }

  Identity authority_;
  std::string directory_;
};

TEST_P(OpensslCommand, AcceptsTheAuthorityAndItsDelegate) {
  const std::string trust = " -CAfile " + path("authority.pem");
  for (const Identity& signer : {authority_, make_ocsp_signer(&authority_)}) {
    EXPECT_THAT(verdict(signer, StatusToSign::good(AnyProof()), trust),
                AllOf(HasSubstr("Response verify OK"), HasSubstr("0x0a1b2c: good")));
    EXPECT_THAT(verdict(signer, StatusToSign::revoked(kLongAgo, CrlReason::key_compromise), trust),
                AllOf(HasSubstr("Response verify OK"), HasSubstr("0x0a1b2c: revoked"),
                      HasSubstr("Reason: keyCompromise"), HasSubstr("Jan  1 00:00:00 2020 GMT")));
    EXPECT_THAT(verdict(signer, StatusToSign::unknown(), trust),
                AllOf(HasSubstr("Response verify OK"), HasSubstr("0x0a1b2c: unknown")));
  }
}

TEST_P(OpensslCommand, AcceptsAnIndependentSignerThatItWasToldOf) {
  const Identity signer = make_ocsp_signer(nullptr);
  write("signer.pem", signer.certificate_pem);
  EXPECT_THAT(verdict(signer, StatusToSign::good(AnyProof()), " -VAfile " + path("signer.pem")),
              AllOf(HasSubstr("Response verify OK"), HasSubstr("0x0a1b2c: good")));
  EXPECT_THAT(verdict(signer, StatusToSign::good(AnyProof()), " -CAfile " + path("authority.pem")),
              AllOf(HasSubstr("Response Verify Failure"), Not(HasSubstr("verify OK"))));
}

INSTANTIATE_TEST_SUITE_P(CertIds, OpensslCommand,
                         testing::Values(CertIdHash::sha1, CertIdHash::sha256));

}  // namespace
}  // namespace revcache::pki
