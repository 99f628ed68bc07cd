#include "commands/purge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/commands/admin_fixture.h"

namespace revcache::commands {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Purge : public AdminCommand {
 protected:
  Purge() { removes(2); }
  void removes(int entries, int more = 0) {
    answers(200, json{{"dry_run", false},
                      {"entries", entries},
                      {"bytes", 4096},
                      {"urls", {"http://crl.test/a.crl", "http://crl.test/\x1b[31m"}},
                      {"more", more}}
                     .dump());
  }
  int run() { return run_purge(arguments_, surroundings()); }
};

TEST_F(Purge, TellsUrlsFromAuthoritiesAndEverything) {
  arguments_.target = "http://crl.test/a.crl";
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(posted(), json::parse(R"({"url": "http://crl.test/a.crl"})"));
  arguments_.target = "contoso";
  arguments_.dry_run = true;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(posted(), json::parse(R"({"authority": "contoso", "dry_run": true})"));
  arguments_.target = "";
  arguments_.all = true;
  arguments_.dry_run = false;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(posted(), json::parse(R"({"all": true})"));
}

TEST_F(Purge, SaysWhatWentAndWhatIsKept) {
  removes(2, 7);
  arguments_.all = true;
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("http://crl.test/a.crl\n"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b"))) << "a URL does not reach the terminal as it is";
  EXPECT_THAT(out_.str(), HasSubstr("and 7 more\n"));
  EXPECT_THAT(out_.str(), HasSubstr("removed 2 entries, 4096 bytes\n"));
  EXPECT_THAT(out_.str(), HasSubstr("revocations by hand are kept"));
}

TEST_F(Purge, ADryRunSaysWhatWouldGo) {
  removes(1);
  arguments_.target = "contoso";
  arguments_.dry_run = true;
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("would remove 1 entry, 4096 bytes\n"));
}

TEST_F(Purge, SaysWhyItWasRefused) {
  answers(404, R"({"error": "no [[authority]] is named \"contoso\""})");
  arguments_.target = "contoso";
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(err_.str(), HasSubstr("no [[authority]] is named"));
  answers(500, R"({"error": "the disk refused"})");
  EXPECT_EQ(run(), 2);
}

}  // namespace
}  // namespace revcache::commands
