// A name server on loopback that answers what the test tells it to, and counts what it was asked.
#pragma once

#include <uv.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "net/event_loop.h"
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
  void serve();

  int fd_;
  UvHandle<uv_poll_t> poll_;
  bool silent_ = false;
  std::map<std::pair<std::string, std::uint16_t>, Reply> replies_;
  std::map<std::pair<std::string, std::uint16_t>, int> questions_;
};

}  // namespace revcache::net
