// `revcache policy explain`: what a running instance would answer for a certificate, and why.
#pragma once

#include "commands/surroundings.h"
#include "config/admin_arguments.h"

namespace revcache::commands {

// Exit codes: 0 good, 1 revoked, 2 unknown, no answer, or the instance is not reached, 4 usage, no
// certificate, no such authority. Blocking.
int run_policy_explain(const config::AdminArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
