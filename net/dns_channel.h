// Questions to the name servers: c-ares on one loop. Private to net/.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "net/event_loop.h"

namespace revcache::net {

enum class DnsRecord : std::uint8_t { a, aaaa };

struct DnsAnswer {
  enum class Kind : std::uint8_t {
    found,      // `addresses` is not empty
    absent,     // the servers say that there is no such name, or no such record
    timed_out,  // no server answered
    failed,     // the servers answered with an error, or cannot be reached
  };
  Kind kind = Kind::failed;
  std::vector<IpAddress> addresses;
  std::chrono::seconds ttl{0};  // the smallest on the way, aliases included
  std::string detail;           // for errors
};

// Loop thread only; `loop` must outlive it. Destroying it destroys the callbacks unrun. A callback
// may destroy it.
class DnsChannel {
 public:
  // Of one answer, further ones are left out.
  static constexpr int kAddressesMax = 16;

  struct Options {
    std::string servers;  // "192.0.2.1,[2001:db8::1]:5353"; empty: those of /etc/resolv.conf
    std::chrono::milliseconds try_timeout{1000};  // for the first try; later ones get more
    int tries = 3;                                // of each server
  };

  // Fails with malformed (blame: local) on a list of servers that is none.
  static Result<std::unique_ptr<DnsChannel>> open(EventLoop& loop, const Options& options);
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  ~DnsChannel();

  // Asks for `host` as it is: no search domains, no hosts file. Falls back to TCP.
  void query(const std::string& host, DnsRecord record, Callback<DnsAnswer> done);

 private:
  class State;
  explicit DnsChannel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace revcache::net
