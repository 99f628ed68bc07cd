// A scripted HTTP server in the simulated network: origin, mirror, or parent proxy.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {

// A request as it arrived, complete with its body.
struct SimRequest {
  std::string method;
  std::string target;
  http::Fields fields;
  std::string body;
  std::size_t connection = 0;  // the how-manieth of this server, from 0
  std::chrono::nanoseconds at{0};
};

struct SimAnswer {
  std::string bytes{};  // head and body, as they go on the wire; empty: nothing is sent
  std::chrono::nanoseconds delay{0};
  bool close = false;  // after the bytes, or at once when there are none
};

// "HTTP/1.1 200 OK", the fields ("Name: value\r\n"…), Content-Length and the body.
std::string http_response(unsigned status, std::string_view body, std::string_view fields = {});

// Listens as long as it exists. A request is answered when it is complete, or, with
// `answer_at_head`, as soon as its head is. After 200 to CONNECT, requests inside the tunnel are
// answered by the same script.
class SimOrigin {
 public:
  using Script = std::function<SimAnswer(const SimRequest&)>;

  SimOrigin(SimScheduler& scheduler, SimNetwork& network, const SocketAddress& address,
            Script script);
  SimOrigin(const SimOrigin&) = delete;
  SimOrigin& operator=(const SimOrigin&) = delete;
  ~SimOrigin();

  void set_script(Script script) { script_ = std::move(script); }
  void answer_at_head(bool on) { answer_at_head_ = on; }
  // Reads nothing more, so that senders feel the window; and goes on.
  void stop_reading();
  void resume_reading();
  // Closes connections that have no request under way, as a server does whose idle time is over.
  void close_connections();

  [[nodiscard]] const std::vector<SimRequest>& requests() const noexcept { return requests_; }
  // Every byte that arrived on one connection.
  [[nodiscard]] std::string received(std::size_t connection) const;
  [[nodiscard]] std::size_t connections() const noexcept { return accepted_; }
  [[nodiscard]] std::size_t open_connections() const;
  [[nodiscard]] const SocketAddress& address() const noexcept { return address_; }

 private:
  class Connection;
  friend class Connection;

  SimScheduler& scheduler_;
  SimNetwork& network_;
  SocketAddress address_;
  Script script_;
  bool answer_at_head_ = false;
  bool reading_ = true;
  std::vector<SimRequest> requests_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::size_t accepted_ = 0;
};

}  // namespace revcache::sim
