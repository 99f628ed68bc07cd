// Which hosts have the same paths, which of them failed lately, and how long they usually take. One
// worker's view; pure but for what it remembers, which is bounded by the members of all groups.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "http/uri.h"

namespace revcache::proxy {

// So long a mirror that failed is tried after the others.
inline constexpr std::chrono::seconds kMirrorPenalty{30};

// How long the latest answers of one mirror took to their heads. Bodies are left out: their sizes
// differ more than hosts do.
class MirrorLatency {
 public:
  static constexpr std::size_t kSamplesMax = 64;
  static constexpr std::size_t kSamplesMin = 20;  // with fewer, one outlier would be the usual

  void add(std::chrono::milliseconds took);
  // The time that 95 % of them kept; nullopt below kSamplesMin.
  [[nodiscard]] std::optional<std::chrono::milliseconds> p95() const;

 private:
  std::array<std::uint32_t, kSamplesMax> milliseconds_{};  // a ring
  std::size_t added_ = 0;
};

// No mirror is so fast that a second one is asked before this.
inline constexpr std::chrono::milliseconds kHedgeWaitMin{50};

class UpstreamMirrors {
 public:
  explicit UpstreamMirrors(std::vector<config::Mirror> groups) : groups_(std::move(groups)) {}

  // `uri` on each host of its group: its own host first, then the others as configured, all those
  // that failed lately last. Only `uri` when it is in no group.
  [[nodiscard]] std::vector<http::Uri> candidates(const http::Uri& uri, MonotonicTime now) const;

  void failed(const http::Uri& uri, MonotonicTime now);
  void succeeded(const http::Uri& uri);
  // The head of an answer came after `took`.
  void answered(const http::Uri& uri, std::chrono::milliseconds took);

  // How long `first` may stay silent until `second` is asked as well: its usual p95. nullopt (do
  // not ask) while too little is known of `first`, or when `second` failed lately.
  [[nodiscard]] std::optional<std::chrono::milliseconds> hedge_after(const http::Uri& first,
                                                                     const http::Uri& second,
                                                                     MonotonicTime now) const;

 private:
  [[nodiscard]] const config::Mirror* group_of(const http::Uri& uri) const;

  [[nodiscard]] bool is_penalised(const http::Uri& uri, MonotonicTime now) const;

  std::vector<config::Mirror> groups_;
  std::map<std::string, MonotonicTime, std::less<>> penalised_until_;  // by authority; members only
  std::map<std::string, MirrorLatency, std::less<>> latencies_;        // likewise
};

}  // namespace revcache::proxy
