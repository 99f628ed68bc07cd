#include "admin/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/base64.h"
#include "tests/admin/scripted_operations.h"

namespace revcache::admin {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

ApiRequest asking(ApiCall call, std::string query = {}) {
  return {.call = call, .query = std::move(query), .by = "127.0.0.1:50000"};
}

json body_of(const Answer& answer) {
  EXPECT_EQ(answer.content_type, "application/json");
  return json::parse(answer.body);
}

class Api : public testing::Test {
 protected:
  Answer ask(ApiCall call, std::string_view body) {
    return answer_call(asking(call), body, operations_);
  }
  ScriptedOperations operations_;
};

TEST_F(Api, ResetsFloorsAndSaysHowManyWent) {
  const auto answer = ask(ApiCall::floor_reset, R"({"authority": "contoso"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(body_of(answer), json::parse(R"({"authority": "contoso", "floors_removed": 3})"));
  EXPECT_THAT(operations_.asked, ElementsAre("reset_floors contoso by 127.0.0.1:50000"));
}

TEST_F(Api, ReadsASerialHoweverItIsWritten) {
  for (const char* serial : {"0a1b", "0A:1B", "00:00:0a:1b", "00000A1B"}) {
    const json body{{"authority", "ca"}, {"serial", serial}};
    const auto answer = ask(ApiCall::unrevoke, body.dump());
    EXPECT_EQ(body_of(answer), json::parse(R"({"authority": "ca", "serial": "0a1b"})")) << serial;
    EXPECT_EQ(operations_.asked.back(), "unrevoke ca 0a1b by 127.0.0.1:50000");
  }
}

TEST_F(Api, RevokesAndSaysWhatClientsMayStillHave) {
  operations_.valid_until = noon();
  operations_.loops_behind = 2;
  const auto answer = ask(
      ApiCall::revoke,
      R"({"authority": "ca", "serial": "7F", "reason": "keyCompromise", "note": "lost \"x\""})");
  const auto got = body_of(answer);
  EXPECT_EQ(got["revoked_at"], "2026-12-01T12:00:00Z");
  EXPECT_EQ(got["crls_valid_until"], "2026-12-01T12:00:00Z");
  EXPECT_EQ(got["answers_valid_until"], "2026-12-01T12:00:00Z");
  EXPECT_EQ(got["loops_behind"], 2);
  EXPECT_THAT(got["clients"].get<std::string>(),
              AllOf(HasSubstr("nextUpdate"), HasSubstr("cache resync")));
  EXPECT_THAT(operations_.asked,
              ElementsAre("revoke ca 7f keyCompromise (lost \"x\") by 127.0.0.1:50000"));
}

TEST_F(Api, RevokesForNoReasonUnlessOneIsGiven) {
  const auto got = body_of(ask(ApiCall::revoke, R"({"authority": "ca", "serial": "01"})"));
  EXPECT_EQ(got["reason"], "unspecified");
  EXPECT_EQ(got["crls_valid_until"], nullptr);
  EXPECT_EQ(got["answers_valid_until"], nullptr);
  EXPECT_EQ(got["loops_behind"], 0);
}

struct Refused {
  std::string_view name;
  ApiCall call;
  std::string_view body;
  std::string_view why;
};

class ApiBody : public Api, public testing::WithParamInterface<Refused> {};

TEST_P(ApiBody, IsRefusedWithItsReasonAndChangesNothing) {
  const auto answer = ask(GetParam().call, GetParam().body);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(body_of(answer)["error"].get<std::string>(), HasSubstr(GetParam().why));
  EXPECT_TRUE(operations_.asked.empty());
}

constexpr Refused kRefused[] = {
    {"Nothing", ApiCall::floor_reset, "", "no JSON object"},
    {"NoJson", ApiCall::floor_reset, "authority=ca", "no JSON object"},
    {"AnArray", ApiCall::floor_reset, "[]", "no JSON object"},
    {"Trailing", ApiCall::floor_reset, R"({"authority": "ca"} x)", "no JSON object"},
    {"Deep", ApiCall::floor_reset, "[[[[[[[[[[[[[[[[[[[[", "no JSON object"},
    {"NoAuthority", ApiCall::floor_reset, "{}", R"("authority" is missing)"},
    {"NoText", ApiCall::floor_reset, R"({"authority": 7})", R"("authority" is to be a string)"},
    {"Misspelt", ApiCall::floor_reset, R"({"autority": "ca"})", R"("autority" is no member)"},
    {"NoSerial", ApiCall::revoke, R"({"authority": "ca"})", "serial: "},
    {"NoHex", ApiCall::revoke, R"({"authority": "ca", "serial": "xyz"})", "serial: "},
    {"OddColons", ApiCall::unrevoke, R"({"authority": "ca", "serial": "0:1"})", "serial: "},
    {"LongSerial", ApiCall::revoke,
     R"({"authority": "ca", "serial": "0123456789012345678901234567890123456789ff"})", "serial: "},
    {"NoReason", ApiCall::revoke, R"({"authority": "ca", "serial": "01", "reason": "gone"})",
     "reason: "},
    {"NoCertificate", ApiCall::explain, "{}", "certificate: "},
    {"NoBase64", ApiCall::explain, R"({"certificate": "MA="})", "certificate: "},
    {"NoDer", ApiCall::explain, R"({"certificate": "MAA="})", "certificate: "},
    {"Lifting", ApiCall::revoke,
     R"({"authority": "ca", "serial": "01", "reason": "removeFromCRL"})", "reason: "},
};

INSTANTIATE_TEST_SUITE_P(Table, ApiBody, testing::ValuesIn(kRefused),
                         [](const testing::TestParamInfo<Refused>& one) {
                           return std::string(one.param.name);
                         });

TEST_F(Api, BoundsTheNote) {
  const json body{{"authority", "ca"}, {"serial", "01"}, {"note", std::string(1025, 'x')}};
  EXPECT_EQ(ask(ApiCall::revoke, body.dump()).status, 400);
  EXPECT_TRUE(operations_.asked.empty());
}

TEST_F(Api, TellsProblemsByTheirStatus) {
  const std::pair<ProblemKind, int> statuses[] = {{ProblemKind::unknown, 404},
                                                  {ProblemKind::conflict, 409},
                                                  {ProblemKind::failed, 500},
                                                  {ProblemKind::unavailable, 503}};
  for (const auto& [kind, status] : statuses) {
    operations_.problem = Problem{kind, "because \xff"};
    for (const ApiCall call : {ApiCall::floor_reset, ApiCall::revoke, ApiCall::unrevoke,
                               ApiCall::revoked, ApiCall::audit, ApiCall::decisions}) {
      const json body = call == ApiCall::floor_reset ? json{{"authority", "ca"}}
                                                     : json{{"authority", "ca"}, {"serial", "01"}};
      const auto answer = ask(call, body.dump());
      EXPECT_EQ(answer.status, status);
      EXPECT_THAT(body_of(answer)["error"].get<std::string>(), HasSubstr("because"));
    }
    EXPECT_EQ(refresh_answer(std::unexpected(*operations_.problem)).status, status);
  }
}

TEST_F(Api, ListsWhatIsRevoked) {
  operations_.listed = {{.authority = "ca",
                         .issuer_key = "ab",
                         .serial = "01",
                         .revoked_at = noon(),
                         .reason = pki::CrlReason::superseded,
                         .note = "old",
                         .declared = true},
                        {.authority = "",
                         .issuer_key = "cd",
                         .serial = "02",
                         .revoked_at = noon(),
                         .reason = pki::CrlReason::unspecified,
                         .note = "",
                         .declared = false}};
  const auto got = body_of(ask(ApiCall::revoked, ""))["revoked"];
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], json::parse(R"({"authority": "ca", "issuer_key": "ab", "serial": "01",
      "reason": "superseded", "revoked_at": "2026-12-01T12:00:00Z", "note": "old",
      "declared": true})"));
  EXPECT_EQ(got[1]["authority"], nullptr);
}

TEST_F(Api, GivesAsManyAuditEntriesAsAreAskedFor) {
  const auto audit = [this](const char* query) {
    return answer_call(asking(ApiCall::audit, query), "", operations_);
  };
  EXPECT_EQ(body_of(audit("entries=5"))["entries"],
            json::parse(R"([{"change": "revoke"}, "not json"])"));
  EXPECT_EQ(operations_.asked.back(), "audit 5");
  audit("");
  EXPECT_EQ(operations_.asked.back(), "audit 100");
  operations_.asked.clear();
  for (const char* query : {"entries=0", "entries=1001", "entries=-1", "entries=5x",
                            "entries=", "n=5", "entries=99999999999999999999"}) {
    EXPECT_EQ(audit(query).status, 400) << query;
  }
  EXPECT_TRUE(operations_.asked.empty());
}

TEST_F(Api, GivesAsManyDecisionsAsAreAskedFor) {
  const auto answer = answer_call(asking(ApiCall::decisions, "entries=7"), "", operations_);
  EXPECT_EQ(body_of(answer), json::parse(R"({"entries": [{"rule": "crl_absent"}]})"));
  EXPECT_EQ(operations_.asked.back(), "decisions 7");
  EXPECT_EQ(answer_call(asking(ApiCall::decisions, "entries=0"), "", operations_).status, 400);
}

class Explain : public Api {
 protected:
  Explain() {
    std::ifstream file(REVCACHE_TESTDATA "/certificate/good_critical_false.der", std::ios::binary);
    std::ostringstream octets;
    octets << file.rdbuf();
    der_ = octets.str();
    operations_.explanation.record.at = noon();
    operations_.explanation.record.serial = "0a1b";
    operations_.explanation.record.rule = revocation::Rule::crl_absent;
  }
  json explain(std::string_view authority = {}) {
    json body{{"certificate", base64(as_bytes(der_))}};
    if (!authority.empty()) body["authority"] = authority;
    return body_of(ask(ApiCall::explain, body.dump()));
  }
  std::string der_;
};

TEST_F(Explain, TellsTheDecisionAndHowItsIssuerWasFound) {
  operations_.explanation.issuer = "CN=Root";
  operations_.explanation.signature_holds = true;
  const json got = explain("contoso");
  EXPECT_EQ(got["serial"], "0a1b");
  EXPECT_EQ(got["outcome"], "good");
  EXPECT_EQ(got["rule"], "crl_absent");
  EXPECT_EQ(got["evidence"], nullptr);
  EXPECT_EQ(got["issuer"], "CN=Root");
  EXPECT_EQ(got["issuer_by"], "signature");
  EXPECT_THAT(operations_.asked.back(), EndsWith(" at contoso"));
  EXPECT_EQ(got["unused_evidence"], json::array());
  operations_.explanation.signature_holds = false;
  EXPECT_EQ(explain()["issuer_by"], "name and key identifier");
}

TEST_F(Explain, TellsWhatVerifiedAndDoesNotCount) {
  operations_.explanation.unused.push_back(
      {.kind = "delta_crl", .number = "07", .reason = "base_mismatch", .detail = "starts from 06"});
  EXPECT_EQ(explain()["unused_evidence"], (json::array({{{"kind", "delta_crl"},
                                                         {"number", "07"},
                                                         {"reason", "base_mismatch"},
                                                         {"detail", "starts from 06"}}})));
}

TEST_F(Explain, OfNobodyWeKnowTellsNoIssuer) {
  operations_.explanation.record.rule = revocation::Rule::unknown_issuer;
  const json got = explain();
  EXPECT_EQ(got["outcome"], "unauthorized");
  EXPECT_EQ(got["issuer"], nullptr);
  EXPECT_EQ(got["issuer_by"], nullptr);
}

TEST_F(Explain, TellsProblemsByTheirStatus) {
  operations_.problem = Problem{ProblemKind::unknown, "no [[authority]] of that name"};
  const json body{{"certificate", base64(as_bytes(der_))}, {"authority", "x"}};
  EXPECT_EQ(ask(ApiCall::explain, body.dump()).status, 404);
}

TEST(RefreshTarget, IsAUrlAnAuthorityOrEverything) {
  const auto url = read_refresh_target(R"({"url": "http://CDP.test:80/a.crl"})");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->url, "http://cdp.test/a.crl");
  EXPECT_EQ(read_refresh_target(R"({"authority": "ca"})")->authority, "ca");
  const auto all = read_refresh_target("{}");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->url + all->authority, "");
  for (const char* wrong : {"", R"({"url": "ftp://x/"})", R"({"url": "http://a@x/"})",
                            R"({"url": "http://x/", "authority": "ca"})"}) {
    EXPECT_FALSE(read_refresh_target(wrong)) << wrong;
  }
}

TEST(RefreshAnswer, TellsEachOutcome) {
  const auto answer = refresh_answer(std::vector<RefreshedUrl>{{.url = "http://a/",
                                                                .outcome = "changed",
                                                                .detail = "",
                                                                .this_update = noon(),
                                                                .next_update = {}}});
  EXPECT_EQ(body_of(answer), json::parse(R"({"refreshed": [{"url": "http://a/",
      "outcome": "changed", "detail": "", "this_update": "2026-12-01T12:00:00Z",
      "next_update": null}]})"));
}

}  // namespace
}  // namespace revcache::admin
