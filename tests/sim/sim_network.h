// A network in virtual time: connections between simulated hosts, with latency, bandwidth, windows
// and the ways in which networks fail. Fulfils net/transport.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/ip_address.h"
#include "net/transport.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {

// One direction of a connection.
struct DirectionProfile {
  std::chrono::nanoseconds latency{std::chrono::milliseconds(1)};
  std::chrono::nanoseconds jitter{0};    // added, drawn anew for each transmission; keeps the order
  std::uint64_t bytes_per_second = 0;    // 0: no limit
  std::size_t window_bytes = 64 * 1024;  // unread by the receiver; try_write takes no more
  std::size_t chunk_bytes_max = 16 * 1024;
  bool split_chunks = false;  // chunks of a drawn size from 1 to chunk_bytes_max
  // After so many bytes of the direction have arrived: nothing more arrives, ever.
  std::optional<std::uint64_t> stall_after_bytes{};
  // After so many bytes have arrived both ends find the connection reset.
  std::optional<std::uint64_t> reset_after_bytes{};
};

enum class Accepting : std::uint8_t { accept, refuse, silence };
enum class TlsOutcome : std::uint8_t { trusted, untrusted, disconnect, silence };

struct LinkProfile {
  Accepting accepting = Accepting::accept;
  DirectionProfile to_server;
  DirectionProfile to_client;
};

struct ConnectAttempt {
  SocketAddress address;
  std::chrono::nanoseconds at{0};  // since the simulation began
};

class SimWire;

using AcceptCallback = Callback<std::unique_ptr<net::Stream>>;

// Must outlive its streams and connects under way; streams may outlive the test's interest in them.
class SimNetwork final : public net::Transport {
 public:
  explicit SimNetwork(SimScheduler& scheduler);
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;
  ~SimNetwork() override;

  // A server at this address; replaces an earlier one. Connects to an address without a server are
  // refused, or meet the profile that link() was given for it.
  void listen(const SocketAddress& address, AcceptCallback accept);
  void stop_listening(const SocketAddress& address);
  // How connections made to this address from now on behave.
  [[nodiscard]] LinkProfile& link(const SocketAddress& address) { return links_[address]; }
  // What start_tls for this server name meets; trusted unless told otherwise.
  void set_tls(const std::string& server_name, TlsOutcome outcome) { tls_[server_name] = outcome; }

  // From the worker's own address, 192.0.2.1, with growing ports.
  void connect(const SocketAddress& address, std::chrono::milliseconds timeout,
               net::ConnectDone done) override;
  void connect_from(const IpAddress& client, const SocketAddress& address,
                    std::chrono::milliseconds timeout, net::ConnectDone done);
  // The handshake takes one round trip of 2 ms; the bytes then go in clear, so that a test sees
  // them. The server's end does not notice.
  void start_tls(std::unique_ptr<net::Stream> tcp, const std::string& server_name,
                 std::chrono::milliseconds timeout, net::ConnectDone done) override;

  // Both ends of every connection to this address find it reset.
  void reset_all(const SocketAddress& address);
  // From now on nothing more arrives on existing connections to this address.
  void stall_all(const SocketAddress& address);

  // Every connect, in order of asking.
  [[nodiscard]] const std::vector<ConnectAttempt>& attempts() const noexcept { return attempts_; }
  // Server names of every start_tls, in order.
  [[nodiscard]] const std::vector<std::string>& tls_names() const noexcept { return tls_names_; }
  // Stream objects alive, both ends counted.
  [[nodiscard]] std::size_t open_streams() const noexcept { return *open_streams_; }

 private:
  struct Pending {
    SocketAddress client;
    SocketAddress server;
    std::chrono::milliseconds timeout{0};
    net::ConnectDone done;
  };
  void arrive(Pending pending);
  void fail_later(std::chrono::nanoseconds delay, net::ConnectDone done, Error error);

  SimScheduler& scheduler_;
  std::map<SocketAddress, std::shared_ptr<AcceptCallback>> listeners_;
  std::map<SocketAddress, LinkProfile> links_;
  std::map<std::string, TlsOutcome> tls_;
  std::vector<std::weak_ptr<SimWire>> wires_;
  std::vector<ConnectAttempt> attempts_;
  std::vector<std::string> tls_names_;
  std::shared_ptr<std::size_t> open_streams_ = std::make_shared<std::size_t>(0);
  std::uint16_t next_port_ = 20000;
};

}  // namespace revcache::sim
