#include "config/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "temporary_directory.h"

namespace revcache::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A directory with the files that the cases name.
class Validate : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"ca.cer", "issuing.cer", "ocsp.pem", "ocsp.key", "token", "password"}) {
      directory_.write(name, "contents\n");
    }
  }

  std::vector<std::string> errors_of(std::string_view text) {
    const Environment user{.is_root = false, .home = directory_.path(), .xdg_state_home = ""};
    const auto result = load_text(text, directory_.path() + "/c.toml", user);
    std::vector<std::string> lines;
    if (result) return lines;
    for (const ConfigError& error : result.error()) {
      lines.push_back(error.to_string().substr(directory_.path().size() + 1));
    }
    return lines;
  }

  TemporaryDirectory directory_;
};

TEST_F(Validate, AcceptsWhatSaysEverything) {
  EXPECT_THAT(errors_of(R"(
    [listen]
    admin = "0.0.0.0:9853"
    [admin]
    token_file = "token"
    [upstream]
    parent_proxy = "http://user@proxy.corp:8080"
    parent_proxy_password_file = "password"
    [[mirror]]
    hosts = ["primary.example.com", "backup.example.com"]
    [[signer]]
    name = "ocsp"
    certificate = "ocsp.pem"
    key = "ocsp.key"
    [[signer]]
    name = "hsm"
    certificate = "ocsp.pem"
    key = "pkcs11:token=revcache;object=ocsp"
    [[authority]]
    name = "root"
    certificate = "ca.cer"
    crls = ["http://crl.example.com/root.crl"]
    signer = "ocsp"
    [[authority.revoke]]
    serial = "0A:1B"
    reason = "keyCompromise"
    [[authority]]
    name = "other"
    certificate = "ca.cer"
    required = false
    signer = "hsm"
    without_evidence = "attest"
    [[authority.attest]]
    certificate = "issuing.cer"
    until = 2027-06-01
    reason = "no CDP"
  )"),
              IsEmpty());
}

struct Case {
  std::string_view name;
  std::string_view text;
  std::string_view expected;  // part of the only error
};

class ValidateRule : public Validate, public testing::WithParamInterface<Case> {};

TEST_P(ValidateRule, IsEnforcedWithKeyAndPlace) {
  EXPECT_THAT(errors_of(GetParam().text), ElementsAre(HasSubstr(std::string(GetParam().expected))));
}

constexpr Case kCases[] = {
    {"NoListener", "[listen]\nproxy = []\n", "c.toml:2:9: listen.proxy: names no address"},
    {"ListenerTwice", "[listen]\nproxy = [\"127.0.0.1:1\", \"127.0.0.1:1\"]\n", "is named twice"},
    {"AdminOnProxyPort", "[listen]\nproxy = [\"127.0.0.1:9853\"]\n",
     "is an address of listen.proxy too"},
    {"AdminOpenWithoutToken", "[listen]\nadmin = \"192.0.2.1:9853\"\n",
     "c.toml:2:9: listen.admin: 192.0.2.1:9853 is reachable from other machines"},
    {"KeyWithoutCertificate", "[listen]\ntls_key = \"ocsp.key\"\n",
     "listen.tls_key: needs tls_certificate"},
    {"CertificateWithoutKey", "[listen]\ntls_certificate = \"ocsp.pem\"\n",
     "listen.tls_certificate: needs tls_key"},
    {"TokenFileAbsent", "[admin]\ntoken_file = \"absent\"\n", "absent does not exist"},
    {"StateInsideCache", "[cache]\ndirectory = \"d\"\n[state]\ndirectory = \"d/state\"\n",
     "state.directory: must lie outside of cache.directory"},
    {"StateIsCache", "[cache]\ndirectory = \"d\"\n[state]\ndirectory = \"./d\"\n",
     "state.directory: must lie outside"},
    {"CacheIsAFile", "[cache]\ndirectory = \"token\"\n", "token is no directory"},
    {"CacheUnnamed", "[cache]\ndirectory = \"\"\n", "cache.directory: must name a directory"},
    {"AttemptLongerThanAll", "[upstream]\nattempt_timeout = \"10s\"\n",
     "upstream.attempt_timeout: is longer than upstream.timeout"},
    {"ConnectLongerThanAttempt", "[upstream]\nconnect_timeout = \"5s\"\n",
     "upstream.connect_timeout: is longer than upstream.attempt_timeout"},
    {"BundleAbsent", "[upstream]\nca_bundle = \"absent.pem\"\n", "absent.pem does not exist"},
    {"UserWithoutPassword", "[upstream]\nparent_proxy = \"http://user@proxy:8080\"\n",
     "set parent_proxy_password_file"},
    {"PasswordWithoutUser",
     "[upstream]\nparent_proxy = \"http://proxy:8080\"\nparent_proxy_password_file = "
     "\"password\"\n",
     "needs a user in parent_proxy"},
    {"KeepShorterThanInterval", "[refresh]\nkeep = \"5m\"\n", "is shorter than refresh.interval"},
    {"MirrorAlone", "[[mirror]]\nhosts = [\"a.example.com\"]\n",
     "c.toml:2:9: mirror[0].hosts: names fewer than two hosts"},
    {"MirrorHostTwice",
     "[[mirror]]\nhosts = [\"a.example.com\", \"b.example.com\"]\n"
     "[[mirror]]\nhosts = [\"c.example.com\", \"A.example.com\"]\n",
     "mirror[1].hosts: a.example.com is named in mirrors twice"},
    {"SignerUnnamed", "[[signer]]\ncertificate = \"ocsp.pem\"\nkey = \"ocsp.key\"\n",
     "signer[0].name: is missing"},
    {"SignerTwice",
     "[[signer]]\nname = \"s\"\ncertificate = \"ocsp.pem\"\nkey = \"ocsp.key\"\n"
     "[[signer]]\nname = \"s\"\ncertificate = \"ocsp.pem\"\nkey = \"ocsp.key\"\n",
     "c.toml:6:8: signer[1].name: \"s\" is there twice"},
    {"SignerKeyAbsent", "[[signer]]\nname = \"s\"\ncertificate = \"ocsp.pem\"\nkey = \"absent\"\n",
     "c.toml:4:7: signer[0].key: "},
    {"AuthorityWithoutCertificate", "[[authority]]\nname = \"a\"\n",
     "authority[0].certificate: is missing"},
    {"AuthorityTwice",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\n"
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\n",
     "authority[1].name: \"a\" is there twice"},
    {"SignerUnknown", "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\nsigner = \"b\"\n",
     "c.toml:4:10: authority[0].signer: there is no [[signer]] named \"b\""},
    {"AttestWithCrls",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\nwithout_evidence = \"attest\"\n"
     "crls = [\"http://crl.example.com/a.crl\"]\n"
     "[[authority.attest]]\ncertificate = \"issuing.cer\"\nuntil = 2027-06-01\nreason = \"r\"\n",
     "c.toml:4:20: authority[0].without_evidence: \"attest\" and crls exclude each other"},
    {"AttestNothing",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\nwithout_evidence = \"attest\"\n",
     "needs certificates in [[authority.attest]]"},
    {"AttestUnused",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\n"
     "[[authority.attest]]\ncertificate = \"issuing.cer\"\nuntil = 2027-06-01\nreason = \"r\"\n",
     "has no effect without without_evidence"},
    {"AttestUndated",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\nwithout_evidence = \"attest\"\n"
     "[[authority.attest]]\ncertificate = \"issuing.cer\"\nreason = \"r\"\n",
     "authority[0].attest[0].until: is missing"},
    {"AttestDateQuoted",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\nwithout_evidence = \"attest\"\n"
     "[[authority.attest]]\ncertificate = \"issuing.cer\"\nuntil = \"2027-06-01\"\nreason = "
     "\"r\"\n",
     "authority[0].attest[0].until: expected a date without quotes"},
    {"RevokedTwice",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\n"
     "[[authority.revoke]]\nserial = \"0a\"\nreason = \"superseded\"\n"
     "[[authority.revoke]]\nserial = \"00:0A\"\nreason = \"superseded\"\n",
     "authority[0].revoke[1].serial: 0a is there twice"},
    {"RevokedForNoReason",
     "[[authority]]\nname = \"a\"\ncertificate = \"ca.cer\"\n"
     "[[authority.revoke]]\nserial = \"0a\"\nreason = \"because\"\n",
     "is not a reason of RFC 5280"},
    {"TargetLargerThanHeader", "[limits]\ntarget_bytes = \"64KiB\"\n",
     "limits.target_bytes: is larger than limits.header_bytes"},
    {"PerClientAboveAll", "[limits]\nconnections = 100\n",
     "limits.connections_per_client: is larger than limits.connections"},
    {"IdleAboveAll", "[limits]\nupstream_connections_per_origin = 2\n",
     "limits.upstream_idle_per_origin: is larger"},
};

INSTANTIATE_TEST_SUITE_P(Rules, ValidateRule, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& one) {
                           return std::string(one.param.name);
                         });

}  // namespace
}  // namespace revcache::config
