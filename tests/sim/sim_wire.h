// Both directions of one simulated connection, and the Stream that each end holds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {

// Lives as long as an end or an event on the way refers to it. Index 0 is the client's end, 1 the
// server's.
class SimWire : public std::enable_shared_from_this<SimWire> {
 public:
  SimWire(SimScheduler& scheduler, const LinkProfile& profile, SocketAddress client,
          SocketAddress server);

  [[nodiscard]] const SocketAddress& address_of(std::size_t end) const { return addresses_[end]; }

  // What the Stream of `end` does.
  void start_reading(std::size_t end, net::StreamReader& reader);
  void stop_reading(std::size_t end);
  std::size_t try_write(std::size_t end, std::span<const std::string_view> pieces);
  void write(std::size_t end, std::vector<SharedBytes> pieces, Callback<Result<void>> done);
  void shutdown_write(std::size_t end);
  void close(std::size_t end);

  void reset();
  void stall();

 private:
  struct Write {
    std::vector<SharedBytes> pieces;
    Callback<Result<void>> done;
  };
  // From one end to the other: indexed by the receiving end.
  struct Direction {
    DirectionProfile profile;
    std::deque<Write> waiting;   // of the sender
    std::deque<Write> finished;  // their callbacks are due
    bool fin_wanted = false;     // after `waiting`
    bool fin_sent = false;
    MonotonicTime sent_until;     // when the link is free again
    MonotonicTime arrived_until;  // of the latest transmission: arrivals keep their order
    std::size_t in_flight = 0;
    std::uint64_t sent_bytes = 0;  // in all
    bool stalled = false;
    std::string unread;  // arrived
    bool fin_arrived = false;
    bool end_reported = false;  // to the reader
    net::StreamReader* reader = nullptr;
    bool delivery_due = false;    // an event is on its way
    std::optional<Error> broken;  // what the receiving end finds
    bool receiver_gone = false;
  };

  [[nodiscard]] std::size_t window_of(const Direction& direction) const;
  void transmit(std::size_t to, std::string_view bytes);
  void arrive(std::size_t to, std::string bytes);
  void send_fin(std::size_t to);
  void pump(std::size_t to);
  void finish_write(std::size_t to);
  void report_write(std::size_t to);
  void deliver_soon(std::size_t to);
  void deliver(std::size_t to);
  void report_end(Direction& direction);
  void break_end(std::size_t end, std::string_view why);
  MonotonicTime arrival_time(Direction& direction, std::size_t bytes);

  SimScheduler& scheduler_;
  std::array<SocketAddress, 2> addresses_;
  std::array<Direction, 2> directions_;
};

// The Stream of one end. `open_streams` counts those alive.
std::unique_ptr<net::Stream> make_sim_stream(std::shared_ptr<SimWire> wire, std::size_t end,
                                             std::shared_ptr<std::size_t> open_streams);

}  // namespace revcache::sim
