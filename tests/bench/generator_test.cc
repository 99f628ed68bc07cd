// The open loop against a scripted server. What is asserted about times are lower bounds that
// follow from the order of events, so a slow machine cannot break them.
#include "bench/generator/generator.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/bench/scripted_server.h"

namespace revcache::bench {
namespace {

using namespace std::chrono_literals;

// One object at `authority`, one load whose keys are `load`.
Scenario scenario_of(const std::string& authority, const std::string& load,
                     const std::string& object = "") {
  const std::string text = "[scenario]\nname = \"test\"\nduration = \"1s\"\ntimeout = \"60s\"\n" +
                           std::string("[[object]]\nname = \"it\"\nurl = \"http://") + authority +
                           "/it.crl\"\n" + object +
                           "\n[[load]]\nname = \"all\"\nsteps = [\"it\"]\n" + load;
  auto scenario = parse_scenario(text, "test", {});
  if (!scenario) throw std::runtime_error(scenario.error().front());
  return *std::move(scenario);
}

Results run(const Scenario& scenario, GeneratorOptions options = {}) {
  auto generator = Generator::open(scenario, std::move(options));
  if (!generator) throw std::runtime_error(generator.error());
  return (*generator)->run();
}

std::uint64_t outcome(const LoadResult& load, Outcome wanted) {
  return load.outcomes[static_cast<std::size_t>(wanted)];
}

ScriptedServer::Script always(const std::string& answer) {
  return [answer](std::size_t, const std::string&) { return answer; };
}

TEST(Generator, SendsWhatIsDueWhetherOrNotThereAreAnswers) {
  // The server answers nobody before all have asked: in a closed loop nobody would.
  ScriptedServer server(always(ok("x")), 40);
  const Scenario scenario =
      scenario_of(server.authority(), "arrivals = \"even\"\nrate = \"100/s\"\nend = \"405ms\"\n");
  const Results results = run(scenario);
  const LoadResult& load = results.loads.front();
  ASSERT_EQ(load.arrivals, 40U);
  EXPECT_EQ(outcome(load, Outcome::right), 40U);
  // Number k is due at 10 ms * k and answered after number 40 was due.
  EXPECT_GE(load.latency.max(), 389ms);
  EXPECT_GE(load.latency.quantile(0.5), 189ms);
  EXPECT_EQ(results.in_flight_max, 40U);
}

TEST(Generator, ShowsAStalledServerInThePercentilesAlthoughOnlyOneRequestWasSlow) {
  // One connection. The first answer is held until a second has passed; the others come at once.
  ScriptedServer server(always(ok("x")), 1'000'000);
  Scenario scenario =
      scenario_of(server.authority(), "arrivals = \"even\"\nrate = \"50/s\"\nconnections = 1\n");
  GeneratorOptions options;
  options.progress = [&server](const Progress&) { server.release(); };
  const Results results = run(scenario, std::move(options));
  const LoadResult& load = results.loads.front();
  EXPECT_EQ(outcome(load, Outcome::right), load.arrivals);
  // Of 49 arrivals, number k (from 1) waited for at least 1 s - 20 ms * k: half of them 0.5 s.
  ASSERT_GE(load.arrivals, 49U);
  EXPECT_GE(load.latency.quantile(0.5), 480ms);
  EXPECT_GE(load.latency.quantile(0.9), 860ms);
  // What a closed loop would have said.
  EXPECT_LT(load.service.quantile(0.5), load.latency.quantile(0.5));
  EXPECT_GE(load.service.max(), 900ms);
}

TEST(Generator, CountsATimeoutWithItsWholeTime) {
  ScriptedServer server(always(ok("x")), 1'000'000);
  Scenario scenario =
      scenario_of(server.authority(), "arrivals = \"even\"\nrate = \"50/s\"\nend = \"210ms\"\n");
  scenario.timeout = 100ms;
  const Results results = run(scenario);
  const LoadResult& load = results.loads.front();
  EXPECT_EQ(outcome(load, Outcome::timed_out), 10U);
  EXPECT_EQ(load.latency.count(), 10U);
  EXPECT_GE(load.latency.min(), 100ms);
  EXPECT_EQ(failed_of(load), 10U);
}

TEST(Generator, CountsArrivalsThatWaitForAConnectionAsTimedOutToo) {
  ScriptedServer server(always(ok("x")), 1'000'000);
  Scenario scenario = scenario_of(
      server.authority(), "arrivals = \"burst\"\nburst = 20\nevery = \"1h\"\nconnections = 2\n");
  scenario.timeout = 100ms;
  const Results results = run(scenario);
  EXPECT_EQ(outcome(results.loads.front(), Outcome::timed_out), 20U);
}

TEST(Generator, SaysThatNobodyListens) {
  std::string authority;
  {
    const ScriptedServer gone(always(""));
    authority = gone.authority();
  }
  const Results results =
      run(scenario_of(authority, "arrivals = \"burst\"\nburst = 5\nevery = \"1h\"\n"));
  EXPECT_EQ(outcome(results.loads.front(), Outcome::unconnected), 5U);
  EXPECT_EQ(results.loads.front().latency.count(), 0U);
}

struct Broken {
  const char* name;
  std::string answer;  // to every request but the first
  Outcome outcome;
};

class BrokenAnswer : public testing::TestWithParam<Broken> {};

TEST_P(BrokenAnswer, IsToldApart) {
  ScriptedServer server([](std::size_t index, const std::string&) {
    return index == 0 ? ok("right") : GetParam().answer;
  });
  const Results results = run(
      scenario_of(server.authority(),
                  "arrivals = \"even\"\nrate = \"10/s\"\nend = \"550ms\"\nconnection = \"new\"\n"));
  const LoadResult& load = results.loads.front();
  ASSERT_EQ(load.arrivals, 5U);
  EXPECT_EQ(outcome(load, Outcome::right), 1U);
  EXPECT_EQ(outcome(load, GetParam().outcome), 4U);
  EXPECT_EQ(load.connections, 5U);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenAnswer,
    testing::Values(
        Broken{"other_body", ok("wrong"), Outcome::wrong_body},
        Broken{"refusal", "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", Outcome::wrong_status},
        Broken{"unasked_304", "HTTP/1.1 304 Not Modified\r\n\r\n", Outcome::wrong_status},
        Broken{"no_http", "SSH-2.0-x\r\n\r\n", Outcome::not_http},
        Broken{"more_than_the_answer", ok("right") + "more", Outcome::not_http},
        Broken{"nothing", "", Outcome::cut}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Generator, AsksWithTheValidatorsOfTheFirstAnswerAndTakes304) {
  ScriptedServer server([](std::size_t, const std::string& request) {
    if (request.find("If-None-Match: \"v1\"\r\n") != std::string::npos) {
      return std::string("HTTP/1.1 304 Not Modified\r\nCache-Status: c; hit\r\n\r\n");
    }
    return ok("x", "ETag: \"v1\"\r\nLast-Modified: Sun, 22 Nov 2026 20:00:00 GMT\r\n");
  });
  const Results results = run(scenario_of(
      server.authority(),
      "arrivals = \"even\"\nrate = \"10/s\"\nform = \"revalidate\"\nconnections = 1\n"));
  const LoadResult& load = results.loads.front();
  EXPECT_EQ(outcome(load, Outcome::right), load.arrivals);
  EXPECT_EQ(load.statuses[200], 1U);
  EXPECT_EQ(load.statuses[304], load.arrivals - 1);
  const auto asked = server.requests();
  EXPECT_EQ(asked.front().find("If-"), std::string::npos);
  EXPECT_NE(asked.back().find("If-Modified-Since: Sun, 22 Nov 2026 20:00:00 GMT\r\n"),
            std::string::npos);
  EXPECT_NE(asked.back().find("Cache-Control: max-age = 3600\r\n"), std::string::npos);
}

TEST(Generator, LetsAClientUseWhatItHas) {
  ScriptedServer server(always(ok("x", "ETag: \"v1\"\r\n")));
  const Results results =
      run(scenario_of(server.authority(),
                      "arrivals = \"even\"\nrate = \"20/s\"\nclients = 1\nclient_keep = \"1h\"\n"
                      "connections = 1\nstart = \"10ms\"\n"));
  const LoadResult& load = results.loads.front();
  EXPECT_EQ(outcome(load, Outcome::right), load.arrivals);
  EXPECT_EQ(load.from_client_cache + load.requests, load.arrivals);
  EXPECT_GE(load.requests, 1U);
  EXPECT_EQ(load.requests, server.requests().size());
}

TEST(Generator, SendsAgainWhatAnIdleConnectionWasClosedUnder) {
  ScriptedServer server(
      [](std::size_t index, const std::string&) { return index == 1 ? std::string() : ok("x"); });
  const Results results = run(
      scenario_of(server.authority(), "arrivals = \"even\"\nrate = \"5/s\"\nconnections = 1\n"));
  const LoadResult& load = results.loads.front();
  EXPECT_EQ(outcome(load, Outcome::right), load.arrivals);
  EXPECT_EQ(load.retries, 1U);
  EXPECT_EQ(load.connections, 2U);
}

TEST(Generator, TellsWhoWaitedForUpstream) {
  ScriptedServer server([](std::size_t index, const std::string&) {
    return ok("x", index == 0 ? "Cache-Status: c; fwd=uri-miss\r\n" : "Cache-Status: c; hit\r\n");
  });
  Scenario scenario = scenario_of(server.authority(), "arrivals = \"even\"\nrate = \"10/s\"\n");
  scenario.claims.push_back({.text = "none", .until = 1s, .waited_max = 0});
  const Results results = run(scenario);
  EXPECT_EQ(results.loads.front().waited, 1U);
  EXPECT_FALSE(judge(scenario, results).front().held);
}

TEST(Generator, TakesTryLaterForAFailure) {
  const std::string file = std::string(REVCACHE_TESTDATA) + "/ocsp_request/good_sha1.der";
  ScriptedServer server([](std::size_t index, const std::string&) {
    const std::string try_later("\x30\x03\x0a\x01\x03", 5);
    const std::string successful("\x30\x03\x0a\x01\x00", 5);
    return ok(index == 0 ? successful : try_later);
  });
  const Results results =
      run(scenario_of(server.authority(), "arrivals = \"even\"\nrate = \"5/s\"\n",
                      "may_change = true\nquestion = \"" + file + "\"\n"));
  const LoadResult& load = results.loads.front();
  EXPECT_EQ(outcome(load, Outcome::right), 1U);
  EXPECT_EQ(outcome(load, Outcome::ocsp_refused), load.arrivals - 1);
}

}  // namespace
}  // namespace revcache::bench
