#include "net/hosts_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

namespace revcache::net {

namespace {

constexpr std::size_t kFileBytesMax = std::size_t{1024} * 1024;
constexpr std::chrono::seconds kLookInterval{5};
constexpr std::string_view kBlank = " \t\r\v\f";

// Takes the first word off `line`; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word;
}

std::string lower_case(std::string_view text) {
  std::string lowered(text);
  for (char& letter : lowered) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lowered;
}

std::string read_start(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

}  // namespace

HostsTable parse_hosts(std::string_view text) {
  HostsTable table;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const auto address = IpAddress::parse(take_word(line));
    if (!address) continue;
    for (auto name = take_word(line); !name.empty(); name = take_word(line)) {
      table[lower_case(name)].push_back(*address);
    }
  }
  return table;
}

bool WatchedFile::has_changed() {
  const MonotonicTime now = clock_.monotonic();
  if (next_look_ && now < *next_look_) return false;
  next_look_ = now + kLookInterval;
  Version version;
  struct stat facts{};
  if (::stat(path_.c_str(), &facts) == 0) {
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    version = {facts.st_mtim.tv_sec * kNanosecondsPerSecond + facts.st_mtim.tv_nsec, facts.st_ino,
               facts.st_size};
  }
  if (seen_ == version) return false;
  seen_ = version;
  return true;
}

std::vector<IpAddress> HostsFile::find(const std::string& host) {
  if (file_.has_changed()) table_ = parse_hosts(read_start(file_.path()));
  const auto found = table_.find(host);
  return found != table_.end() ? found->second : std::vector<IpAddress>{};
}

}  // namespace revcache::net
