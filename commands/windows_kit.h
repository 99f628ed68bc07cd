// `revcache windows-kit`: what the administrator of Windows servers runs, made from the
// configuration. No running instance is asked.
#pragma once

#include <iosfwd>

#include "base/clock.h"
#include "config/command_line.h"

namespace revcache::commands {

// Reads the configuration of `line.source`, writes the kit to `line.windows_kit.directory`, and
// tells on `out` what comes next. An older kit there is replaced, other files are not. Warnings and
// refusals go to `err`. Gives the exit code. Blocking.
int run_windows_kit(const config::CommandLine& line, WallTime now, std::ostream& out,
                    std::ostream& err);

}  // namespace revcache::commands
