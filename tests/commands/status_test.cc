#include "commands/status.h"

#include <gmock/gmock.h>

#include <map>

#include "config/command_line.h"
#include "tests/commands/admin_fixture.h"

namespace revcache::commands {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kStatus = R"({
  "version": "0.1.0", "now": "2026-12-01T12:00:00Z", "started_at": "2026-11-28T08:00:00Z",
  "ready": true, "waiting_for": [],
  "verdict": {"answer": "at_risk", "reasons": [
    {"severity": "at_risk", "authority": "contoso", "text": "The CRL 5f3a90c1 of contoso ends in 3 h.",
     "runbook": "a-crl-runs-out"},
    {"severity": "at_risk", "authority": null, "text": "Something else.", "runbook": null}]},
  "authorities": [
    {"name": "contoso", "status": "at_risk",
     "evidence": {"kind": "crl", "time_left_seconds": 10800, "validity_seconds": 604800,
                  "fetched_at": "2026-12-01T11:48:00Z"},
     "refresh": {"urls": 1, "next_run": "2026-12-01T12:03:00Z", "consecutive_failures": 2},
     "signer": {"name": "ocsp", "usable": true, "problem": null, "not_after": "2027-12-01T12:00:00Z"},
     "revoked_by_hand": 1},
    {"name": "fabrikam", "status": "yes", "evidence": {"kind": "none"}, "signer": null}],
  "connections": {"clients": 4, "in_flight": 1},
  "cache": {"memory": {"bytes": 1536, "bytes_max": 268435456, "entries": 12}, "disk": null},
  "latency": {"minute": {"requests": 120, "p50": 0.0001, "p99": 1.25, "hit_ratio": 0.987},
              "hour": {"requests": 0, "p50": null, "hit_ratio": null}}})";
constexpr const char* kCrls =
    R"({"crls": [{"url": "http://cdp.test/root.crl", "authority": "contoso",
  "kind": "full", "number": "1000", "entries": 3, "time_left_seconds": 10800}],
  "not_held": [{"url": "http://cdp.test/other.crl", "consecutive_failures": 7,
                "next_run": "2026-12-01T12:00:15Z", "detail": "timed out"}]})";
constexpr const char* kUpstreams = R"({"upstreams": [
  {"name": "*.test", "up": true, "last_success": "2026-12-01T11:59:00Z",
   "requests": {"ok": 7, "timed_out": 0, "unreachable": 2}, "p50": 0.02, "p99": null},
  {"name": "never.test", "up": null, "requests": {}}]})";

// Answers each path with what it is told.
class Instance final : public HttpClient {
 public:
  Result<HttpAnswer> ask(const HttpQuestion& question) override {
    ++asked;
    const auto path = question.url.substr(question.url.find('/', 7));
    const auto found = bodies.find(path);
    if (away) return fail(ErrorCode::unreachable, Blame::upstream, "connection refused");
    HttpAnswer answer;
    answer.status = found == bodies.end() ? 404 : 200;
    answer.content_type = "application/json";
    answer.body = SharedBytes::copy_of(found == bodies.end() ? R"({"error": "no such call"})"
                                                             : found->second);
    return answer;
  }

  bool away = false;
  int asked = 0;
  std::map<std::string, std::string> bodies{
      {"/api/v1/status", kStatus}, {"/api/v1/crls", kCrls}, {"/api/v1/upstreams", kUpstreams}};
};

class StatusCommand : public testing::Test {
 protected:
  int run() {
    return run_status(arguments_, {.clock = clock_,
                                   .http = &instance_,
                                   .hash_seed = 1,
                                   .out = out_,
                                   .err = err_,
                                   .colour = colour_,
                                   .terminal = terminal_,
                                   .wait = wait_});
  }

  SystemClock clock_;
  Instance instance_;
  config::AdminArguments arguments_;
  std::ostringstream out_;
  std::ostringstream err_;
  bool colour_ = false;
  bool terminal_ = false;
  std::function<bool(std::chrono::milliseconds)> wait_;
};

TEST_F(StatusCommand, SaysTheVerdictFirstAndEverythingThatIsBehindIt) {
  EXPECT_EQ(run(), config::kExitOk);
  EXPECT_EQ(out_.str(),
            "NPS can authenticate: at risk, because The CRL 5f3a90c1 of contoso ends in 3 h.\n"
            "    docs/operations.md#a-crl-runs-out\n"
            "  Something else.\n"
            "\n"
            "revcache 0.1.0, up 3 d 4 h, ready; 4 connections, 1 requests in flight\n"
            "\n"
            "Authorities\n"
            "  contoso   at risk  crl, 3 h left of 7 d, fetched 12 min ago  next refresh in 3 min, "
            "2 failed  1 revoked by hand\n"
            "  fabrikam  yes      no evidence held\n"
            "\n"
            "CRLs\n"
            "  contoso  full  number 1000  3 entries  3 h left  http://cdp.test/root.crl\n"
            "\n"
            "URLs that gave nothing yet\n"
            "  http://cdp.test/other.crl  7 failed  next in 15 s  timed out\n"
            "\n"
            "Signers\n"
            "  ocsp  for contoso  usable  ends in 365 d\n"
            "\n"
            "Upstreams\n"
            "  *.test  up  answered 1 min ago  7 ok, 2 unreachable  p50 20 ms  p99 -\n"
            "\n"
            "Requests\n"
            "  last minute  120 requests  98 % from what is held  p50 0.10 ms  p90 -  p99 1.2 s  "
            "p99.9 -\n"
            "  last hour    0 requests                            p50 -        p90 -  p99 -      "
            "p99.9 -\n"
            "  memory: 12 entries, 1.5 KiB of 256 MiB\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(StatusCommand, HasAnExitCodeForEachVerdict) {
  for (const auto& [answer, code] :
       {std::pair("yes", 0), std::pair("at_risk", 0), std::pair("no", 1), std::pair("maybe", 2)}) {
    instance_.bodies["/api/v1/status"] =
        std::string(R"({"verdict": {"answer": ")") + answer + R"(", "reasons": []}})";
    out_.str({});
    EXPECT_EQ(run(), code) << answer;
    EXPECT_THAT(out_.str(), StartsWith("NPS can authenticate: "));
  }
  instance_.bodies["/api/v1/status"] = "{}";
  EXPECT_EQ(run(), config::kExitUnreachable);
}

TEST_F(StatusCommand, SaysThatTheInstanceIsNotReached) {
  instance_.away = true;
  EXPECT_EQ(run(), config::kExitUnreachable);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), HasSubstr("cannot be reached: connection refused"));
}

TEST_F(StatusCommand, GivesTheJsonOfTheStatusAlone) {
  arguments_.json = true;
  EXPECT_EQ(run(), config::kExitOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str()), nlohmann::json::parse(kStatus));
  EXPECT_EQ(instance_.asked, 1);
}

TEST_F(StatusCommand, DoesWithoutWhatAnotherVersionDoesNotTell) {
  instance_.bodies.erase("/api/v1/crls");
  instance_.bodies["/api/v1/upstreams"] = R"({"upstreams": "none"})";
  EXPECT_EQ(run(), config::kExitOk);
  EXPECT_THAT(out_.str(),
              AllOf(Not(HasSubstr("CRLs")), Not(HasSubstr("Upstreams")), HasSubstr("Authorities")));
  EXPECT_EQ(err_.str(), "");
}

// What comes from the wire may have any shape, and is not to be trusted with a terminal.
TEST_F(StatusCommand, ObeysNothingOfWhatItIsSent) {
  instance_.bodies["/api/v1/status"] =
      R"({"verdict": {"answer": "no", "reasons": [{"text": "\u001b[2Jcleared\u202e", "runbook": 7}, 3]},
          "now": "2026-13-45T99:99:99Z", "started_at": [], "authorities": [null, {"name": "\u0007"}],
          "latency": 5, "waiting_for": {"a": 1}, "cache": {"memory": {"bytes": 1e300}}})";
  EXPECT_EQ(run(), config::kExitRefused);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("\\x1b[2Jcleared\\u{202e}"), HasSubstr("\\x07"),
                                Not(HasSubstr("\033")), Not(HasSubstr("\a"))));
}

TEST_F(StatusCommand, IsColouredOnATerminalOnly) {
  colour_ = true;
  EXPECT_EQ(run(), config::kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("\033[1;33mat risk\033[0m"));
}

TEST_F(StatusCommand, WatchesUntilItIsEndedAndWhileTheInstanceIsAway) {
  arguments_.watch = true;
  terminal_ = true;
  int looks = 0;
  std::vector<std::chrono::milliseconds> waits;
  wait_ = [&](std::chrono::milliseconds time) {
    waits.push_back(time);
    instance_.away = ++looks == 1;
    return looks < 3;
  };
  EXPECT_EQ(run(), config::kExitOk);
  EXPECT_EQ(waits, std::vector<std::chrono::milliseconds>(3, kWatchInterval));
  const std::string shown = out_.str();
  EXPECT_THAT(shown, StartsWith("\033[HNPS can authenticate: at risk"));
  EXPECT_THAT(shown, HasSubstr("\033[J\033[Hrevcache: http://127.0.0.1:9853 cannot be reached"));
  EXPECT_THAT(shown, HasSubstr("\033[J\033[HNPS can authenticate: at risk"));
  EXPECT_THAT(shown, EndsWith("\033[J"));
}

TEST_F(StatusCommand, WatchedIntoAFileIsPlainText) {
  arguments_.watch = true;
  int looks = 0;
  wait_ = [&](std::chrono::milliseconds) { return ++looks < 2; };
  EXPECT_EQ(run(), config::kExitOk);
  EXPECT_THAT(out_.str(), AllOf(Not(HasSubstr("\033")), HasSubstr("256 MiB\n\nNPS can")));
}

TEST_F(StatusCommand, WatchesNothingWithWrongArguments) {
  arguments_.watch = true;
  arguments_.admin = "https://127.0.0.1:9853";
  wait_ = [](std::chrono::milliseconds) { return true; };
  EXPECT_EQ(run(), config::kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--admin"));
}

}  // namespace
}  // namespace revcache::commands
