#include "admin/token.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace revcache::admin {
namespace {

TEST(Token, IsComparedWhole) {
  EXPECT_TRUE(presents_token("Bearer abc", "abc"));
  EXPECT_TRUE(presents_token("BEARER   abc", "abc"));
  EXPECT_FALSE(presents_token("Bearer ab", "abc"));
  EXPECT_FALSE(presents_token("Bearer abcd", "abc"));
  EXPECT_FALSE(presents_token("Bearerabc", "abc"));
  EXPECT_FALSE(presents_token("", "abc"));
}

TEST(Token, OfNoCharactersIsNeverPresented) {
  EXPECT_FALSE(presents_token("Bearer ", ""));
  EXPECT_FALSE(presents_token("", ""));
}

TEST(Token, IsRequiredOnlyBeyondLoopback) {
  std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
  const std::string directory = mkdtemp(pattern.data());
  std::ofstream(directory + "/token") << "s3cret\n";
  config::Config config;
  config.admin.token_file = directory + "/token";
  config.listen.admin = SocketAddress::parse("127.0.0.1:9853").value();
  EXPECT_EQ(required_token(config).value(), "");
  config.listen.admin = SocketAddress::parse("[::1]:9853").value();
  EXPECT_EQ(required_token(config).value(), "");
  config.listen.admin = SocketAddress::parse("0.0.0.0:9853").value();
  EXPECT_EQ(required_token(config).value(), "s3cret");
  config.admin.token_file = directory + "/absent";
  const auto absent = required_token(config);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().blame, Blame::local);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace revcache::admin
