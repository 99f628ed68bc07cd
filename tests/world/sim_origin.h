// An origin in virtual time: publishes objects that change, answers conditional requests, records
// what it was asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "http/message.h"
#include "http/parser.h"
#include "net/stream.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_scheduler.h"

namespace revcache::sim {

// A body of the form of a CRL (one DER SEQUENCE) that tells its object and version.
std::string der_body(const std::string& name, std::uint64_t version, std::size_t content_bytes);

struct OriginBehaviour {
  std::chrono::seconds max_age{60};
  std::chrono::nanoseconds delay_min{std::chrono::milliseconds(1)};
  std::chrono::nanoseconds delay_max{std::chrono::milliseconds(40)};
  double error_probability = 0;     // 503
  double web_page_probability = 0;  // 200 with HTML
  double truncate_probability = 0;  // closes in the middle of the body
  double hang_up_probability = 0;   // closes instead of answering
  std::size_t content_bytes = 600;
};

class SimOrigin {
 public:
  SimOrigin(SimScheduler& scheduler, SimNetwork& network, const SocketAddress& address);
  SimOrigin(const SimOrigin&) = delete;
  SimOrigin& operator=(const SimOrigin&) = delete;
  ~SimOrigin();

  [[nodiscard]] OriginBehaviour& behaviour() noexcept { return behaviour_; }
  // What is published instead of der_body().
  void set_body(std::function<std::string(const std::string& path, std::uint64_t version)> body) {
    body_ = std::move(body);
  }
  // The object at this path gets a new version.
  void publish(const std::string& path) { ++versions_[path]; }
  [[nodiscard]] std::uint64_t version(const std::string& path) const;

  // Requests for this path that are being answered, and the most that ever were.
  [[nodiscard]] int most_at_once(const std::string& path) const;
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
  [[nodiscard]] std::uint64_t requests(const std::string& path) const;
  [[nodiscard]] std::uint64_t not_modified() const noexcept { return not_modified_; }

 private:
  class Connection;

  void accept(std::unique_ptr<net::Stream> stream);
  std::string reply_to(const http::RequestHead& head, bool& close_after);

  SimScheduler& scheduler_;
  http::ParserLimits limits_;
  OriginBehaviour behaviour_;
  std::function<std::string(const std::string&, std::uint64_t)> body_;
  std::map<std::string, std::uint64_t> versions_;
  std::map<std::string, int> at_once_;
  std::map<std::string, int> most_at_once_;
  std::map<std::string, std::uint64_t> requests_by_path_;
  std::uint64_t requests_ = 0;
  std::uint64_t not_modified_ = 0;
  std::vector<std::shared_ptr<Connection>> connections_;
};

}  // namespace revcache::sim
