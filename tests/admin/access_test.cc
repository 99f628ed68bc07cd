#include "admin/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "admin/pages.h"
#include "http/parser.h"

namespace revcache::admin {
namespace {

using testing::HasSubstr;

constexpr std::string_view kToken = "Authorization: Bearer s3cret\r\n";
constexpr std::string_view kJsonBody =
    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

struct Access {
  std::string_view name;
  std::string_view start;   // method and target
  std::string_view fields;  // the empty line and a body too, where there is one
  int status;               // 200: let in
};

// What `rules` say of a request for which Host is 127.0.0.1:9853 unless its fields name another.
Decision decided(std::string_view start, std::string_view fields, const AccessRules& rules) {
  std::string bytes = std::string(start) + " HTTP/1.1\r\n";
  if (fields.find("Host:") == std::string_view::npos) bytes += "Host: 127.0.0.1:9853\r\n";
  bytes += fields;
  if (fields.find("\r\n\r\n") == std::string_view::npos) bytes += "\r\n";
  const http::ParserLimits limits;
  http::RequestParser parser(limits);
  EXPECT_EQ(parser.feed(bytes).kind, http::StepKind::head);
  return decide(parser.head(), rules);
}

int status_of(const Decision& decision) {
  if (decision.file) return decision.file->status;
  return decision.page || decision.api ? 200 : decision.refusal.status;
}

class OpenToRead : public testing::TestWithParam<Access> {};

TEST_P(OpenToRead, IsDecided) {
  const AccessRules rules{
      .names = {"revcache.corp.example"}, .token = {}, .change_token = "s3cret"};
  const auto decision = decided(GetParam().start, GetParam().fields, rules);
  EXPECT_EQ(status_of(decision), GetParam().status) << decision.refusal.body;
}

constexpr Access kAccess[] = {
    {"ReadsWithoutToken", "GET /api/v1/revoked", "", 200},
    {"ReadsTheAudit", "GET /api/v1/audit?entries=5", "", 200},
    {"ChangesWithoutToken", "POST /api/v1/revoke", kJsonBody, 401},
    {"ChangesWithAnotherToken", "POST /api/v1/revoke",
     "Authorization: Bearer wrong\r\nContent-Length: 0\r\n", 401},
    {"ChangesWithToken", "POST /api/v1/revoke",
     "Authorization: Bearer s3cret\r\nContent-Type: application/json; charset=utf-8\r\n"
     "Content-Length: 2\r\n\r\n{}",
     200},
    {"RefreshIsAChange", "POST /api/v1/refresh", kJsonBody, 401},
    {"FormOfAPage", "POST /api/v1/revoke",
     "Authorization: Bearer s3cret\r\nContent-Type: application/x-www-form-urlencoded\r\n"
     "Content-Length: 2\r\n",
     415},
    {"PlainTextOfAPage", "POST /api/v1/revoke",
     "Authorization: Bearer s3cret\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n", 415},
    {"TooLong", "POST /api/v1/revoke",
     "Authorization: Bearer s3cret\r\nContent-Type: application/json\r\nContent-Length: 16385\r\n",
     413},
    {"LongestBody", "POST /api/v1/revoke",
     "Authorization: Bearer s3cret\r\nContent-Type: application/json\r\nContent-Length: 16384\r\n",
     200},
    {"ChangeByGet", "GET /api/v1/revoke", kToken, 405},
    {"ReadByPost", "POST /api/v1/revoked", kToken, 405},
    {"BodyOfAGet", "GET /api/v1/revoked", kJsonBody, 413},
    {"NoSuchCall", "GET /api/v1/nothing", "", 404},
    {"NoSuchVersion", "GET /api/v2/revoked", "", 404},
    {"CallWithASlash", "GET /api/v1/revoked/", "", 404},
    {"OwnOrigin", "POST /api/v1/refresh",
     "Origin: http://127.0.0.1:9853\r\nAuthorization: Bearer s3cret\r\n", 200},
    {"OwnOriginByName", "POST /api/v1/refresh",
     "Host: RevCache.corp.example:9853\r\nOrigin: http://revcache.corp.example:9853\r\n"
     "Authorization: Bearer s3cret\r\n",
     200},
    {"OwnOriginByTls", "POST /api/v1/refresh",
     "Host: revcache.corp.example\r\nOrigin: https://revcache.corp.example\r\n"
     "Authorization: Bearer s3cret\r\n",
     200},
    {"ForeignOrigin", "POST /api/v1/refresh",
     "Origin: http://evil.example\r\nAuthorization: Bearer s3cret\r\n", 403},
    {"OriginOfAnotherAddress", "POST /api/v1/refresh",
     "Origin: http://10.0.0.1:9853\r\nAuthorization: Bearer s3cret\r\n", 403},
    {"OriginOfAnotherPort", "POST /api/v1/refresh",
     "Origin: http://127.0.0.1:8080\r\nAuthorization: Bearer s3cret\r\n", 403},
    {"OriginOfTheDefaultPort", "POST /api/v1/refresh",
     "Origin: http://127.0.0.1\r\nAuthorization: Bearer s3cret\r\n", 403},
    {"OpaqueOrigin", "POST /api/v1/refresh", "Origin: null\r\nAuthorization: Bearer s3cret\r\n",
     403},
    {"FileOrigin", "POST /api/v1/refresh", "Origin: file://\r\nAuthorization: Bearer s3cret\r\n",
     403},
    {"ForeignOriginThatReads", "GET /api/v1/revoked", "Origin: http://evil.example\r\n", 403},
    {"ForeignOriginOfAPage", "GET /metrics", "Origin: http://evil.example\r\n", 403},
    {"ReboundHost", "POST /api/v1/refresh",
     "Host: evil.example:9853\r\nOrigin: http://evil.example:9853\r\n"
     "Authorization: Bearer s3cret\r\n",
     421},
    {"ReboundHostThatReads", "GET /api/v1/revoked", "Host: evil.example:9853\r\n", 421},
};

INSTANTIATE_TEST_SUITE_P(Table, OpenToRead, testing::ValuesIn(kAccess),
                         [](const testing::TestParamInfo<Access>& one) {
                           return std::string(one.param.name);
                         });

TEST(Change, IsRefusedWhereNoTokenIsConfiguredAndTheRefusalNamesTheSetting) {
  const AccessRules rules;
  const auto decision = decided("POST /api/v1/revoke", kToken, rules);
  EXPECT_EQ(status_of(decision), 403);
  EXPECT_THAT(decision.refusal.body, HasSubstr("admin.token_file"));
  EXPECT_EQ(status_of(decided("GET /api/v1/revoked", "", rules)), 200);
  EXPECT_EQ(status_of(decided("POST /api/v1/revoke", "Authorization: Bearer \r\n", rules)), 403);
}

TEST(Reading, NeedsTheTokenTooBeyondLoopback) {
  const AccessRules rules{.names = {}, .token = "s3cret", .change_token = "s3cret"};
  EXPECT_EQ(status_of(decided("GET /api/v1/revoked", "", rules)), 401);
  EXPECT_EQ(status_of(decided("GET /api/v1/revoked", kToken, rules)), 200);
  EXPECT_EQ(status_of(decided("POST /api/v1/revoke", kToken, rules)), 200);
}

// The page holds nothing of the instance; a browser cannot send a token with its first request.
TEST(Reading, OfTheStatusPageItselfNeedsNoTokenButTheRightHostAndPage) {
  const AccessRules rules{.names = {}, .token = "s3cret", .change_token = "s3cret"};
  EXPECT_EQ(status_of(decided("GET /", "", rules)), 200);
  EXPECT_EQ(status_of(decided("HEAD /page/style.css", "", rules)), 200);
  EXPECT_EQ(status_of(decided("GET /page/nothing", "", rules)), 404);
  EXPECT_EQ(status_of(decided("POST /", "", rules)), 405);
  EXPECT_EQ(status_of(decided("GET /", "Host: evil.example\r\n", rules)), 421);
  EXPECT_EQ(status_of(decided("GET /", "Origin: http://evil.example\r\n", rules)), 403);
  for (const char* held : {"GET /page", "GET //", "GET /api/v1", "GET /metrics", "GET /livez"}) {
    EXPECT_EQ(status_of(decided(held, "", rules)), 401) << held;
  }
}

TEST(Refusal, OfACallIsJsonAndOfAPageText) {
  const auto call = decided("GET /api/v1/nothing", "", {}).refusal;
  EXPECT_EQ(call.content_type, "application/json");
  EXPECT_EQ(call.body, "{\"error\":\"no such call; /api/v1 lists them\"}\n");
  const auto page = decided("GET /nothing", "", {}).refusal;
  EXPECT_EQ(page.content_type, kPlainText);
  EXPECT_EQ(page.body, "no such page; /api/v1 lists them\n");
}

TEST(Refusal, NamesTheMethodsThatACallTakes) {
  const auto refusal = decided("DELETE /api/v1/revoke", "", {}).refusal;
  ASSERT_EQ(refusal.fields.size(), 1U);
  EXPECT_EQ(refusal.fields[0].first, "Allow");
  EXPECT_EQ(refusal.fields[0].second, "POST");
}

}  // namespace
}  // namespace revcache::admin
