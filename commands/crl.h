// `revcache crl show | fetch`: what a CRL says, as `openssl crl` tells it.
#pragma once

#include "commands/surroundings.h"
#include "config/evidence_arguments.h"

namespace revcache::commands {

// Exit codes: 0 well-formed, 2 not to be fetched, 4 unreadable or malformed. Nobody's signature is
// verified: `check` does. Blocking.
int run_crl_show(const config::EvidenceArguments& arguments, const Surroundings& surroundings);
// Writes DER to `arguments.output` if it is named, only if it is a CRL.
int run_crl_fetch(const config::EvidenceArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
