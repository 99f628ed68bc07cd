// `revcache revoke`, `unrevoke` and `revoked`: the kill switch.
#pragma once

#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

// Exit codes: 0 done, 1 refused, no such authority or nothing to lift, 2 not reached, 4 usage.
// Blocking.
int run_revoke(const config::AdminArguments& arguments, const Surroundings& surroundings);
int run_unrevoke(const config::AdminArguments& arguments, const Surroundings& surroundings);
int run_revoked(const config::AdminArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
