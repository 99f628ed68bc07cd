// The upstream client without a proxy around it: for commands that fetch a few things and end. It
// has a loop of its own, which whoever waits for a fetch runs.
//
// A command fetches what the user, or a certificate that the user named, tells it to, with the
// user's own rights: unlike the proxy it asks any host, on private addresses too.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "cache/origin.h"
#include "net/event_loop.h"

namespace revcache::proxy {

// One thread only. Plain http; https fails with unsupported.
class StandaloneUpstream {
 public:
  // `via`: "http://host:port" of a proxy, or empty. Fails with malformed (blame client) when that
  // is no such URL.
  static Result<std::unique_ptr<StandaloneUpstream>> open(std::string_view via);
  StandaloneUpstream(const StandaloneUpstream&) = delete;
  StandaloneUpstream& operator=(const StandaloneUpstream&) = delete;
  ~StandaloneUpstream();

  [[nodiscard]] net::EventLoop& loop() noexcept;
  [[nodiscard]] cache::Origin& origin() noexcept;

 private:
  struct Parts;
  explicit StandaloneUpstream(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace revcache::proxy
