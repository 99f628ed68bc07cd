#include "commands/config.h"

#include <ostream>

#include "config/defaults.h"
#include "config/load.h"
#include "config/show.h"

namespace revcache::commands {

int run_config(const config::CommandLine& line, std::ostream& out, std::ostream& err) {
  if (line.verb == config::Verb::config_default) {
    out << config::default_text(config::defaults());
    return config::kExitOk;
  }
  const config::LoadResult loaded = config::load(line.source);
  if (!loaded) {
    for (const config::ConfigError& error : loaded.error()) err << error.to_string() << '\n';
    return config::kExitUsage;
  }
  if (line.verb == config::Verb::config_show) {
    out << config::effective_text(*loaded);
  } else {
    out << (line.source.file.empty() ? "built-in defaults" : line.source.file) << ": valid\n";
  }
  return config::kExitOk;
}

}  // namespace revcache::commands
