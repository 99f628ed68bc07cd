// Which hosts have the same paths, and which of them failed lately. One worker's view; pure but
// for what it remembers.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "http/uri.h"

namespace revcache::proxy {

// So long a mirror that failed is tried after the others.
inline constexpr std::chrono::seconds kMirrorPenalty{30};

class UpstreamMirrors {
 public:
  explicit UpstreamMirrors(std::vector<config::Mirror> groups) : groups_(std::move(groups)) {}

  // `uri` on each host of its group: its own host first, then the others as configured, all those
  // that failed lately last. Only `uri` when it is in no group.
  [[nodiscard]] std::vector<http::Uri> candidates(const http::Uri& uri, MonotonicTime now) const;

  void failed(const http::Uri& uri, MonotonicTime now);
  void succeeded(const http::Uri& uri);

 private:
  [[nodiscard]] const config::Mirror* group_of(const http::Uri& uri) const;

  std::vector<config::Mirror> groups_;
  std::map<std::string, MonotonicTime, std::less<>> penalised_until_;  // by authority; members only
};

}  // namespace revcache::proxy
