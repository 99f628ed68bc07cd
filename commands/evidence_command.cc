#include "commands/evidence_command.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "commands/check.h"
#include "commands/crl.h"
#include "commands/ocsp.h"

namespace revcache::commands {
namespace {

using Command = int (*)(const config::EvidenceArguments&, const Surroundings&);

constexpr std::array<std::pair<config::Verb, Command>, 6> kCommands{{
    {config::Verb::check, run_check},
    {config::Verb::crl_show, run_crl_show},
    {config::Verb::crl_fetch, run_crl_fetch},
    {config::Verb::ocsp_show, run_ocsp_show},
    {config::Verb::ocsp_ask, run_ocsp_ask},
    {config::Verb::ocsp_verify, run_ocsp_verify},
}};

const auto* find(config::Verb verb) noexcept {
  return std::ranges::find(kCommands, verb, &std::pair<config::Verb, Command>::first);
}

}  // namespace

bool is_evidence_verb(config::Verb verb) noexcept { return find(verb) != kCommands.end(); }

int run_evidence_command(const config::CommandLine& line, const Surroundings& surroundings) {
  const auto* command = find(line.verb);
  CHECK(command != kCommands.end());
  return command->second(line.evidence, surroundings);
}

}  // namespace revcache::commands
