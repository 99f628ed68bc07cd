#include "admin/api_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/api.h"
#include "tests/admin/scripted_operations.h"

namespace revcache::admin {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

StatusReport report() {
  StatusReport report;
  report.version = "0.1.0";
  report.now = WallTime(noon()) + 300ms;
  report.started_at = noon() - 1h;
  AuthorityStatus contoso{.name = "contoso", .subject = "CN=Root", .key = "ab"};
  contoso.evidence = {.kind = EvidenceKind::crl,
                      .needed = true,
                      .usable = true,
                      .crls = 1,
                      .this_update = noon() - 24h,
                      .next_update = noon() + 48h,
                      .fetched_at = WallTime(noon()) - 1500ms};
  contoso.refresh = {.urls = 2, .next_run = noon() + 60s, .consecutive_failures = 1};
  contoso.signer = SignerStatus{.name = "ocsp", .usable = true, .not_after = noon() + 24h * 100};
  report.authorities.push_back(contoso);
  report.authorities.push_back({.name = "fabrikam"});
  report.crls.push_back({.url = "http://cdp.test/a.crl",
                         .label = "0badcafe",
                         .authority = "contoso",
                         .issuer = "CN=Root",
                         .own = true,
                         .number = "05",
                         .this_update = noon() - 24h,
                         .next_update = noon() - 1s,
                         .usable_until = noon() + 48h,
                         .entries = 3,
                         .bytes = 700,
                         .sha256 = "cd"});
  report.answers.push_back({.authority = "contoso",
                            .serial = "0a",
                            .this_update = noon(),
                            .next_update = noon() + 1h,
                            .url = "http://ocsp.test/"});
  report.not_held.push_back({.url = "http://cdp.test/b.crl",
                             .authority = "contoso",
                             .consecutive_failures = 4,
                             .next_run = noon() + 5s,
                             .detail = "timed out"});
  report.upstreams.push_back(
      {.name = "*.test", .up = false, .answered = noon(), .requests = {{"ok", 7}}, .p50 = 0.02});
  report.upstreams.push_back({.name = "other"});
  report.memory = {.bytes = 5, .bytes_max = 10, .entries = 1};
  report.latency.minute.requests = 3;
  report.latency.minute.by_result[metrics::index(metrics::RequestResult::hit)] = 2;
  report.latency.series.push_back({});
  report.latency.series.back().at = noon();
  judge(report);
  return report;
}

json body_of(const Answer& answer) {
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  return json::parse(answer.body);
}

TEST(StatusJson, TellsTheWholeAtOnce) {
  const json got = body_of(status_answer(report()));
  EXPECT_EQ(got["now"], "2026-12-01T12:00:00Z");
  EXPECT_EQ(got["started_at"], "2026-12-01T11:00:00Z");
  EXPECT_EQ(got["ready"], true);
  EXPECT_EQ(got["verdict"]["answer"], "at_risk");
  EXPECT_EQ(got["verdict"]["reasons"][0]["authority"], "contoso");
  EXPECT_EQ(got["verdict"]["reasons"][0]["runbook"], "a-crl-runs-out");
  EXPECT_EQ(got["cache"]["memory"]["bytes_max"], 10);
  EXPECT_EQ(got["cache"]["disk"], nullptr);
  EXPECT_EQ(got["clock"]["floor"], nullptr);
  EXPECT_EQ(got["latency"]["minute"]["by_result"]["hit"], 2);
  EXPECT_EQ(got["latency"]["minute"]["p50"], nullptr);
  EXPECT_EQ(got["latency"]["series"][0]["at"], "2026-12-01T12:00:00Z");
}

TEST(StatusJson, TellsOfEachAuthority) {
  const json got = body_of(authorities_answer(report()))["authorities"];
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0]["status"], "at_risk");
  EXPECT_EQ(got[0]["evidence"]["kind"], "crl");
  EXPECT_EQ(got[0]["evidence"]["time_left_seconds"], 48 * 3600);
  EXPECT_EQ(got[0]["evidence"]["validity_seconds"], 72 * 3600);
  EXPECT_EQ(got[0]["evidence"]["fetched_at"], "2026-12-01T11:59:58Z");
  EXPECT_EQ(
      got[0]["refresh"],
      json::parse(R"({"urls":2,"next_run":"2026-12-01T12:01:00Z","consecutive_failures":1})"));
  EXPECT_EQ(got[0]["signer"]["problem"], nullptr);
  EXPECT_EQ(got[1]["status"], "yes");
  EXPECT_EQ(got[1]["subject"], nullptr);
  EXPECT_EQ(got[1]["signer"], nullptr);
  EXPECT_EQ(got[1]["evidence"]["time_left_seconds"], nullptr);
}

TEST(StatusJson, TellsWhatIsHeldAndWhatIsNot) {
  const json got = body_of(crls_answer(report()));
  EXPECT_EQ(got["crls"][0]["number"], "05");
  EXPECT_EQ(got["crls"][0]["time_left_seconds"], 0) << "it has ended";
  EXPECT_EQ(got["crls"][0]["consecutive_failures"], nullptr);
  EXPECT_EQ(got["ocsp"][0]["status"], "good");
  EXPECT_EQ(got["not_held"][0]["detail"], "timed out");
}

TEST(StatusJson, TellsOfUpstreams) {
  const json got = body_of(upstreams_answer(report()))["upstreams"];
  EXPECT_EQ(got[0], json::parse(R"({"name":"*.test","up":false,
      "last_success":"2026-12-01T12:00:00Z","requests":{"ok":7},"p50":0.02,"p99":null})"));
  EXPECT_EQ(got[1]["up"], nullptr);
}

TEST(StatusJson, TellsTheSettings) {
  const json got = body_of(config_answer({.source = "", .json = R"({"listen": {"workers": 2}})"}));
  EXPECT_EQ(got, json::parse(R"({"source": null, "config": {"listen": {"workers": 2}}})"));
  EXPECT_EQ(config_answer({.source = "", .json = "{"}).status, 500);
}

TEST(StatusCalls, AskOnceAndHandProblemsOn) {
  ScriptedOperations operations;
  for (const ApiCall call : {ApiCall::status, ApiCall::authorities, ApiCall::crls,
                             ApiCall::upstreams, ApiCall::config}) {
    const ApiRequest request{.call = call, .query = {}, .by = {}};
    EXPECT_EQ(answer_call(request, {}, operations).status, 200);
    operations.problem = Problem{ProblemKind::unavailable, "not now"};
    EXPECT_EQ(answer_call(request, {}, operations).status, 503);
    operations.problem.reset();
  }
  EXPECT_EQ(operations.asked.size(), 10U);
}

TEST(Health, IsWhatTheAuthorityIsAndTheWholeInstance) {
  StatusReport both = report();
  EXPECT_EQ(health_answer(both, "fabrikam").body, "ok\n");
  const Answer at_risk = health_answer(both, "contoso");
  EXPECT_EQ(at_risk.status, 200);
  EXPECT_THAT(at_risk.body, testing::StartsWith("ok\nat risk: The CRL 0badcafe of contoso"));
  both.authorities[1].within_dates = false;
  judge(both);
  EXPECT_EQ(health_answer(both, "contoso").status, 200);
  EXPECT_EQ(health_answer(both, "fabrikam").status, 503);
  EXPECT_THAT(health_answer(both, "fabrikam").body, HasSubstr("no: The certificate of fabrikam"));
  both.clock_behind = true;
  judge(both);
  EXPECT_EQ(health_answer(both, "contoso").status, 503);
  EXPECT_THAT(health_answer(both, "contoso").body, HasSubstr("no: The clock is behind"));
  EXPECT_EQ(health_answer(both, "nobody").status, 404);
}

}  // namespace
}  // namespace revcache::admin
