// revcache: hands each verb of the command line to the file that carries it out.
#include <cstdio>
#include <iostream>

#include "commands/config.h"
#include "config/command_line.h"
#include "config/load.h"
#include "proxy/server.h"

namespace {

int serve(const revcache::config::CommandLine& line) {
  auto config = revcache::config::load(line.source);
  if (!config) {
    for (const auto& error : config.error()) std::cerr << error.to_string() << '\n';
    return revcache::config::kExitUsage;
  }
  return revcache::proxy::serve(std::move(*config), line.source);
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
  return revcache::commands::run_config(*line, std::cout, std::cerr);
}
