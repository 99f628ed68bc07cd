#include "commands/revoke.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/commands/admin_fixture.h"

namespace revcache::commands {
namespace {

using testing::HasSubstr;
using testing::Not;

class Revoke : public AdminCommand {
 protected:
  Revoke() {
    arguments_.authority = "contoso";
    arguments_.serial = "0A:1B";
    arguments_.reason = "keyCompromise";
    arguments_.note = "ticket 4711";
  }
};

TEST_F(Revoke, AsksTheInstanceAndTellsHowLongClientsMayGoOn) {
  answers(200, R"({"authority": "contoso", "serial": "0a1b", "reason": "keyCompromise",
                   "revoked_at": "2026-12-01T12:00:00Z",
                   "crls_valid_until": "2026-12-08T12:00:00Z",
                   "answers_valid_until": "2026-12-01T13:00:00Z", "loops_behind": 0,
                   "clients": "until the nextUpdate; cache resync"})");
  EXPECT_EQ(run_revoke(arguments_, surroundings()), 0);
  EXPECT_EQ(instance_.asked[0].url, "http://127.0.0.1:9853/api/v1/revoke");
  EXPECT_EQ(posted(), nlohmann::json::parse(R"({"authority": "contoso", "serial": "0A:1B",
                                                "reason": "keyCompromise",
                                                "note": "ticket 4711"})"));
  EXPECT_THAT(out_.str(), HasSubstr("0a1b of contoso is revoked (keyCompromise)"));
  EXPECT_THAT(out_.str(), HasSubstr("cache resync"));
  EXPECT_THAT(out_.str(), HasSubstr("2026-12-08T12:00:00Z"));
  EXPECT_THAT(out_.str(), HasSubstr("Answers of revcache that clients may have end by "
                                    "2026-12-01T13:00:00Z"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("busy")));
}

TEST_F(Revoke, SaysWhenSomeThreadsHaveNotTakenItYet) {
  answers(200, R"({"authority": "contoso", "serial": "0a1b", "reason": "unspecified",
                   "answers_valid_until": null, "loops_behind": 1, "clients": "x"})");
  EXPECT_EQ(run_revoke(arguments_, surroundings()), 0);
  EXPECT_THAT(out_.str(), HasSubstr("busy"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("Answers of revcache")));
}

TEST_F(Revoke, IsLifted) {
  answers(200, R"({"authority": "contoso", "serial": "0a1b"})");
  EXPECT_EQ(run_unrevoke(arguments_, surroundings()), 0);
  EXPECT_EQ(instance_.asked[0].url, "http://127.0.0.1:9853/api/v1/unrevoke");
  EXPECT_EQ(posted(), nlohmann::json::parse(R"({"authority": "contoso", "serial": "0A:1B"})"));
  EXPECT_THAT(out_.str(), HasSubstr("0a1b of contoso is no longer revoked by hand"));
}

TEST_F(Revoke, SaysWhatTheInstanceRefuses) {
  answers(409, R"({"error": "revoked by [[authority.revoke]] of /etc/revcache.toml"})");
  EXPECT_EQ(run_unrevoke(arguments_, surroundings()), 1);
  EXPECT_THAT(err_.str(), HasSubstr("/etc/revcache.toml"));
}

TEST_F(Revoke, IsListedOnALineEachAndNotesCannotPlayWithTheTerminal) {
  answers(200, R"({"revoked": [
      {"authority": "contoso", "issuer_key": "ab", "serial": "0a1b", "reason": "superseded",
       "revoked_at": "2026-12-01T12:00:00Z", "note": "lost\u001b[2J\n", "declared": false},
      {"authority": null, "issuer_key": "cd", "serial": "02", "reason": "unspecified",
       "revoked_at": "2026-12-01T12:00:00Z", "note": "", "declared": true}]})");
  EXPECT_EQ(run_revoked(arguments_, surroundings()), 0);
  EXPECT_FALSE(instance_.asked[0].post);
  EXPECT_EQ(out_.str(),
            "contoso  0a1b  2026-12-01T12:00:00Z  superseded  lost\\x1b[2J\\x0a\n"
            "(no authority now)  02  2026-12-01T12:00:00Z  unspecified  declared in the "
            "configuration\n");
}

TEST_F(Revoke, SaysThatNothingIs) {
  answers(200, R"({"revoked": []})");
  EXPECT_EQ(run_revoked(arguments_, surroundings()), 0);
  EXPECT_EQ(out_.str(), "Nothing is revoked by hand.\n");
}

}  // namespace
}  // namespace revcache::commands
