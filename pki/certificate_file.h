// A certificate as it comes in a file: PEM or DER. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace revcache::pki {

// The DER of the one certificate (RFC 5280 section 4.1; of PEM, RFC 7468 section 5, the first) in
// `bytes`. Fails with malformed (blame local).
Result<std::string> certificate_der(std::string_view bytes);

}  // namespace revcache::pki
