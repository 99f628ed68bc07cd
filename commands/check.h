// `revcache check`: is a certificate revoked, what would NPS say, and why.
#pragma once

#include "commands/surroundings.h"
#include "config/evidence_arguments.h"

namespace revcache::commands {

// Gives the exit code: 0 good, 1 revoked, 2 unknown, 3 invalid chain, 4 input that cannot be used.
// Blocking. Fetches only if there is something to fetch with.
int run_check(const config::EvidenceArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
