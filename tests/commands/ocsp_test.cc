#include "commands/ocsp.h"

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
using testing::HasSubstr;

class OcspCommand : public EvidenceCommand {
 protected:
  OcspCommand() { arguments_.json = true; }

  json report() { return json::parse(out_.str()); }

  config::EvidenceArguments arguments_;
};

TEST_F(OcspCommand, ShowSaysWhatTheResponseSays) {
  arguments_.input = chain_path("user_revoked.ocsp");
  EXPECT_EQ(run_ocsp_show(arguments_, surroundings()), config::kExitOk);
  const json single = report()["responses"][0];
  EXPECT_EQ(single["status"], "revoked");
  EXPECT_EQ(single["revoked_at"], "2026-11-25T12:00:00Z");
  EXPECT_EQ(single["reason"], "keyCompromise");
  EXPECT_EQ(single["hash"], "sha1");
}

TEST_F(OcspCommand, ShowOfSomethingElseIsExitFour) {
  arguments_.input = chain_path("issuing.crl");
  EXPECT_EQ(run_ocsp_show(arguments_, surroundings()), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("issuing.crl: "));
}

struct VerifyCase {
  const char* what;
  const char* response;
  std::vector<std::string> trust;
  std::vector<std::string> extra;
  const char* expected;  // who signed, or why not
};

class OcspVerify : public OcspCommand, public testing::WithParamInterface<VerifyCase> {};

TEST_P(OcspVerify, NeedsAnIssuerWhomTheUserTrusts) {
  arguments_.input = chain_path(GetParam().response);
  for (const auto& name : GetParam().trust) arguments_.trust.push_back(chain_path(name));
  for (const auto& name : GetParam().extra) arguments_.extra.push_back(chain_path(name));
  const int code = run_ocsp_verify(arguments_, surroundings());
  const json said = report();
  EXPECT_EQ(code, said["accepted"] == true ? config::kExitOk : config::kExitRefused);
  EXPECT_EQ(said["accepted"] == true ? said["signed_by"] : said["refused"], GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OcspVerify,
    testing::Values(
        VerifyCase{"issuer_trusted", "user_good.ocsp", {"issuing.pem"}, {}, "issuer"},
        VerifyCase{"root_trusted", "user_good.ocsp", {"root.pem"}, {"issuing.pem"}, "issuer"},
        VerifyCase{"no_issuer", "user_good.ocsp", {"root.pem"}, {}, "issuer_unknown"},
        VerifyCase{"issuer_of_nobody",
                   "user_good.ocsp",
                   {"root_renewed.pem"},
                   {"issuing.pem"},
                   "issuer_unknown"},
        VerifyCase{"delegated", "user_delegated.ocsp", {"issuing.pem"}, {}, "delegated"},
        VerifyCase{
            "stranger", "user_stranger.ocsp", {"issuing.pem"}, {}, "responder_not_authorized"},
        VerifyCase{"trusted_stranger",
                   "user_stranger.ocsp",
                   {"issuing.pem", "stranger.pem"},
                   {},
                   "trusted"}),
    [](const auto& each) { return std::string(each.param.what); });

TEST_F(OcspCommand, VerifyAsksForNoLaterThanNextUpdate) {
  arguments_.input = chain_path("user_good.ocsp");
  arguments_.trust = {chain_path("issuing.pem")};
  arguments_.at = 4102444800;  // 2100
  EXPECT_EQ(run_ocsp_verify(arguments_, surroundings()), config::kExitRefused);
  EXPECT_EQ(report()["refused"], "expired");
}

class OcspAsk : public OcspCommand {
 protected:
  OcspAsk() {
    arguments_.certificate = chain_path("user.pem");
    arguments_.issuer = chain_path("issuing.pem");
    arguments_.url = "http://ocsp.test/";
  }
};

TEST_F(OcspAsk, AcceptsAVerifiedAnswerWhateverItSays) {
  http_.serve("GET http://ocsp.test/*", read_whole(chain_path("user_revoked.ocsp")));
  EXPECT_EQ(run_ocsp_ask(arguments_, surroundings()), config::kExitOk) << err_.str();
  EXPECT_EQ(report()["accepted"], true);
  EXPECT_EQ(report()["responses"][0]["status"], "revoked");
}

TEST_F(OcspAsk, RefusesAnAnswerAboutAnotherCertificate) {
  arguments_.certificate = chain_path("user_hold.pem");
  http_.serve("GET http://ocsp.test/*", read_whole(chain_path("user_good.ocsp")));
  EXPECT_EQ(run_ocsp_ask(arguments_, surroundings()), config::kExitRefused);
  EXPECT_EQ(report()["refused"], "cert_id_mismatch");
}

TEST_F(OcspAsk, ASilentResponderIsExitTwo) {
  EXPECT_EQ(run_ocsp_ask(arguments_, surroundings()), config::kExitUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("http://ocsp.test/: no such host"));
}

TEST_F(OcspAsk, ACertificateThatNamesNoResponderNeedsAUrl) {
  arguments_.url.clear();
  EXPECT_EQ(run_ocsp_ask(arguments_, surroundings()), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--url"));
  arguments_.certificate = chain_path("user_ocsp.pem");
  EXPECT_EQ(run_ocsp_ask(arguments_, surroundings()), config::kExitUnreachable);
}

}  // namespace
}  // namespace revcache::commands
