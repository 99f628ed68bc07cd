#include "commands/floor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/commands/admin_fixture.h"

namespace revcache::commands {
namespace {

using testing::HasSubstr;

class FloorReset : public AdminCommand {
 protected:
  FloorReset() { arguments_.authority = "contoso"; }
  int run() { return run_floor_reset(arguments_, surroundings()); }
};

TEST_F(FloorReset, AsksTheInstanceAndSaysHowManyWent) {
  answers(200, R"({"authority": "contoso", "floors_removed": 3})");
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(instance_.asked[0].url, "http://127.0.0.1:9853/api/v1/floor/reset");
  EXPECT_EQ(instance_.asked[0].post_type, "application/json");
  EXPECT_EQ(instance_.asked[0].authorization, "");
  EXPECT_EQ(posted(), nlohmann::json::parse(R"({"authority": "contoso"})"));
  EXPECT_THAT(out_.str(), HasSubstr("contoso: 3 floors removed"));
}

TEST_F(FloorReset, WritesTheAnswerAsJson) {
  arguments_.json = true;
  answers(200, R"({"authority": "contoso", "floors_removed": 3})");
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["floors_removed"], 3);
}

TEST_F(FloorReset, PresentsTheTokenOfAFile) {
  std::string pattern = (std::filesystem::temp_directory_path() / "revcache_XXXXXX").string();
  const std::string directory = mkdtemp(pattern.data());
  arguments_.token_file = directory + "/token";
  EXPECT_EQ(run(), 4);
  EXPECT_THAT(err_.str(), HasSubstr(arguments_.token_file));
  EXPECT_TRUE(instance_.asked.empty());
  std::ofstream(arguments_.token_file) << "s3cret\n";
  answers(200, "{}");
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(instance_.asked[0].authorization, "Bearer s3cret");
  std::filesystem::remove_all(directory);
}

TEST_F(FloorReset, GivesAnExitCodeForEachRefusal) {
  const std::pair<int, int> codes[] = {{400, 4}, {401, 1}, {403, 1}, {404, 1},
                                       {409, 1}, {500, 2}, {503, 2}};
  for (const auto& [status, code] : codes) {
    answers(static_cast<std::uint16_t>(status), R"({"error": "because \u001b[31m"})");
    err_.str("");
    EXPECT_EQ(run(), code) << status;
    EXPECT_THAT(err_.str(), HasSubstr("because \\x1b[31m"));
  }
  EXPECT_EQ(out_.str(), "");
}

TEST_F(FloorReset, SaysWhenNobodyListensOrItIsNoAdminPort) {
  EXPECT_EQ(run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("http://127.0.0.1:9853 cannot be reached"));
  answers(200, "<html></html>");
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(err_.str(), HasSubstr("no answer of an admin port"));
}

TEST_F(FloorReset, TakesOnlyAPlainAddressOfAnAdminPort) {
  answers(200, "{}");
  for (const char* admin :
       {"127.0.0.1:9853", "https://127.0.0.1:9853", "http://a/b", "", "http://"}) {
    arguments_.admin = admin;
    EXPECT_EQ(run(), 4) << admin;
  }
  EXPECT_TRUE(instance_.asked.empty());
  arguments_.admin = "http://[::1]:9853/";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(instance_.asked[0].url, "http://[::1]:9853/api/v1/floor/reset");
}

}  // namespace
}  // namespace revcache::commands
