#include "admin/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace revcache::admin {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr WallSeconds kNow{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1} + 12h};

// An authority that is answered for, with one CRL that has five days of its seven left.
StatusReport healthy() {
  StatusReport report;
  report.now = kNow;
  report.started_at = kNow - 1h;
  report.crls.push_back({.url = "http://cdp.test/root.crl",
                         .label = "5f3a90c1",
                         .authority = "contoso",
                         .issuer = "CN=Contoso Root",
                         .own = true,
                         .this_update = kNow - 48h,
                         .next_update = kNow + 120h,
                         .next_publish = kNow + 36h,
                         .usable_until = kNow + 120h});
  report.authorities.push_back(
      {.name = "contoso",
       .subject = "CN=Contoso Root",
       .answered_for = true,
       .evidence = {.kind = EvidenceKind::crl,
                    .needed = true,
                    .usable = true,
                    .crls = 1,
                    .crls_configured = 1,
                    .crls_configured_held = 1,
                    .this_update = kNow - 48h,
                    .next_update = kNow + 120h},
       .signer = SignerStatus{.name = "ocsp", .usable = true, .not_after = kNow + 24h * 300}});
  return report;
}

struct Row {
  const char* name;
  std::function<void(StatusReport&)> change;
  Verdict verdict;
  const char* text;  // of the only reason; empty: there is none
  const char* runbook;
  bool of_authority = true;
};

AuthorityStatus& authority(StatusReport& report) { return report.authorities.front(); }
EvidenceStatus& evidence(StatusReport& report) { return authority(report).evidence; }
CrlStatus& crl(StatusReport& report) { return report.crls.front(); }

void end_the_crl(StatusReport& report) {
  crl(report).next_update = crl(report).usable_until = kNow - 3h;
  evidence(report).next_update = kNow - 3h;
  evidence(report).usable = false;
}

void attest_until(StatusReport& report, WallSeconds until) {
  report.crls.clear();
  evidence(report) = {.kind = EvidenceKind::attestation,
                      .needed = true,
                      .usable = kNow < until,
                      .next_update = until};
}

void fail_refreshes(RefreshStatus& refresh, std::uint32_t times) {
  refresh.consecutive_failures = times;
  refresh.failing_url = "http://cdp.test/root.crl";
  refresh.detail = "timed out";
}

const std::vector<Row> kRows{
    {"all_is_well", [](auto&) {}, Verdict::yes, "", ""},
    {"no_authority", [](auto& r) { r = {.now = kNow}; }, Verdict::at_risk,
     "Nothing is verified: no [[authority]] is configured.", "can-nps-authenticate", false},
    {"state_unreadable", [](auto& r) { r.state_problem = "CURRENT: no such file"; }, Verdict::no,
     "CURRENT: no such file", "the-responder-says-trylater", false},
    {"clock_behind",
     [](auto& r) {
       r.clock_behind = true;
       r.clock_floor = kNow + 1h;
     },
     Verdict::no, "it was 2026-12-01T13:00:00Z before, and is 2026-12-01T12:00:00Z now",
     "the-clock-is-wrong", false},
    {"required_crl_ended", end_the_crl, Verdict::no,
     "contoso has no usable CRL: the last one ended 3 h ago (2026-12-01T09:00:00Z). Questions",
     "a-crl-runs-out"},
    {"required_crl_ended_of_one_that_is_not_answered_for",
     [](auto& r) {
       end_the_crl(r);
       authority(r).answered_for = false;
     },
     Verdict::no, "NPS cannot tell whether its certificates are revoked", "a-crl-runs-out"},
    {"crl_never_fetched",
     [](auto& r) {
       r.crls.clear();
       evidence(r) = {.kind = EvidenceKind::none, .needed = true, .crls_configured = 1};
       authority(r).refresh.detail = "connection refused";
     },
     Verdict::no, "none has been fetched yet (connection refused)", "a-crl-runs-out"},
    {"nothing_configured_for_one_that_is_answered_for",
     [](auto& r) {
       r.crls.clear();
       evidence(r) = {.kind = EvidenceKind::none, .needed = true};
     },
     Verdict::no, "neither a CRL nor an attestation is configured", "a-crl-runs-out"},
    {"nothing_configured_and_nobody_needs_it",
     [](auto& r) {
       r.crls.clear();
       evidence(r) = {};
       authority(r).answered_for = false;
       authority(r).signer.reset();
     },
     Verdict::yes, "", ""},
    {"crl_of_one_that_is_not_required_ended",
     [](auto& r) {
       end_the_crl(r);
       authority(r).required = false;
     },
     Verdict::at_risk, "contoso has no usable CRL", "a-crl-runs-out"},
    {"attestation_holds", [](auto& r) { attest_until(r, kNow + 25h); }, Verdict::yes, "", ""},
    {"attestation_ends_soon", [](auto& r) { attest_until(r, kNow + 23h); }, Verdict::at_risk,
     "An attestation for contoso ends in 23 h", "a-crl-runs-out"},
    {"attestation_ended", [](auto& r) { attest_until(r, kNow - 1s); }, Verdict::no,
     "Every attestation for contoso has ended 1 s ago", "a-crl-runs-out"},
    {"authority_outside_its_dates", [](auto& r) { authority(r).within_dates = false; }, Verdict::no,
     "The certificate of contoso itself is outside its dates", "the-responder-says-trylater"},
    {"a_partition_is_missing", [](auto& r) { evidence(r).crls_configured = 3; }, Verdict::at_risk,
     "Of the 3 CRLs configured for contoso only 1 is held", "a-crl-runs-out"},

    {"crl_ends_in_a_day", [](auto& r) { crl(r).next_update = kNow + 24h; }, Verdict::yes, "", ""},
    {"crl_ends_within_a_day", [](auto& r) { crl(r).next_update = kNow + 24h - 1s; },
     Verdict::at_risk, "The CRL 5f3a90c1 of contoso ends in 23 h 59 min", "a-crl-runs-out"},
    {"crl_that_lives_two_days_may_end_within_one",
     [](auto& r) {
       crl(r).this_update = kNow - 38h;
       crl(r).next_update = kNow + 10h;
     },
     Verdict::yes, "", ""},
    {"but_not_within_four_hours",
     [](auto& r) {
       crl(r).this_update = kNow - 44h;
       crl(r).next_update = kNow + 4h - 1s;
     },
     Verdict::at_risk, "ends in 3 h 59 min", "a-crl-runs-out"},
    {"crl_that_lives_eight_hours_may_end_within_four",
     [](auto& r) {
       crl(r).this_update = kNow - 5h;
       crl(r).next_update = kNow + 3h;
     },
     Verdict::yes, "", ""},
    {"crl_in_grace",
     [](auto& r) {
       crl(r).next_update = kNow - 1h;
       evidence(r).next_update = kNow - 1h;
       crl(r).usable_until = kNow + 5h;
     },
     Verdict::at_risk, "grace keeps it in use until 2026-12-01T17:00:00Z", "a-crl-runs-out"},
    {"crl_of_a_ca_below_ended",
     [](auto& r) {
       r.crls.push_back({.label = "00000001",
                         .authority = "contoso",
                         .issuer = "CN=Contoso Issuing",
                         .this_update = kNow - 200h,
                         .next_update = kNow - 2h,
                         .usable_until = kNow - 2h});
     },
     Verdict::at_risk, "The CRL 00000001 of CN=Contoso Issuing (below contoso) ended 2 h ago",
     "a-crl-runs-out"},
    {"crl_of_another_authority_is_not_its",
     [](auto& r) { crl(r) = {.authority = "fabrikam", .usable_until = kNow - 2h}; }, Verdict::yes,
     "", ""},
    {"delta_crl_ended",
     [](auto& r) {
       r.crls.push_back({.label = "5f3a90c1",
                         .authority = "contoso",
                         .own = true,
                         .kind = CrlKind::delta,
                         .usable_until = kNow - 2h});
     },
     Verdict::at_risk, "newer revocations come with the next complete CRL only", "a-crl-runs-out"},
    {"publication_is_an_hour_late", [](auto& r) { crl(r).next_publish = kNow - 1h; }, Verdict::yes,
     "", ""},
    {"publication_is_later", [](auto& r) { crl(r).next_publish = kNow - 1h - 1s; },
     Verdict::at_risk, "should have had a successor 1 h ago", "a-crl-is-overdue"},
    {"two_refreshes_failed", [](auto& r) { fail_refreshes(authority(r).refresh, 2); }, Verdict::yes,
     "", ""},
    {"three_refreshes_failed", [](auto& r) { fail_refreshes(authority(r).refresh, 3); },
     Verdict::at_risk,
     "The last 3 attempts to renew http://cdp.test/root.crl of contoso failed: timed out.",
     "refreshes-fail"},
    {"three_refreshes_of_nobodys_url_failed", [](auto& r) { fail_refreshes(r.others, 3); },
     Verdict::at_risk, "The last 3 attempts to renew http://cdp.test/root.crl failed: timed out.",
     "refreshes-fail", false},
    {"signer_unusable",
     [](auto& r) {
       authority(r).signer->usable = false;
       authority(r).signer->problem = "the token is silent";
     },
     Verdict::no, "Signer ocsp may not sign for contoso: the token is silent.",
     "a-signer-fails-or-ends"},
    {"signer_unusable_of_one_that_is_not_required",
     [](auto& r) {
       authority(r).signer->usable = false;
       authority(r).required = false;
     },
     Verdict::no, "Signer ocsp may not sign for contoso.", "a-signer-fails-or-ends"},
    {"signer_ends_in_two_weeks", [](auto& r) { authority(r).signer->not_after = kNow + 14 * 24h; },
     Verdict::yes, "", ""},
    {"signer_ends_within_two_weeks",
     [](auto& r) { authority(r).signer->not_after = kNow + 14 * 24h - 1s; }, Verdict::at_risk,
     "Signer ocsp of contoso ends in 13 d 23 h", "a-signer-fails-or-ends"},
    {"new_signer_files_cannot_be_used",
     [](auto& r) { authority(r).signer->problem = "ocsp.pem: not PEM"; }, Verdict::at_risk,
     "The new files of signer ocsp cannot be used: ocsp.pem: not PEM.", "a-signer-fails-or-ends"},
};

class Judge : public testing::TestWithParam<Row> {};

TEST_P(Judge, SaysWhatAnAdministratorNeedsToKnow) {
  const Row& row = GetParam();
  StatusReport report = healthy();
  row.change(report);
  judge(report);
  EXPECT_EQ(report.verdict, row.verdict);
  if (std::string_view(row.text).empty()) {
    EXPECT_TRUE(report.reasons.empty()) << report.reasons.front().text;
    return;
  }
  ASSERT_EQ(report.reasons.size(), 1U);
  const Reason& reason = report.reasons.front();
  EXPECT_EQ(reason.severity, row.verdict);
  EXPECT_THAT(reason.text, HasSubstr(row.text));
  EXPECT_EQ(reason.text.back(), '.');
  EXPECT_EQ(reason.runbook, row.runbook);
  EXPECT_EQ(reason.authority, row.of_authority ? "contoso" : "");
  if (!row.of_authority) return;
  EXPECT_EQ(authority(report).status, row.verdict);
  EXPECT_EQ(authority(report).reasons.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Table, Judge, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(JudgeOfAll, TakesTheWorstAndSaysItFirst) {
  StatusReport report = healthy();
  report.authorities.push_back(report.authorities.front());
  report.authorities.back().name = "fabrikam";
  fail_refreshes(report.authorities.front().refresh, 5);
  report.authorities.back().signer->usable = false;
  judge(report);
  judge(report);  // again: nothing comes twice
  EXPECT_EQ(report.verdict, Verdict::no);
  ASSERT_EQ(report.reasons.size(), 2U);
  EXPECT_EQ(report.reasons[0].authority, "fabrikam");
  EXPECT_EQ(report.reasons[1].authority, "contoso");
  EXPECT_EQ(report.authorities[0].status, Verdict::at_risk);
  EXPECT_EQ(report.authorities[1].status, Verdict::no);
}

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(REVCACHE_TESTDATA) + "/../../" + path);
  EXPECT_TRUE(file) << path;
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// As GitHub makes them of headings.
std::set<std::string> anchors_of(const std::string& markdown) {
  std::set<std::string> anchors;
  static const std::regex kHeading("(^|\n)#+ ([^\n]+)");
  for (std::sregex_iterator at(markdown.begin(), markdown.end(), kHeading), end; at != end; ++at) {
    std::string anchor;
    for (const char c : (*at)[2].str()) {
      if (c == ' ') anchor += '-';
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') {
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    anchors.insert(anchor);
  }
  return anchors;
}

TEST(Runbook, HasAParagraphForEachReason) {
  const auto anchors = anchors_of(text_of("docs/operations.md"));
  for (const Row& row : kRows) {
    if (std::string_view(row.runbook).empty()) continue;
    EXPECT_TRUE(anchors.contains(row.runbook)) << row.runbook;
  }
}

// The page and the pager must not disagree.
TEST(Bounds, AreThoseOfTheAlerts) {
  const std::string rules = text_of("deploy/prometheus/revcache.rules.yml");
  const auto seconds = [](std::chrono::seconds span) { return std::to_string(span.count()); };
  const std::string left = "revcache_crl_next_update_timestamp_seconds - time() < ";
  const std::string lifetime = "- revcache_crl_this_update_timestamp_seconds > ";
  for (const auto warning : {kCrlEndsSoon, kCrlEndsNow}) {
    EXPECT_THAT(rules, HasSubstr(left + seconds(warning) + '\n'));
    EXPECT_THAT(rules, HasSubstr(lifetime + seconds(kCrlLifetimeFactor * warning) + '\n'));
  }
  EXPECT_THAT(rules, HasSubstr("time() - revcache_crl_next_publish_timestamp_seconds > " +
                               seconds(kPublicationLate) + '\n'));
  EXPECT_THAT(rules, HasSubstr("revcache_prefetch_consecutive_failures >= " +
                               std::to_string(kRefreshFailures) + '\n'));
  EXPECT_THAT(rules, HasSubstr("revcache_signer_not_after_timestamp_seconds - time() < " +
                               std::to_string(kSignerEndsSoon.count()) + " * 86400\n"));
}

}  // namespace
}  // namespace revcache::admin
