// Whether a request to the admin port was meant for it: the defence against DNS rebinding, where a
// page in an administrator's browser points its own name at our address. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/uri.h"

namespace revcache::admin {

// True for an address literal (which no name server can point elsewhere), for "localhost" and for
// one of `names` (lower case); the port does not matter.
bool is_own_host(const http::Authority& authority, const std::vector<std::string>& names) noexcept;

}  // namespace revcache::admin
