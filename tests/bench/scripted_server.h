// A server on loopback for tests of the generator: answers each request as its script says, at once
// or when it is released. A thread of its own; ends with the object. A request is what ends with an
// empty line, so it takes no bodies.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace revcache::bench {

class ScriptedServer {
 public:
  // The answer to request number `index`; "" closes the connection instead.
  using Script = std::function<std::string(std::size_t index, const std::string& request)>;

  // Holds all answers until `held` requests have come, or until release().
  explicit ScriptedServer(Script script, std::size_t held = 0);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  void release();
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  struct Peer {
    int descriptor;
    std::string received;
    std::vector<std::size_t> unanswered;
  };

  void serve();
  void read_from(Peer& peer);
  void answer(Peer& peer);

  Script script_;
  std::size_t held_;
  int listener_ = -1;
  int wake_ = -1;
  std::uint16_t port_ = 0;
  std::vector<Peer> peers_;
  std::atomic<bool> released_{false};
  std::atomic<bool> over_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// An answer 200 with this body and these field lines, each with its CRLF.
std::string ok(const std::string& body, const std::string& fields = "");

}  // namespace revcache::bench
