#include "admin/api_purge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

#include "tests/admin/scripted_operations.h"

namespace revcache::admin {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

ApiRequest purging() { return {.call = ApiCall::purge, .query = {}, .by = "127.0.0.1:50000"}; }

TEST(ApiPurge, AnswersWithWhatWent) {
  ScriptedOperations operations;
  const auto answer = answer_purge(purging(), R"({"all": true, "dry_run": true})", operations);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body), json::parse(R"({"dry_run": true, "entries": 2, "bytes": 4096,
                            "urls": ["http://crl.test/a.crl"], "more": 1})"));
  EXPECT_THAT(operations.asked,
              ElementsAre("purge url= authority= everything dry_run by 127.0.0.1:50000"));
}

TEST(ApiPurge, NormalisesTheUrl) {
  const auto target = read_purge_target(R"({"url": "HTTP://CRL.test:80/a.crl"})");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->url, "http://crl.test/a.crl");
  EXPECT_FALSE(target->dry_run);
}

struct Malformed {
  const char* body;
  const char* says;
};

TEST(ApiPurge, NeedsExactlyOneTarget) {
  const Malformed all[] = {
      {"[]", "no JSON object"},
      {"{}", "one of"},
      {R"({"all": false})", "one of"},
      {R"({"url": "http://a/", "authority": "b"})", "one of"},
      {R"({"url": "http://a/", "all": true})", "one of"},
      {R"({"all": "yes"})", "true or false"},
      {R"({"authority": 1})", "a string"},
      {R"({"dryrun": true})", "no member"},
      {R"({"url": "ftp://a/"})", "url: "},
  };
  for (const auto& [body, says] : all) {
    const auto target = read_purge_target(body);
    ASSERT_FALSE(target) << body;
    EXPECT_EQ(target.error().status, 400);
    EXPECT_THAT(target.error().body, HasSubstr(says)) << body;
  }
}

TEST(ApiPurge, HandsOnWhatIsWrong) {
  ScriptedOperations operations;
  operations.problem = Problem{ProblemKind::unavailable, "another purge is under way"};
  EXPECT_EQ(answer_purge(purging(), R"({"all": true})", operations).status, 503);
}

}  // namespace
}  // namespace revcache::admin
