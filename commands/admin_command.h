// The verbs that talk to a running instance: status, floor, revoke, unrevoke, revoked, refresh,
// purge, policy.
#pragma once

#include "commands/surroundings.h"
#include "config/command_line.h"

namespace revcache::commands {

[[nodiscard]] bool is_admin_verb(config::Verb verb) noexcept;

// `line.verb` is one of them. Gives the exit code. Blocking.
int run_admin_command(const config::CommandLine& line, const Surroundings& surroundings);

}  // namespace revcache::commands
