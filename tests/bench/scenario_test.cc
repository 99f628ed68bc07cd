#include "bench/generator/scenario.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace revcache::bench {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGood = R"([scenario]
name = "try"
duration = "10s"
[[object]]
name = "crl"
url = "http://{origin}/a.crl"
[[load]]
name = "cold"
steps = ["crl"]
rate = "50/s"
)";

ScenarioContext context() {
  ScenarioContext made;
  made.sets["origin"] = "127.0.0.1:8080";
  made.directory = "/there";
  return made;
}

struct Bad {
  const char* name;
  const char* remove;  // a piece of kGood
  const char* add;     // what stands there instead
  const char* message;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

class BadScenario : public testing::TestWithParam<Bad> {};

TEST_P(BadScenario, IsRefusedWithPlaceAndReason) {
  std::string text = kGood;
  const std::string remove = GetParam().remove;
  text.replace(text.find(remove), remove.size(), GetParam().add);
  const auto scenario = parse_scenario(text, "s.toml", context());
  ASSERT_FALSE(scenario.has_value());
  const std::string message = GetParam().message;
  // What is behind the message is the parser's or the reader's own.
  EXPECT_EQ(scenario.error().front().substr(0, message.size()), message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadScenario,
    testing::Values(
        Bad{"no_toml", "[scenario]", "[scenario",
            "s.toml:1:10: Error while parsing table header: "},
        Bad{"misspelt_key", "rate =", "rte =",
            "s.toml:10:1: unknown key \"rte\" in load[0]; did you mean \"rate\"?"},
        Bad{"misspelt_table", "[[load]]", "[[loads]]",
            "s.toml:7:3: unknown key \"loads\" outside of any table; did you mean \"load\"?"},
        Bad{"bad_rate", "50/s", "50", "s.toml:10:8: load[0].rate: \"50\" is not a rate"},
        Bad{"no_rate", "rate = \"50/s\"", "",
            "s.toml:7:1: load[0].rate: is missing, and so is profile"},
        Bad{"no_name", "name = \"try\"", "", "s.toml:1:1: scenario.name: is missing"},
        Bad{"unknown_step", "[\"crl\"]", "[\"crk\"]",
            "s.toml:9:9: load[0].steps: there is no object \"crk\""},
        Bad{"unknown_set", "{origin}", "{elsewhere}",
            "s.toml:6:7: object[0].url: what is {elsewhere}? say --set elsewhere=…"},
        Bad{"https", "http://{origin}", "https://{origin}",
            "s.toml:6:7: object[0].url: must begin with http://"},
        Bad{"copies_without_place", "[[load]]", "copies = 5\n[[load]]",
            "s.toml:7:10: object[0].copies: the url has no {n}"},
        Bad{"serials_without_question", "[[load]]", "serials = 5\n[[load]]",
            "s.toml:7:11: object[0].serials: needs a question"},
        Bad{"post_of_a_crl", "rate =", "method = \"post\"\nrate =",
            "s.toml:10:10: load[0].method: only an object with a question can be posted"},
        Bad{"bad_profile", "rate = \"50/s\"", "profile = [\"5s 1/s\", \"1s 2/s\"]",
            "s.toml:10:11: load[0].profile: must be in the order of time"},
        Bad{"bad_profile_point", "rate = \"50/s\"", "profile = [\"5s\"]",
            "s.toml:10:12: load[0].profile: must be a time and a rate, as \"10s 200/s\""},
        Bad{"burst_without_size", "rate = \"50/s\"", "arrivals = \"burst\"",
            "s.toml:7:1: load[0].burst: is missing: how many at once"},
        Bad{"start_behind_the_end", "rate =", "start = \"11s\"\nrate =",
            "s.toml:10:9: load[0].start: is not before the end"},
        Bad{"clients_without_keep", "rate =", "clients = 3\nrate =",
            "s.toml:10:11: load[0].clients: needs client_keep: how long a client uses what it has"},
        Bad{"claim_of_nothing", "rate = \"50/s\"", "rate = \"50/s\"\n[[claim]]\ntext = \"fine\"",
            "s.toml:12:8: claim[0].text: nothing to check: set failed_max, waited_max, wrong_max "
            "or "
            "latency_max"},
        Bad{"claim_of_nobody", "rate = \"50/s\"",
            "rate = \"50/s\"\n[[claim]]\ntext = \"fine\"\nfailed_max = 0\nload = \"warm\"",
            "s.toml:14:8: claim[0].load: there is no load \"warm\""}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Scenario, ReadsWhatTheFileSaysAndFillsInTheRest) {
  std::string text = kGood;
  text += "clients = 4\nclient_keep = \"2s\"\n";
  const auto scenario = parse_scenario(text, "s.toml", context());
  ASSERT_TRUE(scenario.has_value()) << scenario.error().front();
  EXPECT_EQ(scenario->objects.front().url, "http://127.0.0.1:8080/a.crl");
  const Load& load = scenario->loads.front();
  EXPECT_EQ(load.objects, std::vector<std::size_t>{0});
  EXPECT_EQ(load.arrivals.end, 10s);
  EXPECT_EQ(load.arrivals.profile.front().per_second, 50);
  EXPECT_EQ(load.clients, 4U);
  EXPECT_EQ(load.client_keep, 2s);
}

TEST(Scenario, TakesTheDurationOfTheCommandLineAndStretchesItsTimes) {
  ScenarioContext longer = context();
  longer.duration = 20s;
  longer.seed = 9;
  std::string text = kGood;
  text += "start = \"2s\"\n[[claim]]\ntext = \"late\"\nfrom = \"5s\"\nfailed_max = 0\n";
  const auto scenario = parse_scenario(text, "s.toml", longer);
  ASSERT_TRUE(scenario.has_value()) << scenario.error().front();
  EXPECT_EQ(scenario->duration, 20s);
  EXPECT_EQ(scenario->seed, 9U);
  EXPECT_EQ(scenario->loads.front().arrivals.start, 4s);
  EXPECT_EQ(scenario->loads.front().arrivals.end, 20s);
  EXPECT_EQ(scenario->claims.front().from, 10s);
  EXPECT_EQ(scenario->claims.front().until, 20s);
}

TEST(Scenario, FilesAreRelativeToItsOwn) {
  std::string text = kGood;
  text.replace(text.find("[[load]]"), 0, "bodies = [\"a.crl\", \"/b.crl\"]\n");
  const auto scenario = parse_scenario(text, "s.toml", context());
  ASSERT_TRUE(scenario.has_value()) << scenario.error().front();
  EXPECT_EQ(scenario->objects.front().bodies, (std::vector<std::string>{"/there/a.crl", "/b.crl"}));
}

TEST(Scenario, ThatCannotBeReadIsAnError) {
  const auto scenario = read_scenario("/nowhere/s.toml", {});
  ASSERT_FALSE(scenario.has_value());
  EXPECT_EQ(scenario.error().front(), "/nowhere/s.toml: cannot be read");
}

}  // namespace
}  // namespace revcache::bench
