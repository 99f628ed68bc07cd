// A name server on loopback, by UDP and TCP, that answers what the test tells it to, and counts
// what it was asked.
#pragma once

#include <uv.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/uv_handle.h"

namespace revcache::net {

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeAaaa = 28;

// RFC 1035 section 4.1.1.
inline constexpr std::uint8_t kNoError = 0;
inline constexpr std::uint8_t kServerFailure = 2;
inline constexpr std::uint8_t kNameError = 3;

class DnsServer {
 public:
  struct Record {
    std::uint16_t type = kTypeA;
    std::uint32_t ttl_s = 60;
    std::string data;        // an address, or the name that a CNAME points to
    std::string owner = {};  // empty: the name asked for
  };
  struct Reply {
    std::uint8_t code = kNoError;
    std::vector<Record> records = {};
    bool silent = false;
  };

  explicit DnsServer(EventLoop& loop);
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;
  ~DnsServer();

  // What is not set is answered with NXDOMAIN.
  void set(const std::string& host, std::uint16_t type, Reply reply) {
    replies_[{host, type}] = std::move(reply);
  }
  // Answers no question any more, or again.
  void set_silent(bool silent) { silent_ = silent; }

  [[nodiscard]] std::string address() const;  // "127.0.0.1:port"
  [[nodiscard]] int questions(const std::string& host, std::uint16_t type) const;

 private:
  class TcpClient;

  void listen_by_tcp(EventLoop& loop);
  void serve_udp();
  // Nullopt: silence. An answer longer than `bytes_max` is cut to its question (RFC 1035 4.2.1).
  std::optional<std::string> answer(std::string_view query, std::size_t bytes_max);

  int fd_;
  UvHandle<uv_poll_t> poll_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<TcpClient>> tcp_clients_;
  bool silent_ = false;
  std::map<std::pair<std::string, std::uint16_t>, Reply> replies_;
  std::map<std::pair<std::string, std::uint16_t>, int> questions_;
};

}  // namespace revcache::net
