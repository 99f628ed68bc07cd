// Connecting to a host of several addresses: happy eyeballs (RFC 8305).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "net/timers.h"
#include "net/transport.h"

namespace revcache::proxy {

// RFC 8305 section 5: the Connection Attempt Delay.
inline constexpr std::chrono::milliseconds kConnectStagger{250};
// Of what a name resolves to, so that no zone makes us knock on a hundred doors.
inline constexpr std::size_t kConnectAddressesMax = 16;

// The family of the first address first, then the families in turn (RFC 8305 section 4), each in
// the order given. At most kConnectAddressesMax.
std::vector<IpAddress> interleave_families(const std::vector<IpAddress>& addresses);

// Tries the addresses in turn, the next one as soon as one fails or kConnectStagger has passed,
// and gives the first connection made. Later ones are closed. Lives until `done` has run, on one
// loop; `done` never runs inside start().
class ConnectRace : public std::enable_shared_from_this<ConnectRace> {
 public:
  struct Plan {
    std::vector<IpAddress> addresses;  // interleaved
    std::uint16_t port = 0;
    MonotonicTime deadline;
    // Asked about each address at the moment of connecting to it; refused ones are left out.
    std::move_only_function<Result<void>(const SocketAddress&)> allowed;
  };

  // The services must outlive the race.
  ConnectRace(net::Transport& transport, net::Timers& timers, const Clock& clock, Plan plan,
              net::ConnectDone done);

  void start();
  // `done` will not run; it is destroyed.
  void cancel();

 private:
  void try_next();
  void on_result(Result<std::unique_ptr<net::Stream>> result);
  void finish(Result<std::unique_ptr<net::Stream>> outcome);
  [[nodiscard]] Error failure() const;

  net::Transport& transport_;
  net::Timers& timers_;
  const Clock& clock_;
  Plan plan_;
  net::ConnectDone done_;
  std::size_t next_ = 0;
  std::size_t pending_ = 0;
  std::optional<Error> denied_;  // the first
  std::optional<Error> failed_;  // the latest
  std::unique_ptr<net::Timer> timer_;
};

}  // namespace revcache::proxy
