// The hosts file (hosts(5)): names that this machine knows by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"

namespace revcache::net {

using HostsTable = std::unordered_map<std::string, std::vector<IpAddress>>;

// Lines of an address and names, `#` begins a comment. Names are lowered; lines that are not
// understood are passed over, as everybody does. Pure.
[[nodiscard]] HostsTable parse_hosts(std::string_view text);

// A file that may change while we run: looked at no more often than every five seconds.
class WatchedFile {
 public:
  // `clock` must outlive it.
  WatchedFile(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  // True when it is not what it was when this last returned true, and the first time.
  [[nodiscard]] bool has_changed();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  struct Version {
    std::int64_t modified_ns = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    friend bool operator==(const Version&, const Version&) = default;
  };

  std::string path_;
  const Clock& clock_;
  std::optional<MonotonicTime> next_look_;
  std::optional<Version> seen_;
};

// Reads the file again when it has changed. Its first megabyte counts; a file that cannot be read
// is empty.
class HostsFile {
 public:
  HostsFile(std::string path, const Clock& clock) : file_(std::move(path), clock) {}

  // `host` in lower case. Empty when the file does not name it.
  [[nodiscard]] std::vector<IpAddress> find(const std::string& host);

 private:
  WatchedFile file_;
  HostsTable table_;
};

}  // namespace revcache::net
