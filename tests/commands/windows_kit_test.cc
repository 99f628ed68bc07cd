#include "commands/windows_kit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "commands/windows_kit_facts.h"
#include "commands/windows_kit_files.h"
#include "commands/windows_kit_text.h"
#include "pki/signature.h"
#include "tests/config/temporary_directory.h"
#include "tests/pki/signer_identities.h"

namespace revcache::commands {
namespace {

using testing::AllOf;
using testing::Each;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

constexpr WallTime kNow = std::chrono::sys_days{std::chrono::year(2026) / 11 / 22};
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kListen =
    "[listen]\nproxy = [\"0.0.0.0:3128\"]\nnames = [\"revcache.corp.example\"]\n";

// Of no shell, script, page or list.
constexpr std::string_view kHostile = R"(a'"`$(calc);&|<script>%x%]]>{0}@URL@)";

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(text).str();
}

class WindowsKit : public testing::Test {
 protected:
  WindowsKit() {
    line_.verb = config::Verb::windows_kit;
    line_.windows_kit.directory = kit_;
  }

  void add_authority(const std::string& name, const pki::Identity& identity,
                     const std::string& more = "signer = \"ocsp\"\n") {
    directory_.write(name + ".pem", identity.certificate_pem);
    authorities_ += "[[authority]]\nname = \"" + name + "\"\ncertificate = \"" + name + ".pem\"\n" +
                    "crls = [\"http://crl.example/" + name + ".crl\"]\n" + more;
  }
  void set_signer(const pki::Identity& identity) {
    directory_.write("ocsp.pem", identity.certificate_pem);
    directory_.write("ocsp.key", "not read");
    signer_ = "[[signer]]\nname = \"ocsp\"\ncertificate = \"ocsp.pem\"\nkey = \"ocsp.key\"\n";
  }
  // A root and an independent signer, as with Cloud PKI.
  void usual() {
    add_authority("contoso-root", root_);
    set_signer(pki::make_ocsp_signer(nullptr));
  }

  int run() {
    out_.str("");
    err_.str("");
    line_.source.file = directory_.write("c.toml", listen_ + signer_ + authorities_);
    return run_windows_kit(line_, kNow, out_, err_);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return read(kit_ + "/" + name); }
  [[nodiscard]] Json kit() const { return Json::parse(file("kit.json")); }
  [[nodiscard]] std::map<std::string, std::string> all_files() const {
    std::map<std::string, std::string> all;
    if (!std::filesystem::exists(kit_)) return all;
    for (const auto& one : std::filesystem::directory_iterator(kit_)) {
      all[one.path().filename().string()] = read(one.path());
    }
    return all;
  }

  config::TemporaryDirectory directory_;
  std::string kit_ = directory_.path() + "/kit";
  std::string listen_{kListen};
  std::string signer_;
  std::string authorities_;
  pki::Identity root_ = pki::make_authority("Contoso Root");
  config::CommandLine line_;
  std::ostringstream out_;
  std::ostringstream err_;
};

std::string ocsp_url_by_openssl(const std::string& der) {
  const auto* at = as_bytes(der).data();
  const std::unique_ptr<AUTHORITY_INFO_ACCESS, decltype(&AUTHORITY_INFO_ACCESS_free)> access(
      d2i_AUTHORITY_INFO_ACCESS(nullptr, &at, static_cast<long>(der.size())),
      AUTHORITY_INFO_ACCESS_free);
  if (!access || at != as_bytes(der).data() + der.size()) return "not an AIA";
  if (sk_ACCESS_DESCRIPTION_num(access.get()) != 1) return "not one";
  const ACCESS_DESCRIPTION* one = sk_ACCESS_DESCRIPTION_value(access.get(), 0);
  if (OBJ_obj2nid(one->method) != NID_ad_OCSP || one->location->type != GEN_URI) return "other";
  const ASN1_IA5STRING* url = one->location->d.uniformResourceIdentifier;
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(url)),
          static_cast<std::size_t>(ASN1_STRING_length(url))};
}

TEST(WindowsKitText, PropertyEightyOneIsAnOcspUrlForOpensslToo) {
  for (const std::size_t length : {20U, 120U, 127U, 128U, 300U}) {
    std::string url = "http://h:1/ocsp/";
    url.resize(length, 'a');
    EXPECT_EQ(ocsp_url_by_openssl(ocsp_access(url)), url);
  }
}

TEST(WindowsKitText, AnInfHasSixteenOctetsInALine) {
  std::string der;
  for (int i = 0; i < 17; ++i) der += static_cast<char>(0xf0 + i);
  EXPECT_EQ(property_inf(as_bytes(der)),
            "[Properties]\n81 = \"{hex}\"\n"
            "_continue_ = \"f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 fa fb fc fd fe ff\"\n"
            "_continue_ = \"00\"\n");
  EXPECT_EQ(property_inf({}), "[Properties]\n81 =\n");
}

TEST_F(WindowsKit, NamesTheOcspUrlOfEachAuthority) {
  usual();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(err_.str(), "");
  const std::string url = "http://revcache.corp.example:3128/ocsp/contoso-root";
  const Json authority = kit()["authorities"][0];
  EXPECT_EQ(authority["ocspUrl"], url);
  EXPECT_EQ(authority["store"], "Root");
  EXPECT_EQ(authority["crlUrl"], "http://revcache.corp.example:3128/crl/contoso-root.crl");
  EXPECT_EQ(ocsp_url_by_openssl(file("ca-contoso-root-ocsp.der")), url);
  EXPECT_THAT(file("ca-contoso-root-ocsp.inf"),
              StartsWith("[Properties]\r\n81 = \"{hex}\"\r\n_continue_ = \"30 "));
  EXPECT_EQ(file("ca-contoso-root.cer"), root_.certificate->der.text());
  EXPECT_THAT(file("gpo.html"), HasSubstr("<td>" + url + "</td>"));
  EXPECT_THAT(file("README.txt"), HasSubstr(url));
  EXPECT_THAT(out_.str(), HasSubstr(url));
}

TEST_F(WindowsKit, ProxyAutoConfigurationGoesThroughUsButNotToUs) {
  usual();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_THAT(file("proxy.pac"),
              AllOf(HasSubstr("if (host == \"revcache.corp.example\") return \"DIRECT\";\r\n"),
                    HasSubstr("dnsDomainIs(host, \".pki.azure.net\")) return \"PROXY "
                              "revcache.corp.example:3128\";\r\n")));
}

TEST_F(WindowsKit, AnIndependentSignerIsToBeTrusted) {
  usual();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  const Json signer = kit()["authorities"][0]["signer"];
  EXPECT_EQ(signer["kind"], "independent");
  ASSERT_EQ(signer["trust"].size(), 1U);
  EXPECT_EQ(signer["trust"][0]["file"], "signer-ocsp.cer");
  EXPECT_EQ(signer["trust"][0]["store"], "Root");
  EXPECT_EQ(signer["trust"][0]["sha256"], pki::hex(pki::sha256(as_bytes(file("signer-ocsp.cer")))));
}

TEST_F(WindowsKit, ADelegatedSignerNeedsNoTrustOfItsOwn) {
  add_authority("contoso-root", root_);
  set_signer(pki::make_ocsp_signer(&root_));
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(kit()["authorities"][0]["signer"]["kind"], "delegated");
  EXPECT_TRUE(kit()["authorities"][0]["signer"]["trust"].empty());
  EXPECT_EQ(all_files().count("signer-ocsp.cer"), 0U);
}

TEST_F(WindowsKit, TheAuthoritysOwnKeyNeedsNoTrustOfItsOwn) {
  add_authority("contoso-root", root_);
  set_signer(root_);
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(kit()["authorities"][0]["signer"]["kind"], "authority");
  EXPECT_TRUE(kit()["authorities"][0]["signer"]["trust"].empty());
}

TEST_F(WindowsKit, ASignerBelowAStrangersRootDoesNotBringThatRoot) {
  const pki::Identity stranger = pki::make_authority("Stranger");
  add_authority("contoso-root", root_);
  pki::Identity signer = pki::make_ocsp_signer(&stranger);
  signer.certificate_pem += stranger.certificate_pem;
  set_signer(signer);
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_TRUE(kit()["authorities"][0]["signer"]["trust"].empty());
  EXPECT_THAT(err_.str(), HasSubstr("CN=Stranger"));
}

TEST_F(WindowsKit, AnIssuingCaLiesInTheStoreOfIntermediates) {
  const pki::Identity issuing = pki::make_identity({.name = "Issuing",
                                                    .issuer = &root_,
                                                    .extended_key_usage = {},
                                                    .key_usage = "keyCertSign, cRLSign",
                                                    .is_ca = true});
  add_authority("contoso-issuing", issuing);
  set_signer(pki::make_ocsp_signer(nullptr));
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(kit()["authorities"][0]["store"], "CA");
  EXPECT_THAT(file("gpo.html"), HasSubstr("<td>Intermediate Certification Authorities</td>"));
}

TEST_F(WindowsKit, ScriptsAreTheSameWhateverTheConfigurationSays) {
  add_authority("contoso-root", pki::make_authority(std::string(kHostile)));
  set_signer(pki::make_ocsp_signer(nullptr));
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  for (const KitTemplate& one : kit_templates()) {
    if (one.name == "README.txt" || one.name == "gpo.html") continue;
    std::string written = file(std::string(one.name));
    if (written.starts_with(kByteOrderMark)) written.erase(0, kByteOrderMark.size());
    std::erase(written, '\r');
    EXPECT_EQ(written, one.text) << one.name;
  }
}

TEST_F(WindowsKit, AHostileSubjectIsTextAndNothingElse) {
  add_authority("contoso-root", pki::make_authority(std::string(kHostile)));
  set_signer(pki::make_ocsp_signer(nullptr));
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  const std::string page = file("gpo.html");
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, HasSubstr("&#39;"));
  EXPECT_THAT(page, HasSubstr("@URL@</td>"));  // no place to fill in
  EXPECT_THAT(kit()["authorities"][0]["subject"].get<std::string>(), HasSubstr("$(calc)"));
  EXPECT_THAT(file("README.txt"), HasSubstr("@URL@"));
}

TEST_F(WindowsKit, WritesForWindows) {
  usual();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  int scripts = 0;
  for (const auto& [name, bytes] : all_files()) {
    if (name.ends_with(".der") || name.ends_with(".cer") || name == "manifest.json") continue;
    const auto lines = std::ranges::count(bytes, '\n');
    std::ptrdiff_t with_return = 0;
    for (std::size_t at = bytes.find("\r\n"); at != std::string::npos;
         at = bytes.find("\r\n", at + 1)) {
      ++with_return;
    }
    EXPECT_EQ(lines, with_return) << name;
    EXPECT_GT(lines, 0) << name;
    const bool is_script = name.ends_with(".ps1");
    scripts += is_script ? 1 : 0;
    EXPECT_EQ(bytes.starts_with(kByteOrderMark), is_script || name == "README.txt") << name;
  }
  EXPECT_EQ(scripts, 6);
}

TEST_F(WindowsKit, TheManifestHasEveryFile) {
  usual();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  auto files = all_files();
  const Json manifest = Json::parse(files.at("manifest.json"));
  files.erase("manifest.json");
  EXPECT_EQ(manifest["files"].size(), files.size());
  for (const Json& one : manifest["files"]) {
    const std::string& bytes = files.at(one["name"].get<std::string>());
    EXPECT_EQ(one["sha256"], pki::hex(pki::sha256(as_bytes(bytes))));
    EXPECT_EQ(one["bytes"], bytes.size());
  }
}

TEST_F(WindowsKit, MadeAgainItIsTheSame) {
  usual();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  const auto before = all_files();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(all_files(), before);
}

TEST_F(WindowsKit, AnOlderKitIsReplacedAndWhatIsLeftOverRemoved) {
  usual();
  add_authority("other-root", pki::make_authority("Other"));
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  std::ofstream(kit_ + "/ca-other-root.cer") << "changed";
  line_.windows_kit.authorities = {"contoso-root"};
  line_.windows_kit.url = "http://other.example:3128";
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_THAT(file("kit.json"), HasSubstr("http://other.example:3128/ocsp/contoso-root"));
  EXPECT_EQ(all_files().count("ca-other-root-ocsp.der"), 0U);
  EXPECT_EQ(file("ca-other-root.cer"), "changed");
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("removed ca-other-root-ocsp.der"),
                                HasSubstr("left ca-other-root.cer")));
}

TEST_F(WindowsKit, AForeignFileIsNotOverwritten) {
  usual();
  std::filesystem::create_directory(kit_);
  std::ofstream(kit_ + "/README.txt") << "mine";
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("README.txt is not of a kit"));
  EXPECT_EQ(all_files(), (std::map<std::string, std::string>{{"README.txt", "mine"}}));
}

TEST_F(WindowsKit, AChangedFileIsNotOverwritten) {
  usual();
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  std::ofstream(kit_ + "/kit.json") << "mine";
  const auto before = all_files();
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("kit.json was changed since"));
  EXPECT_EQ(all_files(), before);
}

TEST_F(WindowsKit, ALinkIsNotFollowed) {
  usual();
  const std::string target = directory_.write("target", "mine");
  std::filesystem::create_directory(kit_);
  std::filesystem::create_symlink(target, kit_ + "/kit.json");
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_EQ(read(target), "mine");
  std::filesystem::remove(kit_ + "/kit.json");
  std::filesystem::create_symlink(target, kit_ + "/.revcache-windows-kit.part");
  EXPECT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(read(target), "mine");
}

TEST_F(WindowsKit, AManifestNamesNoFileElsewhere) {
  usual();
  const std::string outside = directory_.write("outside", "mine");
  std::filesystem::create_directory(kit_);
  std::ofstream(kit_ + "/manifest.json")
      << R"({"schema": 1, "files": [{"name": "../outside", "sha256": ")"
      << pki::hex(pki::sha256(as_bytes("mine"))) << "\"}]}";
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(read(outside), "mine");
}

class MalformedManifest : public WindowsKit, public testing::WithParamInterface<std::string> {};

TEST_P(MalformedManifest, IsRefused) {
  usual();
  std::filesystem::create_directory(kit_);
  std::ofstream(kit_ + "/manifest.json") << GetParam();
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("is no manifest of a kit"));
  EXPECT_EQ(all_files().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Texts, MalformedManifest,
                         testing::Values("", "[]", "{}", R"({"files": 3})", R"({"files": [3]})",
                                         R"({"files": [{"name": "a"}]})",
                                         R"({"files": [{"name": 1, "sha256": "a"}]})"));

struct UrlCase {
  std::string url;
  std::string proxy;  // empty: refused
  std::string warning;

  friend void PrintTo(const UrlCase& one, std::ostream* out) { *out << one.url; }
};

class KitUrl : public WindowsKit, public testing::WithParamInterface<UrlCase> {};

TEST_P(KitUrl, IsAnAddressOfOursOrRefused) {
  usual();
  line_.windows_kit.url = GetParam().url;
  if (GetParam().proxy.empty()) {
    EXPECT_EQ(run(), config::kExitUsage);
    EXPECT_THAT(err_.str(), HasSubstr("--url: "));
    EXPECT_TRUE(all_files().empty());
    return;
  }
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(kit()["proxy"], GetParam().proxy);
  if (GetParam().warning.empty()) {
    EXPECT_EQ(err_.str(), "");
  } else {
    EXPECT_THAT(err_.str(), HasSubstr(GetParam().warning));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Urls, KitUrl,
    testing::Values(UrlCase{"http://revcache.corp.example:3128", "revcache.corp.example:3128", ""},
                    UrlCase{"http://REVCACHE.corp.example:3128/", "revcache.corp.example:3128", ""},
                    UrlCase{"http://revcache.corp.example", "revcache.corp.example:80", ""},
                    UrlCase{"http://10.1.2.3:3128", "10.1.2.3:3128", ""},
                    UrlCase{"http://[2001:db8::1]:3128", "[2001:db8::1]:3128", ""},
                    UrlCase{"http://other.example:3128", "other.example:3128", "listen.names"},
                    UrlCase{"http://revcache.corp.example:9999", "revcache.corp.example:9999",
                            "listen.proxy"},
                    UrlCase{"http://127.0.0.1:3128", "127.0.0.1:3128", "from this machine only"},
                    UrlCase{"https://revcache.corp.example:3128", "", ""},
                    UrlCase{"http://revcache.corp.example:3128/x", "", ""},
                    UrlCase{"http://revcache.corp.example:3128/?x", "", ""},
                    UrlCase{"http://user@revcache.corp.example", "", ""},
                    UrlCase{"http://a'b:3128", "", ""}, UrlCase{"http://a\";calc;\":3128", "", ""},
                    UrlCase{"http://$(calc):3128", "", ""}, UrlCase{"http://a;b:3128", "", ""},
                    UrlCase{"http://a b:3128", "", ""}, UrlCase{"http://a\r\nb:3128", "", ""},
                    UrlCase{"http://a&b:3128", "", ""}, UrlCase{"http://h:0", "", ""},
                    UrlCase{"http://h:99999", "", ""},
                    UrlCase{"revcache.corp.example:3128", "", ""}));

class KitName : public WindowsKit, public testing::WithParamInterface<std::string> {};

TEST_P(KitName, ThatIsHostileDoesNotPassTheConfiguration) {
  set_signer(pki::make_ocsp_signer(nullptr));
  directory_.write("root.pem", root_.certificate_pem);
  authorities_ = "[[authority]]\nname = '''" + GetParam() +
                 "'''\ncertificate = \"root.pem\"\nsigner = \"ocsp\"\n";
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("c.toml:"));
  EXPECT_TRUE(all_files().empty());
}

INSTANTIATE_TEST_SUITE_P(Names, KitName,
                         testing::Values("a b", "a\"b", "$(calc)", "a`b", "../a", "a/b", "a\\b",
                                         "a;b", "<a>", "a&b", "a%b", ""));

TEST_F(WindowsKit, WithoutAnyNameOfOursAUrlIsAskedFor) {
  usual();
  listen_ = "[listen]\nproxy = [\"0.0.0.0:3128\"]\n";
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("listen.names"), HasSubstr("--url")));
  listen_ = "[listen]\nproxy = [\"10.1.2.3:3128\"]\n";
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(kit()["url"], "http://10.1.2.3:3128");
}

TEST_F(WindowsKit, OnlyAuthoritiesWithASignerArePartOfIt) {
  usual();
  add_authority("silent-root", pki::make_authority("Silent"), "");
  ASSERT_EQ(run(), config::kExitOk) << err_.str();
  EXPECT_EQ(kit()["authorities"].size(), 1U);
  line_.windows_kit.authorities = {"silent-root"};
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("has no signer"));
  line_.windows_kit.authorities = {"nobody"};
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no [[authority]] named \"nobody\""));
}

TEST_F(WindowsKit, WithoutASignerThereIsNoKit) {
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("signer new"));
}

TEST_F(WindowsKit, NamesThatWindowsCannotTellApartAreRefused) {
  usual();
  add_authority("Contoso-Root", pki::make_authority("Other"));
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("one file name on Windows"));
}

TEST_F(WindowsKit, OneCaHasOneOcspUrl) {
  usual();
  add_authority("same", root_);
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("are the same CA"));
}

TEST_F(WindowsKit, ASignerThatMayNotSignIsRefused) {
  add_authority("contoso-root", root_);
  set_signer(pki::make_identity({.name = "No EKU",
                                 .issuer = nullptr,
                                 .extended_key_usage = "clientAuth",
                                 .key_usage = "digitalSignature"}));
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("id-kp-OCSPSigning"));
  EXPECT_TRUE(all_files().empty());
}

TEST_F(WindowsKit, MistakesOfTheConfigurationAreListedWithTheirPlace) {
  authorities_ = "[listne]\n";
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("c.toml:4:"));
}

}  // namespace
}  // namespace revcache::commands
