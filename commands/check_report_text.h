// The result of `revcache check` for people: one block per certificate, then what NPS says, and
// what to do.
#pragma once

#include <string>

#include "pki/diagnosis.h"

namespace revcache::commands {

// `colour`: for a terminal. Whatever certificates and servers said is escaped.
std::string check_text(const pki::Diagnosis& diagnosis, bool colour);

}  // namespace revcache::commands
