// `revcache signer new`: a key, and a self-signed certificate that signs OCSP answers or a request
// for one.
#pragma once

#include <iosfwd>

#include "base/clock.h"
#include "config/signer_arguments.h"

namespace revcache::commands {

// Writes NAME.key (mode 0600) and NAME.pem or NAME.csr; never over a file that is there, and leaves
// none behind when it fails. `out` gets what to put into the configuration. Gives the exit code.
// Blocking.
int run_signer_new(const config::SignerArguments& arguments, WallTime now, std::ostream& out,
                   std::ostream& err);

}  // namespace revcache::commands
