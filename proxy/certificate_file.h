// Certificates that the configuration names. Blocking reads: start-up and pool threads.
#pragma once

#include <string>

#include "base/result.h"
#include "pki/certificate.h"

namespace revcache::proxy {

// The first certificate of a file, PEM or DER. Fails (blame local) with unreachable or malformed;
// the detail names the file.
Result<pki::CertificatePtr> read_certificate(const std::string& path);

}  // namespace revcache::proxy
