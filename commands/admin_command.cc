#include "commands/admin_command.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "commands/floor.h"
#include "commands/policy.h"
#include "commands/purge.h"
#include "commands/refresh.h"
#include "commands/revoke.h"
#include "commands/status.h"

namespace revcache::commands {
namespace {

using Command = int (*)(const config::AdminArguments&, const Surroundings&);

constexpr std::array<std::pair<config::Verb, Command>, 8> kCommands{{
    {config::Verb::status, run_status},
    {config::Verb::floor_reset, run_floor_reset},
    {config::Verb::revoke, run_revoke},
    {config::Verb::unrevoke, run_unrevoke},
    {config::Verb::revoked, run_revoked},
    {config::Verb::refresh, run_refresh},
    {config::Verb::purge, run_purge},
    {config::Verb::policy_explain, run_policy_explain},
}};

const auto* find(config::Verb verb) noexcept {
  return std::ranges::find(kCommands, verb, &std::pair<config::Verb, Command>::first);
}

}  // namespace

bool is_admin_verb(config::Verb verb) noexcept { return find(verb) != kCommands.end(); }

int run_admin_command(const config::CommandLine& line, const Surroundings& surroundings) {
  const auto* command = find(line.verb);
  CHECK(command != kCommands.end());
  return command->second(line.admin, surroundings);
}

}  // namespace revcache::commands
