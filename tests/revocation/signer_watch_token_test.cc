// Signers whose keys are in a token: SoftHSM2 by OpenSSL's engine "pkcs11", of which a process has
// one. Its tests of the key itself are in tests/pki/signer_pkcs11_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/revocation/signer_watch_world.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define REVCACHE_TEST_HAS_LEAK_SANITIZER
#endif
#endif

namespace revcache::revocation {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";
constexpr std::string_view kTriedLately = "its token failed less than a minute ago";

// Two tokens, "steady" and "fickle", with a key and a certificate each. Live as long as the
// process, as the module does, which looks for tokens once.
class Tokens {
 public:
  static const Tokens& get() {
    static const Tokens tokens;
    return tokens;
  }
  [[nodiscard]] std::string path_of(const std::string& name) const {
    return directory_.path() + "/" + name;
  }

 private:
  Tokens() {
    std::filesystem::create_directory(path_of("tokens"));
    directory_.write("softhsm2.conf", "directories.tokendir = " + path_of("tokens") +
                                          "\nobjectstore.backend = file\n");
    setenv("SOFTHSM2_CONF", path_of("softhsm2.conf").c_str(), 1);
    setenv("PKCS11_MODULE_PATH", kModule, 1);
    for (const std::string name : {"steady", "fickle"}) {
      const pki::Identity identity = pki::make_ocsp_signer(nullptr);
      directory_.write(name + ".key", identity.key_pem);
      directory_.write(name + ".pem", identity.certificate_pem);
      run("--init-token --free --so-pin 1111 --label " + name);
      run("--import " + path_of(name + ".key") + " --token " + name + " --label key --id 01");
    }
  }
  void run(const std::string& arguments) const {
    const std::string command =
        "softhsm2-util --pin 94731 " + arguments + " >>" + path_of("log") + " 2>&1";
    CHECK(std::system(command.c_str()) == 0);
  }

  config::TemporaryDirectory directory_;
};

class SignerWatchToken : public ::testing::Test, public testing::SignerWatchWorld {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(kModule))
        << "needs the Debian packages softhsm2 and libengine-pkcs11-openssl";
    // The engine's own leaks cannot be told from ours by their stacks; the same code over files is
    // looked at in signer_watch_test.
#ifdef REVCACHE_TEST_HAS_LEAK_SANITIZER
    __lsan_disable();
#endif
    tokens = &Tokens::get();
  }

  [[nodiscard]] SignerSource in_token(const std::string& token,
                                      const std::string& pin = "94731") const {
    return {
        .name = "ocsp",
        .files = {.certificate = tokens->path_of(token + ".pem"),
                  .key = "pkcs11:token=" + token + ";object=key;type=private?pin-value=" + pin}};
  }
  [[nodiscard]] std::string failure_of(const SignerSource& signer) {
    const auto configured = watch.configure({signer}, {answered(authority)}, now);
    return configured ? "" : configured.error().detail;
  }

  const Tokens* tokens = nullptr;
};

TEST_F(SignerWatchToken, IsTriedOnceAMinuteAtMostAndItsPinIsNeverTold) {
  SignerSource nowhere = in_token("nowhere");
  nowhere.files.certificate = tokens->path_of("steady.pem");
  EXPECT_THAT(failure_of(nowhere), AllOf(HasSubstr("pin-value=..."), Not(HasSubstr("94731"))));
  EXPECT_THAT(failure_of(nowhere), AllOf(HasSubstr(kTriedLately), Not(HasSubstr("94731"))));
  now += 59s;
  EXPECT_THAT(failure_of(nowhere), HasSubstr(kTriedLately));
  now += 1s;
  EXPECT_THAT(failure_of(nowhere), Not(HasSubstr(kTriedLately)));
  // Whoever reloads need not wait longer each time, but as long, also when the clock is set back.
  now += 60s;
  EXPECT_THAT(failure_of(nowhere), Not(HasSubstr(kTriedLately)));
  now -= 24h;
  EXPECT_THAT(failure_of(nowhere), HasSubstr(kTriedLately));
  now += 60s;
  EXPECT_THAT(failure_of(nowhere), Not(HasSubstr(kTriedLately)));
  nowhere.files.key += "2";  // another PIN
  EXPECT_THAT(failure_of(nowhere), Not(HasSubstr(kTriedLately)));
}

TEST_F(SignerWatchToken, SignsAndIsNotOpenedAgainByAReload) {
  ASSERT_EQ(failure_of(in_token("steady")), "");
  EXPECT_TRUE(only().may_sign);
  const auto before = only().signer;
  const auto scheme = before->scheme_for({});
  EXPECT_TRUE(before->sign(as_bytes(std::string_view("text")), scheme).has_value());
  ASSERT_EQ(failure_of(in_token("steady")), "");
  watch.look_again(now += 10min);
  EXPECT_EQ(only().signer, before);
  EXPECT_TRUE(watch.signers().front().usable);
  const auto loaded = log.of("signer loaded");
  ASSERT_EQ(loaded.size(), 1U);
  for (const auto& [key, text] : loaded.front().fields) {
    EXPECT_THAT(text, Not(HasSubstr("94731"))) << key;
  }
}

TEST_F(SignerWatchToken, IsToldWhenItFallsSilentAndOpenedAgainSeldom) {
  ASSERT_EQ(failure_of(in_token("fickle")), "");
  const auto before = watch.table();
  std::filesystem::rename(tokens->path_of("tokens"), tokens->path_of("away"));
  watch.look_again(now += 59s);
  EXPECT_TRUE(watch.signers().front().usable);  // not asked yet
  watch.look_again(now += 1s);
  EXPECT_FALSE(watch.signers().front().usable);
  EXPECT_THAT(watch.signers().front().problem,
              AllOf(HasSubstr("does not sign"), HasSubstr("restart")));
  // Opened in vain at once, after a minute, and not after two: the wait has doubled.
  watch.look_again(now += 60s);
  watch.look_again(now += 60s);
  EXPECT_EQ(watch.table(), before);
  ASSERT_EQ(log.count("signer not usable"), 1U);
  EXPECT_THAT(log.of("signer not usable").front().fields["detail"], HasSubstr("does not sign"));

  // A reload that names other files finds no attempt in the last minute.
  SignerSource moved = in_token("fickle");
  put("copy.pem", std::string(before->authorities.front().signer->certificate()->der.text()));
  moved.files.certificate = path_of("copy.pem");
  EXPECT_THAT(failure_of(moved), AllOf(Not(HasSubstr(kTriedLately)), Not(HasSubstr("94731"))));
  EXPECT_THAT(failure_of(moved), HasSubstr(kTriedLately));
  EXPECT_EQ(watch.table(), before);
  std::filesystem::rename(tokens->path_of("away"), tokens->path_of("tokens"));
}

}  // namespace
}  // namespace revcache::revocation
