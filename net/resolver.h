// Host names to addresses. Loop thread only.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ip_address.h"
#include "base/result.h"

namespace revcache::net {

struct ResolvedHost {
  std::vector<IpAddress> addresses;  // never empty; alternating families, IPv6 first (RFC 8305)
  std::chrono::seconds ttl{0};       // smallest TTL among the records, as left now
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // `host`: a normalised name, no IP literal. Answers from its own cache within the TTL (bounded
  // in entries); equal questions under way share one query. Fails with unreachable (no such name,
  // no address) or timed_out after `timeout`.
  virtual void resolve(const std::string& host, std::chrono::milliseconds timeout,
                       Callback<Result<ResolvedHost>> done) = 0;
};

}  // namespace revcache::net
