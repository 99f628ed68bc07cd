#include "commands/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/base64.h"
#include "tests/commands/admin_fixture.h"

namespace revcache::commands {
namespace {

using testing::HasSubstr;
using testing::Not;

class PolicyExplain : public AdminCommand {
 protected:
  PolicyExplain() {
    arguments_.certificate = REVCACHE_TESTDATA "/certificate/good_critical_false.der";
  }
  int says(const std::string& outcome, const std::string& more = "") {
    answers(200, R"({"at": "2026-12-01T12:00:00Z", "authority": "contoso", "serial": "0a1b",
                     "outcome": ")" +
                     outcome + R"(", "rule": "x")" + more + "}");
    return run_policy_explain(arguments_, surroundings());
  }
};

TEST_F(PolicyExplain, SendsTheCertificateAndTellsEverythingThatCounts) {
  arguments_.authority = "contoso";
  EXPECT_EQ(says("good", R"(, "why": null, "signer": "ocsp", "issuer": "CN=Root",
      "issuer_by": "signature", "this_update": "2026-12-01T00:00:00Z",
      "next_update": "2026-12-01T13:00:00Z", "evidence": {"kind": "crl", "number": "07",
      "url": "http://cdp.test/root.crl", "sha256": "abcd", "this_update": "2026-12-01T00:00:00Z",
      "valid_until": "2026-12-08T00:00:00Z"})"),
            0);
  EXPECT_EQ(instance_.asked[0].url, "http://127.0.0.1:9853/api/v1/explain");
  std::ifstream file(arguments_.certificate, std::ios::binary);
  std::ostringstream octets;
  octets << file.rdbuf();
  const std::string der = octets.str();
  EXPECT_EQ(posted(),
            (nlohmann::json{{"certificate", base64(as_bytes(der))}, {"authority", "contoso"}}));
  for (const char* part :
       {" is good.", "0a1b", "CN=Root", "contoso", "crl, number 07", "http://cdp.test/root.crl",
        "abcd", "2026-12-08T00:00:00Z", "ocsp", "nextUpdate    2026-12-01T13:00:00Z",
        "valid until 2026-12-08T00:00:00Z"}) {
    EXPECT_THAT(out_.str(), HasSubstr(part));
  }
  EXPECT_THAT(out_.str(), Not(HasSubstr("not verified")));
}

TEST_F(PolicyExplain, TellsWhatVerifiedAndDoesNotCount) {
  says("good", R"(, "unused_evidence": [{"kind": "delta_crl", "number": "07",
      "reason": "base_mismatch", "detail": "starts from 06"}])");
  EXPECT_THAT(out_.str(),
              HasSubstr("not used      delta_crl, number 07: base_mismatch: starts from 06"));
}

TEST_F(PolicyExplain, EndsWithTheStatusOfTheAnswer) {
  EXPECT_EQ(says("good"), 0);
  EXPECT_EQ(says("revoked", R"(, "revoked_at": "2026-11-01T00:00:00Z", "reason": "keyCompromise")"),
            1);
  EXPECT_THAT(out_.str(), HasSubstr("keyCompromise"));
  EXPECT_EQ(says("unknown"), 2);
  EXPECT_EQ(says("try_later", R"(, "why": "no CRL of this issuer is held")"), 2);
  EXPECT_THAT(out_.str(), HasSubstr("no CRL of this issuer is held"));
  EXPECT_EQ(says("unauthorized"), 2);
  EXPECT_EQ(says("what a later version may say"), 2);
}

TEST_F(PolicyExplain, SaysWhenTheSignatureWasNotVerified) {
  says("good", R"(, "issuer": "CN=Root", "issuer_by": "name and key identifier")");
  EXPECT_THAT(out_.str(), HasSubstr("its signature was not verified"));
}

TEST_F(PolicyExplain, WhatIsRefusedIsNotTakenForRevoked) {
  answers(404, R"({"error": "no [[authority]] is named \"x\""})");
  EXPECT_EQ(run_policy_explain(arguments_, surroundings()), 4);
  EXPECT_THAT(err_.str(), HasSubstr("[[authority]]"));
}

TEST_F(PolicyExplain, SilenceIsNoMistakeOfTheCaller) {
  EXPECT_EQ(run_policy_explain(arguments_, surroundings()), 2);
}

TEST_F(PolicyExplain, WithoutACertificateNobodyIsAsked) {
  for (const char* file : {"/nowhere/at-all.pem", __FILE__}) {
    arguments_.certificate = file;
    EXPECT_EQ(run_policy_explain(arguments_, surroundings()), 4) << file;
  }
  EXPECT_TRUE(instance_.asked.empty());
}

TEST_F(PolicyExplain, GivesProgramsTheJsonOnly) {
  arguments_.json = true;
  EXPECT_EQ(says("revoked"), 1);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["outcome"], "revoked");
}

}  // namespace
}  // namespace revcache::commands
