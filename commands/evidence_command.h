// The verbs that look at evidence: check, crl, ocsp.
#pragma once

#include "commands/surroundings.h"
#include "config/command_line.h"

namespace revcache::commands {

[[nodiscard]] bool is_evidence_verb(config::Verb verb) noexcept;

// `line.verb` is one of them. Gives the exit code. Blocking.
int run_evidence_command(const config::CommandLine& line, const Surroundings& surroundings);

}  // namespace revcache::commands
