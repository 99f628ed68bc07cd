// `revcache status [--watch]`: can NPS authenticate now, and if not, why; the status page in a
// terminal.
#pragma once

#include <chrono>

#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

inline constexpr std::chrono::seconds kWatchInterval{2};

// Exit codes: 0 yes, also when at risk; 1 no (or the instance refused to tell); 2 it is not
// reached; 4 usage. With --watch it goes on until the surroundings end it, also while the instance
// is away; the code is that of the last look. Blocking.
int run_status(const config::AdminArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
