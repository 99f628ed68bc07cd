// `revcache config check | show | default`.
#pragma once

#include <iosfwd>

#include "config/command_line.h"

namespace revcache::commands {

// `line.verb` is one of the config verbs. Gives the exit code. Blocking.
int run_config(const config::CommandLine& line, std::ostream& out, std::ostream& err);

}  // namespace revcache::commands
