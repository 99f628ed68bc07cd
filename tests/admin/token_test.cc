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

TEST(Token, IsReadWhereItIsConfiguredAndDemandedBeyondLoopback) {
  std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
  const std::string directory = mkdtemp(pattern.data());
  std::ofstream(directory + "/token") << "s3cret\n";
  config::Config config;
  for (const char* address : {"127.0.0.1:9853", "[::1]:9853"}) {
    config.listen.admin = SocketAddress::parse(address).value();
    config.admin.token_file.clear();
    EXPECT_EQ(configured_token(config).value(), "") << address;
    config.admin.token_file = directory + "/token";
    EXPECT_EQ(configured_token(config).value(), "s3cret") << address;
    config.admin.token_file = directory + "/absent";
    EXPECT_FALSE(configured_token(config)) << address;
  }
  config.listen.admin = SocketAddress::parse("0.0.0.0:9853").value();
  for (const auto& file : {std::string(), directory + "/absent"}) {
    config.admin.token_file = file;
    const auto absent = configured_token(config);
    ASSERT_FALSE(absent) << file;
    EXPECT_EQ(absent.error().blame, Blame::local);
  }
  config.admin.token_file = directory + "/token";
  EXPECT_EQ(configured_token(config).value(), "s3cret");
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace revcache::admin
