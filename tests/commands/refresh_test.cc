#include "commands/refresh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/commands/admin_fixture.h"

namespace revcache::commands {
namespace {

using nlohmann::json;

class Refresh : public AdminCommand {
 protected:
  int run() { return run_refresh(arguments_, surroundings()); }
  void outcomes(const std::vector<const char*>& all) {
    json refreshed = json::array();
    for (const char* outcome : all) {
      refreshed.push_back({{"url", "http://a/"},
                           {"outcome", outcome},
                           {"detail", ""},
                           {"this_update", nullptr},
                           {"next_update", nullptr}});
    }
    answers(200, json{{"refreshed", refreshed}}.dump());
  }
};

TEST_F(Refresh, TellsUrlsFromAuthorities) {
  outcomes({"changed"});
  arguments_.target = "http://cdp.test/a.crl";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(posted(), json::parse(R"({"url": "http://cdp.test/a.crl"})"));
  arguments_.target = "contoso";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(posted(), json::parse(R"({"authority": "contoso"})"));
  arguments_.target = "";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(posted(), json::object());
}

TEST_F(Refresh, GivesTheExitCodeOfTheWorstOutcome) {
  const std::pair<std::vector<const char*>, int> codes[] = {{{"changed", "unchanged"}, 0},
                                                            {{"refused", "changed"}, 1},
                                                            {{"changed", "failed"}, 2},
                                                            {{"failed", "refused"}, 2},
                                                            {{"running"}, 2},
                                                            {{}, 0}};
  for (const auto& [all, code] : codes) {
    outcomes(all);
    EXPECT_EQ(run(), code);
    arguments_.json = true;
    EXPECT_EQ(run(), code);
    arguments_.json = false;
  }
}

TEST_F(Refresh, WritesALineForEachUrl) {
  answers(200, R"({"refreshed": [
      {"url": "http://a/", "outcome": "changed", "detail": "", "this_update": "t",
       "next_update": "2026-12-08T12:00:00Z"},
      {"url": "http://b/", "outcome": "failed", "detail": "timed_out: silent",
       "this_update": null, "next_update": null}]})");
  EXPECT_EQ(run(), 2);
  EXPECT_EQ(out_.str(),
            "changed  http://a/  until 2026-12-08T12:00:00Z\n"
            "failed  http://b/  timed_out: silent\n");
}

}  // namespace
}  // namespace revcache::commands
