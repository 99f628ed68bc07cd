// revcache-bench: what a revocation check costs, directly, through any proxy, or at any responder.
//
//   revcache-bench run --proxy http://host:3128 --scenario FILE [--json FILE] [--html FILE]
//
// Exit codes: 0 all claims of the scenario hold, 1 one does not, 2 nothing was answered, 4 usage or
// a scenario that cannot be used.
#include <CLI/CLI.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/generator/generator.h"
#include "bench/generator/report.h"
#include "bench/generator/scenario.h"

namespace revcache::bench {
namespace {

constexpr int kExitUnanswered = 2;
constexpr int kExitUsage = 4;

struct Arguments {
  std::string scenario;
  std::string proxy;
  std::string responder;
  std::string json;
  std::string html;
  std::vector<std::string> sets;
  std::optional<std::uint64_t> seed;
  std::optional<double> duration;
  bool spin = false;
};

void add_run(CLI::App& app, Arguments& arguments) {
  CLI::App* run = app.add_subcommand("run", "Run a scenario");
  run->add_option("--scenario", arguments.scenario, "What to ask, how often (TOML)")
      ->required()
      ->type_name("FILE");
  run->add_option("--proxy", arguments.proxy, "Ask through this proxy; without it, directly")
      ->type_name("http://HOST:PORT");
  run->add_option("--responder", arguments.responder,
                  "Ask this OCSP responder, directly, where the scenario says responder = true")
      ->type_name("URL");
  run->add_option("--set", arguments.sets, "{NAME} in the scenario's URLs and files; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  run->add_option("--json", arguments.json, "Write the figures to this file")->type_name("FILE");
  run->add_option("--html", arguments.html, "Write a report with plots to this file")
      ->type_name("FILE");
  run->add_option("--seed", arguments.seed, "Instead of the scenario's; same seed, same arrivals")
      ->type_name("N");
  run->add_option("--duration", arguments.duration,
                  "Stretch or compress the scenario to so many seconds; rates stay")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 86400.0));
  run->add_flag("--spin", arguments.spin,
                "Never sleep: no wake-up delay in the figures, one core fully used");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 all claims of the scenario hold; 1 one does not; 2 nothing was answered;\n"
      "4 usage, or a scenario that cannot be used.");
}

std::expected<ScenarioContext, std::string> context_of(const Arguments& arguments) {
  ScenarioContext context;
  for (const std::string& set : arguments.sets) {
    const std::size_t equals = set.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return std::unexpected("--set " + set + ": must be NAME=VALUE");
    }
    context.sets[set.substr(0, equals)] = set.substr(equals + 1);
  }
  if (arguments.duration) {
    context.duration = std::chrono::milliseconds(std::llround(*arguments.duration * 1000));
  }
  context.seed = arguments.seed;
  return context;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// One line that is written over; only on a terminal.
std::function<void(const Progress&)> progress_line(const Scenario& scenario) {
  if (isatty(STDERR_FILENO) != 1) return {};
  return [&scenario](const Progress& progress) {
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(progress.elapsed).count();
    std::fprintf(
        stderr,
        "\r\033[K%lld s of %.0f s  %s arrivals  %s failed  %s under way  last second: p50 %s, "
        "p99 %s, longest %s",
        static_cast<long long>(second), static_cast<double>(scenario.duration.count()) / 1e3,
        number_text(progress.arrivals).c_str(), number_text(progress.failed).c_str(),
        number_text(progress.in_flight).c_str(),
        duration_text(progress.latency.quantile(0.5)).c_str(),
        duration_text(progress.latency.quantile(0.99)).c_str(),
        duration_text(progress.latency.max()).c_str());
    std::fflush(stderr);
  };
}

bool write_file(const std::string& name, const std::string& content) {
  if (name.empty()) return true;
  std::ofstream file(name, std::ios::binary);
  file << content;
  file.close();
  if (file) return true;
  std::cerr << "revcache-bench: " << name << ": cannot be written\n";
  return false;
}

std::string target_text(const Arguments& arguments) {
  std::string text = arguments.proxy.empty() ? "direct" : "through " + arguments.proxy;
  if (!arguments.responder.empty()) text += ", responder " + arguments.responder;
  return text;
}

int exit_code_of(const Results& results) {
  if (total_of(results).latency.count() == 0) return kExitUnanswered;
  for (const ClaimResult& claim : results.claims) {
    if (!claim.held) return 1;
  }
  return 0;
}

int usage_error(const std::string& message) {
  std::cerr << "revcache-bench: " << message << '\n';
  return kExitUsage;
}

int run(const Arguments& arguments) {
  const auto context = context_of(arguments);
  if (!context) return usage_error(context.error());
  const auto scenario = read_scenario(arguments.scenario, *context);
  if (!scenario) {
    for (const std::string& message : scenario.error()) std::cerr << message << '\n';
    return kExitUsage;
  }
  GeneratorOptions options{.route = {.proxy = {}, .responder = arguments.responder},
                           .spin = arguments.spin,
                           .progress = progress_line(*scenario)};
  if (!arguments.proxy.empty()) {
    auto proxy = parse_proxy(arguments.proxy);
    if (!proxy) return usage_error("--proxy: " + proxy.error());
    options.route.proxy = *proxy;
  }
  raise_descriptor_limit();
  const bool live = static_cast<bool>(options.progress);
  auto generator = Generator::open(*scenario, std::move(options));
  if (!generator) return usage_error(generator.error());
  const std::string started = utc_now();
  std::cout << "running " << scenario->name << ", " << target_text(arguments) << std::endl;
  Results results = (*generator)->run();
  if (live) std::fputs("\r\033[K", stderr);
  results.target = target_text(arguments);
  results.started = started;
  results.claims = judge(*scenario, results);
  std::cout << text_report(results);
  const bool written = write_file(arguments.json, json_report(results)) &&
                       write_file(arguments.html, html_report(results));
  return written ? exit_code_of(results) : kExitUsage;
}

}  // namespace
}  // namespace revcache::bench

int main(int argc, char** argv) {
  CLI::App app("Measures what a revocation check costs", "revcache-bench");
  revcache::bench::Arguments arguments;
  revcache::bench::add_run(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : revcache::bench::kExitUsage;
  }
  return revcache::bench::run(arguments);
}
