// `revcache refresh [URL|CA]`: fetches now, and says what came of it.
#pragma once

#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

// Exit codes: 0 all is fresh, 1 something was refused as evidence (or the call was), 2 upstream or
// the instance was not reached, or an attempt is still under way, 4 usage. Blocking.
int run_refresh(const config::AdminArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
