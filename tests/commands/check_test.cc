#include "commands/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "config/command_line.h"
#include "evidence_fixture.h"

namespace revcache::commands {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kLeafCdp = "GET http://cdn.test/issuing.crl";
constexpr const char* kCaCdp = "GET http://cdn.test/root.crl";

class CheckCommand : public EvidenceCommand {
 protected:
  CheckCommand() {
    arguments_.input = chain_path("user.pem");
    arguments_.trust = {chain_path("root.pem")};
    arguments_.extra = {chain_path("issuing_cdp.pem")};
  }

  int run(bool online = true) { return run_check(arguments_, surroundings(online)); }

  json run_json(int expected, bool online = true) {
    arguments_.json = true;
    EXPECT_EQ(run(online), expected) << err_.str();
    return json::parse(out_.str());
  }

  void serve_all() {
    http_.serve(kLeafCdp, read_whole(chain_path("issuing.crl")));
    http_.serve(kCaCdp, read_whole(chain_path("root.crl")));
  }

  config::EvidenceArguments arguments_;
};

TEST_F(CheckCommand, FetchesWhatTheCertificatesNameAndSaysHow) {
  serve_all();
  const json report = run_json(config::kExitOk);
  EXPECT_EQ(report["result"], "good");
  EXPECT_EQ(report["nps"]["verdict"], "accept");
  EXPECT_TRUE(report["nps"]["reason_code"].is_null());
  EXPECT_TRUE(report["nps"]["hresult"].is_null());
  EXPECT_TRUE(report["nps"]["client_error"].is_null());
  const json& evidence = report["chain"][0]["evidence"];
  ASSERT_THAT(evidence, SizeIs(1));
  EXPECT_EQ(evidence[0]["kind"], "crl");
  EXPECT_EQ(evidence[0]["url"], "http://cdn.test/issuing.crl");
  EXPECT_EQ(evidence[0]["number"], "16");
  EXPECT_EQ(evidence[0]["this_update"], "2026-11-20T00:00:00Z");
  EXPECT_EQ(evidence[0]["cache_status"], "revcache; hit");
  EXPECT_EQ(evidence[0]["elapsed_ms"], 1.25);
  EXPECT_THAT(http_.asked, ElementsAre(kLeafCdp, kCaCdp));
}

TEST_F(CheckCommand, ExtraCertificatesAreNotTrusted) {
  arguments_.trust.clear();
  arguments_.extra.push_back(chain_path("root.pem"));
  EXPECT_EQ(run_json(config::kExitInvalidChain)["result"], "invalid");
}

TEST_F(CheckCommand, OfflineFetchesNothing) {
  serve_all();
  arguments_.offline = true;
  const json report = run_json(config::kExitUnreachable);
  EXPECT_EQ(report["result"], "unknown");
  EXPECT_EQ(report["nps"]["reason_code"], 259);
  EXPECT_EQ(report["chain"][0]["findings"][0]["id"], "evidence-missing");
  EXPECT_THAT(http_.asked, IsEmpty());
}

TEST_F(CheckCommand, EvidenceAtHandNeedsNoNetwork) {
  arguments_.crls = {chain_path("issuing.crl"), chain_path("root.crl")};
  EXPECT_EQ(run_json(config::kExitOk, false)["result"], "good");
}

TEST_F(CheckCommand, TheDemonstrationFaultIsNamed) {
  arguments_.extra = {chain_path("issuing.pem")};
  serve_all();
  const json report = run_json(config::kExitUnreachable);
  EXPECT_EQ(report["nps"]["verdict"], "deny");
  EXPECT_EQ(report["nps"]["reason_code"], 258);
  EXPECT_EQ(report["nps"]["hresult"], "0x80092012");
  EXPECT_EQ(report["nps"]["client_error"], 853);
  EXPECT_EQ(report["chain"][1]["findings"][0]["id"], "cdp-missing");
  EXPECT_EQ(report["chain"][1]["status"], "unknown");
  EXPECT_EQ(report["chain"][2]["status"], "not_checked");
}

TEST_F(CheckCommand, ARevocationSaysSinceWhenAndWhy) {
  arguments_.input = chain_path("user_revoked.pem");
  serve_all();
  const json report = run_json(config::kExitRefused);
  EXPECT_EQ(report["chain"][0]["revoked_at"], "2026-11-25T12:00:00Z");
  EXPECT_EQ(report["chain"][0]["reason"], "keyCompromise");
  EXPECT_EQ(report["chain"][0]["source"], "crl");
  EXPECT_EQ(report["nps"]["reason_code"], 256);
}

TEST_F(CheckCommand, AnInvalidChainIsExitThreeAndNothingIsFetched) {
  arguments_.input = chain_path("user_expired.pem");
  const json report = run_json(config::kExitInvalidChain);
  EXPECT_EQ(report["result"], "invalid");
  EXPECT_EQ(report["nps"]["hresult"], "0x800B0101");
  EXPECT_EQ(report["chain"][0]["status"], "not_checked");
  EXPECT_THAT(http_.asked, IsEmpty());
}

TEST_F(CheckCommand, TimeIsTheOneAskedFor) {
  arguments_.input = chain_path("user_expired.pem");
  arguments_.at = 1777593600;  // 2026-05-01: the certificate is valid, the CRL not yet
  serve_all();
  const json report = run_json(config::kExitUnreachable);
  EXPECT_EQ(report["at"], "2026-05-01T00:00:00Z");
  EXPECT_EQ(report["chain"][0]["findings"][0]["id"], "crl-not-yet-valid");
}

TEST_F(CheckCommand, AFailureToFetchIsAFinding) {
  const json report = run_json(config::kExitUnreachable);
  EXPECT_EQ(report["nps"]["reason_code"], 259);
  EXPECT_EQ(report["nps"]["hresult"], "0x80092013");
  EXPECT_EQ(report["chain"][0]["findings"][0]["id"], "crl-unreachable");
  EXPECT_EQ(report["chain"][0]["evidence"][0]["error"], "no such host");
}

TEST_F(CheckCommand, ARefusalOfTheProxyIsQuoted) {
  http_.serve(kLeafCdp, "Not allowed: see access.destinations\nmore", 403);
  const json report = run_json(config::kExitUnreachable);
  EXPECT_EQ(report["chain"][0]["evidence"][0]["error"],
            "status 403: Not allowed: see access.destinations");
}

TEST_F(CheckCommand, ALoginPageIsNoCrl) {
  serve_all();
  http_.serve(kLeafCdp, "<html>Please log in</html>");
  const json report = run_json(config::kExitUnreachable);
  EXPECT_EQ(report["nps"]["reason_code"], 258);
  EXPECT_EQ(report["chain"][0]["findings"][0]["id"], "crl-malformed");
  EXPECT_EQ(report["chain"][0]["evidence"][0]["refused"], "malformed");
}

TEST_F(CheckCommand, AnOcspResponderIsAskedByGetAndThenByPost) {
  arguments_.input = chain_path("user_ocsp.pem");
  serve_all();
  http_.serve("POST http://ocsp.test/", read_whole(chain_path("user_good.ocsp")));
  const json report = run_json(config::kExitUnreachable);
  ASSERT_THAT(http_.asked, SizeIs(2)) << "no answer to GET: the host is down";
  EXPECT_THAT(http_.asked[0], testing::StartsWith("GET http://ocsp.test/ME"));
  http_.asked.clear();
  out_.str("");
  http_.serve("GET http://ocsp.test/*", "no GET here", 405);
  const json again = run_json(config::kExitUnreachable);
  ASSERT_THAT(http_.asked, SizeIs(3));
  EXPECT_EQ(http_.asked[1], "POST http://ocsp.test/");
  // An answer about another certificate is none.
  EXPECT_EQ(again["chain"][0]["evidence"][0]["refused"], "cert_id_mismatch");
}

TEST_F(CheckCommand, EvidenceAboutNobodyInTheChainIsSaidToBeUnused) {
  serve_all();
  arguments_.ocsp = {chain_path("user_good.ocsp")};
  arguments_.input = chain_path("user_hold.pem");
  arguments_.json = true;
  EXPECT_EQ(run(), config::kExitRefused);
  EXPECT_THAT(out_.str(), HasSubstr("evidence-not-used"));
}

TEST_F(CheckCommand, UnusableInputIsExitFourAndNamesTheFile) {
  std::vector<config::EvidenceArguments> broken(5);
  for (auto& each : broken) each.input = chain_path("user.pem");
  broken[0].input = chain_path("missing.pem");
  broken[1].input = chain_path("issuing.crl");
  broken[2].trust = {chain_path("user_good.ocsp")};
  broken[3].crls = {chain_path("user.pem")};
  broken[4].ocsp = {chain_path("issuing.crl")};
  for (const auto& each : broken) {
    err_.str("");
    EXPECT_EQ(run_check(each, surroundings()), config::kExitUsage);
    EXPECT_THAT(err_.str(), HasSubstr("/chain/"));
    EXPECT_EQ(out_.str(), "");
  }
}

TEST_F(CheckCommand, TextEndsWithTheVerdictAndTheWayOut) {
  arguments_.extra = {chain_path("issuing.pem")};
  serve_all();
  EXPECT_EQ(run(), config::kExitUnreachable);
  const std::string text = out_.str();
  EXPECT_THAT(text, HasSubstr("[1] user or computer certificate: CN=user\n"));
  EXPECT_THAT(text, HasSubstr("by CRL 16 of 2026-11-20T00:00:00Z, next 2026-12-20T00:00:00Z"));
  EXPECT_THAT(text, HasSubstr("in 1.2 ms; Cache-Status: revcache; hit"));
  EXPECT_THAT(text, HasSubstr("error cdp-missing (RFC 5280 4.2.1.13)"));
  const auto verdict = text.find("NPS: denies, event 6273 reason code 258");
  ASSERT_NE(verdict, std::string::npos);
  EXPECT_GT(verdict, text.find("Result: unknown"));
  EXPECT_GT(text.find("What to do"), verdict);
  EXPECT_GT(text.find("property 81"), verdict);
  EXPECT_THAT(text, Not(HasSubstr("\033")));
}

TEST_F(CheckCommand, WhatAServerSaysDoesNotReachTheTerminalAsItIs) {
  http_.serve(kLeafCdp, "\033[2Jgone", 403);
  EXPECT_EQ(run(), config::kExitUnreachable);
  EXPECT_THAT(out_.str(), HasSubstr("\\x1b[2Jgone"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\033")));
}

TEST_F(CheckCommand, ThePkixProfileDoesNotSpeakOfNps) {
  arguments_.profile = config::CheckProfile::pkix;
  serve_all();
  EXPECT_EQ(run(), config::kExitOk);
  EXPECT_THAT(out_.str(), Not(HasSubstr("NPS")));
}

}  // namespace
}  // namespace revcache::commands
