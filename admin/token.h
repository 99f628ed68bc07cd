// The bearer token of the admin port (RFC 6750 section 2.1).
#pragma once

#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "config/config.h"

namespace revcache::admin {

// Whether `authorization`, the value of an Authorization field, presents `token`. The time it takes
// does not tell how much of a guess was right.
bool presents_token(std::string_view authorization, std::string_view token) noexcept;

// The token of admin.token_file; empty when none is configured, which only loopback allows. Fails
// when it cannot be read. Blocking; at start-up and for a reload.
Result<std::string> configured_token(const config::Config& config);

}  // namespace revcache::admin
