#include "commands/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace revcache::commands {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class ConfigCommand : public testing::Test {
 protected:
  ConfigCommand() {
    std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~ConfigCommand() override { std::filesystem::remove_all(directory_); }

  int run(config::Verb verb, std::string_view text) {
    const std::string file = directory_ + "/c.toml";
    std::ofstream(file) << text;
    config::CommandLine line;
    line.verb = verb;
    line.source.file = file;
    return run_config(line, out_, err_);
  }

  std::string directory_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ConfigCommand, CheckSaysThatAFileIsValid) {
  EXPECT_EQ(run(config::Verb::config_check, "[listen]\nworkers = 2\n"), config::kExitOk);
  EXPECT_THAT(out_.str(), EndsWith("/c.toml: valid\n"));
  EXPECT_EQ(err_.str(), "");
}

TEST_F(ConfigCommand, CheckListsEveryMistakeAndExitsWithFour) {
  EXPECT_EQ(run(config::Verb::config_check, "[listen]\nworkrs = 2\nproxy = 3\n"),
            config::kExitUsage);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), HasSubstr("c.toml:2:1: unknown key \"workrs\""));
  EXPECT_THAT(err_.str(), HasSubstr("c.toml:3:9: listen.proxy: "));
}

TEST_F(ConfigCommand, ShowPrintsWhatIsInForce) {
  EXPECT_EQ(run(config::Verb::config_show, "[listen]\nworkers = 2\n"), config::kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("workers = 2\n"), HasSubstr("timeout = \"9s\"\n")));
}

TEST_F(ConfigCommand, WhatDefaultPrintsIsValid) {
  EXPECT_EQ(run(config::Verb::config_default, "not looked at"), config::kExitOk);
  const std::string text = out_.str();
  out_.str("");
  EXPECT_THAT(text, StartsWith("# "));
  EXPECT_EQ(run(config::Verb::config_check, text), config::kExitOk) << err_.str();
}

}  // namespace
}  // namespace revcache::commands
