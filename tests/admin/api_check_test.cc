#include "admin/api_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>
#include <string>

#include "admin/api.h"
#include "base/base64.h"

namespace revcache::admin {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct Malformed {
  std::string body;
  const char* says;
};

TEST(ApiCheck, SaysWhatIsWrongWithTheBody) {
  const std::string text = base64(as_bytes("no certificate"));
  const Malformed all[] = {
      {"[]", "no JSON object"},
      {"{}", "\"chain\" is missing"},
      {R"({"chain": 5})", "a string"},
      {R"({"chain": "a b"})", "base64"},
      {R"({"chain": ""})", "missing"},
      {R"({"chain": ")" + text + R"("})", "chain: "},
      {R"({"chain": "", "profile": "x"})", "profile"},
      {R"({"chain": "", "trust": "x"})", "\"trust\" is no member"},
  };
  for (const auto& [body, says] : all) {
    const auto question = read_check_question(body);
    ASSERT_FALSE(question) << body;
    EXPECT_EQ(question.error().status, 400);
    EXPECT_THAT(json::parse(question.error().body)["error"].get<std::string>(), HasSubstr(says))
        << body;
  }
}

TEST(ApiCheck, TakesALongerBodyThanOtherCalls) {
  EXPECT_EQ(body_bytes_max(ApiCall::check), kCheckBodyBytesMax);
  EXPECT_EQ(body_bytes_max(ApiCall::explain), kApiBodyBytesMax);
  EXPECT_THAT(too_long(ApiCall::check).body, HasSubstr("256 KiB"));
}

TEST(ApiCheck, HandsOnTheDiagnosisAsItIs) {
  const auto answer = check_answer("{\n}\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, kJson);
  EXPECT_EQ(answer.body, "{\n}\n");
  const auto busy = check_answer(std::unexpected(Problem{ProblemKind::unavailable, "later"}));
  EXPECT_EQ(busy.status, 503);
}

}  // namespace
}  // namespace revcache::admin
