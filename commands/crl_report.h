// What a CRL says, for people and as JSON. Every entry is written as it is read: a CRL of a million
// entries needs no memory beside its own.
#pragma once

#include <iosfwd>

#include "pki/diagnosis_evidence.h"

namespace revcache::commands {

// `evidence.crl` is there. `entries`: the revoked certificates too.
void write_crl_text(std::ostream& out, const pki::Evidence& evidence, bool entries);
void write_crl_json(std::ostream& out, const pki::Evidence& evidence, bool entries);

}  // namespace revcache::commands
