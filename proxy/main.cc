// revcache: hands each verb of the command line to the file that carries it out.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/random_seed.h"
#include "commands/admin_command.h"
#include "commands/config.h"
#include "commands/evidence_command.h"
#include "commands/http_client.h"
#include "commands/signer.h"
#include "commands/windows_kit.h"
#include "config/command_line.h"
#include "config/load.h"
#include "proxy/server.h"
#include "proxy/standalone_upstream.h"

namespace {

int serve(const revcache::config::CommandLine& line) {
  auto config = revcache::config::load(line.source);
  if (!config) {
    for (const auto& error : config.error()) std::cerr << error.to_string() << '\n';
    return revcache::config::kExitUsage;
  }
  return revcache::proxy::serve(std::move(*config), line.source);
}

// https://no-color.org: set to anything, it turns colours off.
bool wants_colour() {
  // NOLINTBEGIN(concurrency-mt-unsafe): nobody changes the environment
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  // NOLINTEND(concurrency-mt-unsafe)
  if (no_colour != nullptr && *no_colour != '\0') return false;
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return isatty(STDOUT_FILENO) == 1;
}

using Command = int (*)(const revcache::config::CommandLine&,
                        const revcache::commands::Surroundings&);

// A command that fetches, or talks to a running instance.
int run_over_http(Command command, const revcache::config::CommandLine& line) {
  const revcache::SystemClock clock;
  auto upstream = revcache::proxy::StandaloneUpstream::open(line.evidence.via);
  if (!upstream) {
    std::cerr << "revcache: --via: " << upstream.error().detail << '\n';
    return revcache::config::kExitUsage;
  }
  revcache::commands::OriginHttpClient http((*upstream)->loop(), (*upstream)->origin(), clock);
  const auto wait = [&http](std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
    http.start_over();
    return true;
  };
  return command(line, {.clock = clock,
                        .http = &http,
                        .hash_seed = revcache::draw_random_seed(),
                        .out = std::cout,
                        .err = std::cerr,
                        .colour = wants_colour(),
                        .progress = isatty(STDERR_FILENO) == 1,
                        .terminal = isatty(STDOUT_FILENO) == 1,
                        .wait = wait});
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = revcache::config::parse_command_line(argc, argv);
  if (!line) {
    std::cout << line.error().out;
    std::cerr << line.error().err;
    return line.error().code;
  }
  if (line->verb == revcache::config::Verb::serve) return serve(*line);
  if (revcache::commands::is_evidence_verb(line->verb)) {
    return run_over_http(revcache::commands::run_evidence_command, *line);
  }
  if (revcache::commands::is_admin_verb(line->verb)) {
    return run_over_http(revcache::commands::run_admin_command, *line);
  }
  if (line->verb == revcache::config::Verb::signer_new) {
    return revcache::commands::run_signer_new(line->signer, revcache::SystemClock().wall(),
                                              std::cout, std::cerr);
  }
  if (line->verb == revcache::config::Verb::windows_kit) {
    return revcache::commands::run_windows_kit(*line, revcache::SystemClock().wall(), std::cout,
                                               std::cerr);
  }
  return revcache::commands::run_config(*line, std::cout, std::cerr);
}
