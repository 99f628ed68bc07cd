#include "admin/host_check.h"

#include <algorithm>

namespace revcache::admin {

bool is_own_host(const http::Authority& authority, const std::vector<std::string>& names) noexcept {
  return authority.ip.has_value() || authority.host == "localhost" ||
         std::ranges::find(names, authority.host) != names.end();
}

}  // namespace revcache::admin
