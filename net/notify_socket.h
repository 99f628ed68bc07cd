// Tells the service manager how far we are: the protocol of sd_notify(3), one datagram a message.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace revcache::net {

// Sends never wait. Any thread, one at a time.
class NotifySocket {
 public:
  // `address`: the value of $NOTIFY_SOCKET, a path or, after '@', an abstract name. Empty: nobody
  // listens, and every call succeeds.
  explicit NotifySocket(std::string address) : address_(std::move(address)) {}

  Result<void> ready() const { return send("READY=1"); }
  Result<void> stopping() const { return send("STOPPING=1"); }
  // `now`: of CLOCK_MONOTONIC, as Clock::monotonic() tells it. Ends with ready().
  Result<void> reloading(MonotonicTime now) const;
  // One line for `systemctl status`; line ends in it become blanks.
  Result<void> status(std::string_view line) const;

 private:
  [[nodiscard]] Result<void> send(std::string_view message) const;

  std::string address_;
};

}  // namespace revcache::net
