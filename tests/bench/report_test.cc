#include "bench/generator/report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <regex>
#include <string>
#include <vector>

namespace revcache::bench {
namespace {

using namespace std::chrono_literals;

Results results() {
  Results made;
  made.scenario = "a <b> & \"c\"";
  made.about = "What it is";
  made.target = "through http://127.0.0.1:3128";
  made.started = "2026-11-22T22:00:00Z";
  made.duration = 2s;
  made.took = 2s;
  made.slot = 1s;
  for (const char* name : {"cold", "warm"}) {
    LoadResult& load = made.loads.emplace_back();
    load.name = name;
    load.slots.resize(2);
    for (int at = 1; at <= 100; ++at) {
      load.latency.record(std::chrono::milliseconds(at));
      load.service.record(1ms);
      load.slots[static_cast<std::size_t>(at % 2)].latency.record(std::chrono::milliseconds(at));
    }
    load.arrivals = 103;
    load.requests = 100;
    load.outcomes[static_cast<std::size_t>(Outcome::right)] = 100;
    load.outcomes[static_cast<std::size_t>(Outcome::timed_out)] = 3;
    load.cache[static_cast<std::size_t>(CacheResult::hit)] = 100;
    load.statuses[200] = 100;
    for (Slot& slot : load.slots) slot.due = slot.right = 50;
    load.slots[1].failed = 3;
    load.slots[1].waited = 2;
  }
  made.claims.push_back({.text = "<nobody> waits", .held = false, .found = "2 waited"});
  return made;
}

TEST(JsonReport, HasTheFiguresUnderTheirDocumentedNames) {
  const auto document = nlohmann::json::parse(json_report(results()));
  EXPECT_EQ(document.at("schema"), kReportSchema);
  EXPECT_EQ(document.at("scenario"), "a <b> & \"c\"");
  EXPECT_EQ(document.at("total").at("arrivals"), 206);
  EXPECT_EQ(document.at("total").at("failed"), 6);
  EXPECT_EQ(document.at("total").at("cache").at("hit"), 200);
  EXPECT_EQ(document.at("total").at("status").at("200"), 200);
  EXPECT_EQ(document.at("total").at("outcomes").at("timed_out"), 6);
  const auto& cold = document.at("loads").at(0);
  EXPECT_EQ(cold.at("name"), "cold");
  EXPECT_NEAR(cold.at("latency_us").at("percentiles").at("99").get<double>(), 99'000, 800);
  EXPECT_EQ(cold.at("latency_us").at("max"), 100'000);
  EXPECT_EQ(cold.at("series").size(), 2U);
  EXPECT_EQ(cold.at("series").at(1).at("failed"), 3);
  EXPECT_EQ(document.at("claims").at(0).at("held"), false);
}

TEST(JsonReport, IsWrittenAlsoForTextThatIsNotUtf8) {
  Results broken = results();
  broken.about = "\xff";
  EXPECT_EQ(nlohmann::json::parse(json_report(broken)).at("schema"), kReportSchema);
}

// Every tag is closed, in order: the report is written as XML is.
TEST(HtmlReport, IsWellFormed) {
  const std::string html = html_report(results());
  const std::regex tag("<(/?)([a-zA-Z0-9]+)(?:[^>\"]|\"[^\"]*\")*?(/?)>");
  std::vector<std::string> open;
  std::string rest = html.substr(html.find("<html"));
  for (std::sregex_iterator at(rest.begin(), rest.end(), tag), end; at != end; ++at) {
    const std::smatch& found = *at;
    if (found[3] == "/") continue;
    if (found[1] == "/") {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), found[2]);
      open.pop_back();
    } else {
      open.push_back(found[2]);
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(HtmlReport, NeedsNothingFromAnywhere) {
  const std::string html = html_report(results());
  for (const char* word : {"<script", "src=", "href=", "url(", "@import", "<link", "<iframe"}) {
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  }
}

TEST(HtmlReport, EscapesWhatItShows) {
  const std::string html = html_report(results());
  EXPECT_EQ(html.find("<b> &"), std::string::npos);
  EXPECT_NE(html.find("a &lt;b&gt; &amp; &quot;c&quot;"), std::string::npos);
  EXPECT_NE(html.find("&lt;nobody&gt; waits"), std::string::npos);
}

TEST(HtmlReport, HasItsFourPlotsInLightAndDark) {
  const std::string html = html_report(results());
  for (const char* title : {"Latency by percentile", "Latency over time", "Arrivals per second",
                            "What the cache says", "prefers-color-scheme:dark"}) {
    EXPECT_NE(html.find(title), std::string::npos) << title;
  }
}

TEST(Reports, CanBeMadeOfARunWithoutAnyAnswer) {
  Results none;
  none.duration = 1s;
  none.slot = 1s;
  none.loads.emplace_back().slots.resize(1);
  EXPECT_NE(text_report(none).find("nothing"), std::string::npos);
  EXPECT_NE(html_report(none).find("</html>"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(json_report(none)).at("total").at("arrivals"), 0);
  EXPECT_EQ(html_report(none).find("nan"), std::string::npos);
}

struct Judged {
  const char* name;
  Claim claim;
  bool held;
};

class Judgement : public testing::TestWithParam<Judged> {};

TEST_P(Judgement, OfAClaim) {
  Scenario scenario;
  scenario.claims.push_back(GetParam().claim);
  EXPECT_EQ(judge(scenario, results()).front().held, GetParam().held);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Judgement,
    testing::Values(
        Judged{"failed_within", {.until = 2s, .failed_max = 6}, true},
        Judged{"failed_beyond", {.until = 2s, .failed_max = 5}, false},
        Judged{"failed_of_one_load", {.load_index = 0, .until = 2s, .failed_max = 3}, true},
        Judged{"failed_before", {.until = 1s, .failed_max = 0}, true},
        Judged{"failed_after", {.from = 1s, .until = 2s, .failed_max = 0}, false},
        Judged{"waited", {.until = 2s, .waited_max = 3}, false},
        Judged{"latency_within", {.until = 2s, .latency_max = 100ms}, true},
        Judged{"latency_beyond", {.until = 2s, .latency_max = 99ms}, false},
        Judged{"of_a_time_without_arrivals", {.from = 2s, .until = 3s, .failed_max = 0}, false}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace revcache::bench
