#include "proxy/connection_limits.h"

namespace revcache::proxy {

ConnectionLimits::Verdict ConnectionLimits::acquire(const IpAddress& client,
                                                    std::uint32_t connections_max,
                                                    std::uint32_t connections_per_client_max) {
  return counts_.with([&](Counts& counts) {
    if (counts.total >= connections_max) return Verdict::too_many;
    auto& of_client = counts.by_client[client];
    if (of_client >= connections_per_client_max) return Verdict::too_many_of_client;
    ++of_client;
    ++counts.total;
    return Verdict::accepted;
  });
}

void ConnectionLimits::release(const IpAddress& client) {
  counts_.with([&](Counts& counts) {
    auto found = counts.by_client.find(client);
    if (found == counts.by_client.end()) return;
    --counts.total;
    if (--found->second == 0) counts.by_client.erase(found);
  });
}

std::uint32_t ConnectionLimits::connections() const {
  return counts_.with([](const Counts& counts) { return counts.total; });
}

}  // namespace revcache::proxy
