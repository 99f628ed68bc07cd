// `revcache purge URL|CA|--all [--dry-run]`: stored responses are removed from the cache.
#pragma once

#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

// Exit codes: 0 removed, or nothing was there, 1 refused (no such authority), 2 the instance was
// not reached or its disk refused, 4 usage. Blocking: may take minutes, and says so on a terminal.
int run_purge(const config::AdminArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
