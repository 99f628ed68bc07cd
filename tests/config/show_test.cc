#include "config/show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "config/load.h"
#include "temporary_directory.h"

namespace revcache::config {
namespace {

using testing::HasSubstr;
using testing::Not;

const Environment kUser{.is_root = false, .home = "/home/u", .xdg_state_home = ""};

std::string first_error(const LoadResult& result) {
  return result ? std::string() : result.error().front().to_string();
}

// Without the first line, which names the source.
std::string settings(const Config& config) {
  const std::string text = effective_text(config);
  return text.substr(text.find('\n'));
}

TEST(Show, TheDefaultFileLoadsBackToTheDefaults) {
  const Config built_in = defaults(kUser);
  const auto loaded = load_text(default_text(built_in), "default.toml", kUser);
  ASSERT_TRUE(loaded) << first_error(loaded);
  EXPECT_EQ(settings(*loaded), settings(built_in));
}

TEST(Show, EveryKeyOfTheDefaultFileHasAComment) {
  const std::string text = default_text(defaults(kUser));
  std::string previous;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(line.size() + 1);
    if (line.find(" = ") != std::string::npos && !line.starts_with("#")) {
      EXPECT_TRUE(previous.starts_with("# ")) << line;
    }
    previous = line;
  }
}

TEST(Show, TheExamplesInTheDefaultFileAreValidOnceUncommented) {
  std::string text = default_text(defaults(kUser));
  const std::size_t examples = text.find("# Examples of what there is none of by default:");
  ASSERT_NE(examples, std::string::npos);
  std::string uncommented;
  std::string_view rest = std::string_view(text).substr(text.find('\n', examples) + 1);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    uncommented += std::string(line.substr(std::min<std::size_t>(2, line.size()))) + '\n';
  }
  const TemporaryDirectory directory;
  for (const char* name : {"ocsp.pem", "ocsp.key", "contoso-root.cer", "contoso-other-root.cer",
                           "contoso-issuing.cer"}) {
    directory.write(name, "contents\n");
  }
  const auto loaded = load_file(directory.write("revcache.toml", uncommented));
  ASSERT_TRUE(loaded) << first_error(loaded);
  EXPECT_EQ(loaded->authorities.size(), 2U);
  EXPECT_EQ(loaded->authorities[0].revoke.size(), 1U);
  EXPECT_EQ(loaded->authorities[1].attest.size(), 1U);
  EXPECT_EQ(loaded->signers.size(), 1U);
  EXPECT_EQ(loaded->mirrors.size(), 1U);
}

TEST(Show, EffectiveSettingsLoadBackToThemselves) {
  const auto config = load_text(R"(
    [listen]
    workers = 3
    [access]
    destinations = ["*.example.com:*", "[2001:db8::1]:8080"]
    clients = ["fd00::/8"]
    [ocsp]
    nonce_budget = "90/m"
    [limits]
    idle_timeout = "1m500ms"
    request_body_bytes = 12345
    [log]
    file = "/var/log/a \"b\".log"
  )",
                                "c.toml", kUser);
  ASSERT_TRUE(config) << first_error(config);
  const auto again = load_text(effective_text(*config), "again.toml", kUser);
  ASSERT_TRUE(again) << first_error(again);
  EXPECT_EQ(settings(*again), settings(*config));
  EXPECT_THAT(effective_text(*config), HasSubstr("workers = 3\n"));
  EXPECT_THAT(effective_text(*config), HasSubstr("from c.toml"));
}

TEST(Show, SecretsAreMasked) {
  const TemporaryDirectory directory;
  directory.write("password", "hunter2\n");
  directory.write("token", "tok-4711\n");
  directory.write("ocsp.pem", "contents\n");
  const auto config = load_file(directory.write("revcache.toml", R"(
    [admin]
    token_file = "token"
    [upstream]
    parent_proxy = "http://user@proxy.corp:8080"
    parent_proxy_password_file = "password"
    [[signer]]
    name = "hsm"
    certificate = "ocsp.pem"
    key = "pkcs11:token=t;object=o?pin-value=1234&module-name=x"
  )"));
  ASSERT_TRUE(config) << first_error(config);
  const std::string text = effective_text(*config);
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, Not(HasSubstr("tok-4711")));
  EXPECT_THAT(text, Not(HasSubstr("1234")));
  EXPECT_THAT(text, HasSubstr("pkcs11:token=t;object=o?pin-value=***&module-name=x"));
  EXPECT_THAT(text, HasSubstr("http://user@proxy.corp:8080"));
}

}  // namespace
}  // namespace revcache::config
