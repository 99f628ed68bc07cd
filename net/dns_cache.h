// What the resolver remembers: host names with their addresses, as long as their TTL says, and for
// an outage of the name servers somewhat longer. Pure but for the clock that it is given.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"

namespace revcache::net {

// Bounded in entries; the least recently used goes first. One thread at a time.
class DnsCache {
 public:
  struct Options {
    std::size_t entries_max = 1024;
    std::chrono::seconds ttl_min{1};
    std::chrono::seconds ttl_max{3600};
    // How long "no such host" is believed.
    std::chrono::seconds absent_ttl{5};
    // How long after its expiry an entry may stand in while the name servers do not answer (RFC
    // 8767); 0: never.
    std::chrono::seconds stale_max{86400};
    // How long such an entry then counts as fresh, so that not every question waits for silence.
    std::chrono::seconds stale_ttl{30};
  };

  struct Answer {
    std::vector<IpAddress> addresses;  // empty: there is no such host
    std::chrono::seconds ttl{0};       // what is left of it, rounded up
  };

  // `clock` must outlive the cache.
  DnsCache(const Clock& clock, const Options& options) : clock_(clock), options_(options) {}

  // What is fresh.
  [[nodiscard]] std::optional<Answer> find(const std::string& host);

  // Replace what is there. `addresses` is not empty; `ttl` is brought within its bounds.
  void store(const std::string& host, std::vector<IpAddress> addresses, std::chrono::seconds ttl);
  void store_absent(const std::string& host);

  // True when revive() would give something.
  [[nodiscard]] bool has_stale(const std::string& host) const;
  // The name servers do not answer: addresses that have expired, but not more than stale_max ago.
  // They are fresh again for stale_ttl.
  [[nodiscard]] std::optional<Answer> revive(const std::string& host);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::string host;
    std::vector<IpAddress> addresses;
    MonotonicTime fresh_until;
    MonotonicTime usable_until;  // as a stale answer
  };
  using Entries = std::list<Entry>;

  void put(Entry entry);
  [[nodiscard]] Answer answer_from(const Entry& entry) const;

  const Clock& clock_;
  Options options_;
  Entries entries_;  // most recently used first
  std::unordered_map<std::string_view, Entries::iterator> by_host_;
};

}  // namespace revcache::net
