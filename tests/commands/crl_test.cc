#include "commands/crl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "config/command_line.h"
#include "evidence_fixture.h"

namespace revcache::commands {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

class CrlCommand : public EvidenceCommand {
 protected:
  CrlCommand() {
    std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~CrlCommand() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  config::EvidenceArguments arguments_;
};

TEST_F(CrlCommand, ShowListsEveryEntry) {
  arguments_.input = chain_path("issuing.crl");
  EXPECT_EQ(run_crl_show(arguments_, surroundings()), config::kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("CN=Test Issuing"));
  EXPECT_THAT(out_.str(), HasSubstr("2026-11-25T12:00:00Z  keyCompromise"));
  EXPECT_THAT(out_.str(), HasSubstr("2026-11-25T12:00:00Z  certificateHold"));
}

TEST_F(CrlCommand, ShowAsJsonIsWholeJson) {
  arguments_.input = chain_path("issuing.crl");
  arguments_.json = true;
  EXPECT_EQ(run_crl_show(arguments_, surroundings()), config::kExitOk);
  const json report = json::parse(out_.str());
  EXPECT_EQ(report["kind"], "crl");
  EXPECT_EQ(report["number"], "16");
  EXPECT_EQ(report["entries"], 2);
  EXPECT_THAT(report["revoked"], SizeIs(2));
  EXPECT_TRUE(report["scope"].is_null());
}

TEST_F(CrlCommand, ADeltaCrlAndAPartitionAreSaidToBe) {
  arguments_.json = true;
  arguments_.input = chain_path("delta_lifts.crl");
  run_crl_show(arguments_, surroundings());
  const json delta = json::parse(out_.str());
  EXPECT_EQ(delta["kind"], "delta_crl");
  EXPECT_EQ(delta["base_number"], "16");
  out_.str("");
  arguments_.input = chain_path("partition.crl");
  run_crl_show(arguments_, surroundings());
  EXPECT_EQ(json::parse(out_.str())["scope"]["urls"][0], "http://cdn.test/issuing.crl");
}

TEST_F(CrlCommand, ShowOfAnEmptyCrlIsJsonToo) {
  arguments_.json = true;
  arguments_.input = chain_path("root.crl");
  run_crl_show(arguments_, surroundings());
  EXPECT_THAT(json::parse(out_.str())["revoked"], SizeIs(0));
}

TEST_F(CrlCommand, WhatIsNoCrlIsExitFour) {
  arguments_.input = chain_path("user.pem");
  EXPECT_EQ(run_crl_show(arguments_, surroundings()), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("user.pem: "));
}

TEST_F(CrlCommand, FetchKeepsOnlyWhatIsACrl) {
  const std::string file = directory_ + "/kept.crl";
  arguments_.input = "http://cdn.test/issuing.crl";
  arguments_.output = file;
  EXPECT_EQ(run_crl_fetch(arguments_, surroundings()), config::kExitUnreachable);
  http_.serve("GET " + arguments_.input, "<html>");
  EXPECT_EQ(run_crl_fetch(arguments_, surroundings()), config::kExitUsage);
  EXPECT_FALSE(std::filesystem::exists(file));
  const std::string crl = read_whole(chain_path("issuing.crl"));
  http_.serve("GET " + arguments_.input, crl);
  EXPECT_EQ(run_crl_fetch(arguments_, surroundings()), config::kExitOk);
  EXPECT_EQ(read_whole(file), crl);
}

TEST_F(CrlCommand, OnlyPlainHttpIsFetched) {
  for (const char* url : {"https://cdn.test/x.crl", "ldap://cdn.test/x", "file:///etc/passwd"}) {
    arguments_.input = url;
    EXPECT_EQ(run_crl_show(arguments_, surroundings()), config::kExitUsage);
  }
  EXPECT_THAT(http_.asked, SizeIs(0));
}

}  // namespace
}  // namespace revcache::commands
