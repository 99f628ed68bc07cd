#include "commands/status.h"

#include <nlohmann/json.hpp>

#include <ostream>
#include <sstream>
#include <string>

#include "commands/admin_client.h"
#include "commands/status_text.h"
#include "config/command_line.h"

namespace revcache::commands {
namespace {

using Json = nlohmann::ordered_json;

int exit_code_of(const Json& status) {
  const auto verdict = status.find("verdict");
  const std::string answer =
      verdict == status.end() ? std::string() : printable_member(*verdict, "answer");
  if (answer == "yes" || answer == "at_risk") return config::kExitOk;
  return answer == "no" ? config::kExitRefused : config::kExitUnreachable;
}

// What the status does not hold is left out when it cannot be had.
Json also(const config::AdminArguments& arguments, const Surroundings& surroundings,
          std::string_view path) {
  std::ostringstream unheard;
  Surroundings quiet = {.clock = surroundings.clock,
                        .http = surroundings.http,
                        .hash_seed = surroundings.hash_seed,
                        .out = unheard,
                        .err = unheard};
  Json answer;
  return call_admin(arguments, quiet, path, nullptr, answer) == config::kExitOk ? answer : Json();
}

// One look. What is to be shown goes to `out`, also that the instance is away.
int look(const config::AdminArguments& arguments, const Surroundings& surroundings,
         std::ostream& out) {
  Json status;
  const int code = call_admin(arguments, surroundings, "/api/v1/status", nullptr, status);
  if (code != config::kExitOk) return code;
  if (!arguments.json) {
    const Json crls = also(arguments, surroundings, "/api/v1/crls");
    const Json upstreams = also(arguments, surroundings, "/api/v1/upstreams");
    out << status_text({.status = status, .crls = crls, .upstreams = upstreams},
                       surroundings.colour);
  }
  return exit_code_of(status);
}

// Over what is there, line by line, so that nothing flickers (ECMA-48: CUP, EL, ED).
std::string redrawn(const std::string& text) {
  std::string out = "\033[H";
  for (const char octet : text) {
    if (octet == '\n') out += "\033[K";
    out += octet;
  }
  return out + "\033[J";
}

}  // namespace

int run_status(const config::AdminArguments& arguments, const Surroundings& surroundings) {
  if (!arguments.watch) return look(arguments, surroundings, surroundings.out);
  while (true) {
    std::ostringstream shown;
    Surroundings collected = {.clock = surroundings.clock,
                              .http = surroundings.http,
                              .hash_seed = surroundings.hash_seed,
                              .out = shown,
                              .err = shown,
                              .colour = surroundings.colour};
    const int code = look(arguments, collected, shown);
    if (code == config::kExitUsage) {
      surroundings.err << shown.str();
      return code;
    }
    const bool redraw = surroundings.terminal && !arguments.json;
    surroundings.out << (redraw ? redrawn(shown.str()) : shown.str()) << std::flush;
    if (!surroundings.wait || !surroundings.wait(kWatchInterval)) return code;
    if (!redraw && !arguments.json) surroundings.out << '\n';
  }
}

}  // namespace revcache::commands
