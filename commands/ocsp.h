// `revcache ocsp show | ask | verify`: what an OCSP response says, and whether it is to be trusted.
#pragma once

#include "commands/surroundings.h"
#include "config/evidence_arguments.h"

namespace revcache::commands {

// Exit codes: 0 well-formed, 4 unreadable or malformed. Blocking, as all of these.
int run_ocsp_show(const config::EvidenceArguments& arguments, const Surroundings& surroundings);
// 0 accepted, whatever it says; 1 refused; 2 no answer; 4 input that cannot be used, or an answer
// that is malformed.
int run_ocsp_ask(const config::EvidenceArguments& arguments, const Surroundings& surroundings);
// The issuer is the trusted or extra certificate that the response names, if its chain ends at a
// trusted one. 0 accepted, 1 refused, 4 input that cannot be used.
int run_ocsp_verify(const config::EvidenceArguments& arguments, const Surroundings& surroundings);

}  // namespace revcache::commands
