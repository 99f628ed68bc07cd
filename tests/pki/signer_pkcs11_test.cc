// Keys in a token: SoftHSM2 by OpenSSL's engine "pkcs11". The engine is one per process, so is the
// token.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"
#include "pki/pkcs11_key.h"
#include "pki/signer_files.h"
#include "tests/pki/signer_identities.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define REVCACHE_TEST_HAS_LEAK_SANITIZER
#endif
#endif

// LeakSanitizer asks for this. The engine forgets some octets of a URI whose key it does not find.
extern "C" const char* __lsan_default_suppressions() { return "leak:pkcs11.so\n"; }

namespace revcache::pki {
namespace {

using namespace std::string_view_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";
constexpr const char* kPin = "94731";

int run(const std::string& command) {
  return std::system((command + " >>" + "\"$REVCACHE_TOKEN\"/log 2>&1").c_str());
}

// Four tokens, since whoever logged in to one stays so as long as the process lives: "signers"
// with an RSA and two ECDSA keys, the others with one each. Live as long as the process,
// as the engine does.
class Token {
 public:
  static const Token& get() {
    static const Token token;
    return token;
  }
  ~Token() { std::filesystem::remove_all(directory_); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  void import(const std::string& label, const Identity& identity,
              const std::string& token = "signers") const {
    const std::string key = directory_ + "/" + label + ".key";
    std::ofstream(key) << identity.key_pem;
    CHECK(run("softhsm2-util --import " + key + " --token " + token + " --label " + label +
              " --id 0" + std::to_string(imported_++) + " --pin " + kPin) == 0);
    std::ofstream(certificate_of(label)) << identity.certificate_pem;
  }

  [[nodiscard]] std::string certificate_of(const std::string& label) const {
    return directory_ + "/" + label + ".pem";
  }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  Token() {
    std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    const std::string settings = directory_ + "/softhsm2.conf";
    std::filesystem::create_directory(directory_ + "/tokens");
    std::ofstream(settings) << "directories.tokendir = " << directory_ << "/tokens\n"
                            << "objectstore.backend = file\n";
    std::ofstream(directory_ + "/pin") << kPin;
    setenv("SOFTHSM2_CONF", settings.c_str(), 1);
    setenv("PKCS11_MODULE_PATH", kModule, 1);
    setenv("REVCACHE_TOKEN", directory_.c_str(), 1);
    for (const std::string token : {"signers", "quiet", "guarded", "lonely"}) {
      CHECK(run("softhsm2-util --init-token --free --so-pin 1111 --label " + token + " --pin " +
                kPin) == 0);
    }
    import("rsa", make_ocsp_signer(nullptr, "RSA-2048"));
    import("p256", make_ocsp_signer(nullptr, "P-256"));
    import("p384", make_ocsp_signer(nullptr, "P-384"));
    import("silent", make_ocsp_signer(nullptr, "P-256"), "quiet");
    import("secret", make_ocsp_signer(nullptr, "P-256"), "guarded");
    import("remote", make_ocsp_signer(nullptr, "P-256"), "lonely");
  }

  std::string directory_;
  mutable int imported_ = 1;
};

class SignerPkcs11 : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(kModule))
        << "needs the Debian packages softhsm2 and libengine-pkcs11-openssl";
    // OpenSSL as packaged has no frame pointers, so that a leak of the engine can often not be told
    // from one of ours by its stack: what this thread allocates from here on, at the end of the
    // process too, is not looked at. The same code over files is, in signer_files_test; each test
    // has a process of its own.
#ifdef REVCACHE_TEST_HAS_LEAK_SANITIZER
    __lsan_disable();
#endif
    token_ = &Token::get();
  }
  [[nodiscard]] SignerFiles files(const std::string& label, const std::string& query) const {
    return {.certificate = token_->certificate_of(label),
            .key = "pkcs11:token=signers;object=" + label + ";type=private" + query};
  }
  [[nodiscard]] SignerFiles files(const std::string& label) const {
    return files(label, std::string("?pin-value=") + kPin);
  }

  // Empty: it signs what verifies.
  static std::string trouble(const Result<SignerPtr>& signer) {
    if (!signer) return signer.error().detail;
    const auto certified = PublicKey::parse((*signer)->certificate()->spki);
    const SignatureScheme scheme = (*signer)->scheme_for({});
    const auto signature = (*signer)->sign(as_bytes("text"sv), scheme);
    if (!signature) return signature.error().detail;
    const auto verified = verify_signature(*certified, algorithm_identifier(scheme),
                                           as_bytes("text"sv), as_bytes(*signature), {});
    return verified ? "" : verified.error().detail;
  }

  const Token* token_ = nullptr;
};

TEST_F(SignerPkcs11, SignsWithRsaAndEcdsa) {
  for (const std::string label : {"rsa", "p256", "p384"}) {
    EXPECT_EQ(trouble(load_signer(files(label))), "") << label;
  }
}

TEST_F(SignerPkcs11, ReadsThePinFromAFile) {
  EXPECT_EQ(trouble(load_signer(files("p256", "?pin-source=file:" + token_->directory() + "/pin"))),
            "");
}

TEST_F(SignerPkcs11, TellsTheKeyOfAnotherCertificate) {
  SignerFiles crossed = files("p256");
  crossed.certificate = token_->certificate_of("rsa");
  const auto wrong_kind = load_signer(crossed);
  EXPECT_FALSE(wrong_kind.has_value());
  token_->import("other", make_ocsp_signer(nullptr, "P-256"));
  crossed.certificate = token_->certificate_of("other");
  const auto wrong_key = load_signer(crossed);
  ASSERT_FALSE(wrong_key.has_value());
  EXPECT_EQ(wrong_key.error().code, ErrorCode::untrusted) << wrong_key.error().detail;
}

TEST_F(SignerPkcs11, FailsWithoutTellingThePin) {
  const std::string none = "pkcs11:token=signers;object=none?pin-value=94731";
  const std::string nowhere = "pkcs11:token=nowhere;object=rsa?pin-value=94731";
  const std::string module = "pkcs11:token=signers;object=rsa?module-path=/x.so&pin-value=94731";
  const std::string wrong = "pkcs11:token=guarded;object=secret?pin-value=00000";
  for (const std::string& uri : {none, nowhere, module, wrong}) {
    // The engine, left to itself, writes the URI there.
    testing::internal::CaptureStderr();
    const auto key = open_pkcs11_key(uri);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    ASSERT_FALSE(key.has_value()) << uri;
    EXPECT_THAT(key.error().detail, AllOf(HasSubstr("pin-value=..."), Not(HasSubstr("94731")),
                                          Not(HasSubstr("00000"))));
  }
  EXPECT_EQ(open_pkcs11_key(module).error().code, ErrorCode::refused);
  EXPECT_EQ(open_pkcs11_key(none).error().code, ErrorCode::unreachable);
}

// The engine would try the PIN that it heard last, which is another token's, until the token locks.
TEST_F(SignerPkcs11, GivesNoTokenThePinOfAnother) {
  EXPECT_EQ(trouble(load_signer(files("p256"))), "");
  const std::string uri = "pkcs11:token=quiet;object=silent;type=private";
  for (int attempt = 0; attempt < 20; ++attempt) {
    const auto key = open_pkcs11_key(uri);
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, ErrorCode::refused);
    EXPECT_THAT(key.error().detail, HasSubstr("pin-source=file:"));
  }
  EXPECT_EQ(trouble(load_signer({token_->certificate_of("silent"), uri + "?pin-value=" + kPin})),
            "");
}

// A service has no terminal to be asked on.
TEST_F(SignerPkcs11, FailsWhereThePinFileIsMissingAndAsksNobody) {
  const auto key =
      open_pkcs11_key("pkcs11:token=lonely;object=remote?pin-source=file:/nonexistent/pin");
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().code, ErrorCode::unreachable);
}

// What happens at each reload.
TEST_F(SignerPkcs11, KeepsSigningWhileTheSameKeyIsOpenedAgain) {
  const auto first = load_signer(files("p256"));
  ASSERT_EQ(trouble(first), "");
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&] {
      while (!stop) {
        if (!trouble(first).empty()) ++failures;
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(trouble(load_signer(files(round % 2 == 0 ? "p256" : "rsa"))), "") << round;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST_F(SignerPkcs11, OpensTheTokenAgainAfterTheLastKeyWasLetGo) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(trouble(load_signer(files("rsa"))), "") << round;
  }
}

struct PinCase {
  std::string_view uri;
  std::string_view shown;
};

class UriWithoutPin : public testing::TestWithParam<PinCase> {};

TEST_P(UriWithoutPin, MayBeLogged) {
  EXPECT_TRUE(is_pkcs11_uri(GetParam().uri));
  EXPECT_EQ(without_pin(GetParam().uri), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Uris, UriWithoutPin,
    testing::Values(PinCase{"pkcs11:token=a;object=b", "pkcs11:token=a;object=b"},
                    PinCase{"pkcs11:token=a?pin-value=12", "pkcs11:token=a?pin-value=..."},
                    PinCase{"pkcs11:token=a?pin-value=1&x=2", "pkcs11:token=a?pin-value=...&x=2"},
                    PinCase{"pkcs11:a=b?pin-value=1&pin-value=2",
                            "pkcs11:a=b?pin-value=...&pin-value=..."},
                    PinCase{"pkcs11:pin-value=7;object=b", "pkcs11:pin-value=...;object=b"},
                    PinCase{"pkcs11:a=b?pin-source=/etc/pin", "pkcs11:a=b?pin-source=..."}));

TEST(Pkcs11Uri, IsToldFromAFile) {
  EXPECT_FALSE(is_pkcs11_uri("/etc/revcache/pkcs11:key"));
  EXPECT_FALSE(is_pkcs11_uri("pkcs11"));
}

}  // namespace
}  // namespace revcache::pki
