// How many client connections there are, in all and from each address: shared by all workers.
#pragma once

#include <cstdint>
#include <map>

#include "base/guarded.h"
#include "base/ip_address.h"

namespace revcache::proxy {

class ConnectionLimits {
 public:
  enum class Verdict : std::uint8_t { accepted, too_many, too_many_of_client };

  // Counts the connection when it is accepted; release() must follow. Any thread.
  Verdict acquire(const IpAddress& client, std::uint32_t connections_max,
                  std::uint32_t connections_per_client_max);
  void release(const IpAddress& client);

  [[nodiscard]] std::uint32_t connections() const;

 private:
  struct Counts {
    std::uint32_t total = 0;
    std::map<IpAddress, std::uint32_t> by_client;
  };
  Guarded<Counts> counts_;
};

}  // namespace revcache::proxy
