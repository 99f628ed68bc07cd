// `revcache floor reset CA`: the way out after a CA was restored from a backup, when what it signs
// is older than what was seen.
#pragma once

#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

// Exit codes: 0 done, 1 refused or no such authority, 2 not reached, 4 usage. Blocking.
int run_floor_reset(const config::AdminArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
