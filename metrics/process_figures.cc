#include "metrics/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace revcache::metrics {
namespace {

// Fields of /proc/<pid>/stat behind the command name, counted from 0 at "state" (proc(5): field 3).
constexpr std::size_t kUserTime = 11;
constexpr std::size_t kSystemTime = 12;
constexpr std::size_t kStartTime = 19;
constexpr std::size_t kVirtualSize = 20;
constexpr std::size_t kResidentPages = 21;
constexpr std::size_t kFieldsNeeded = 22;

std::optional<std::uint64_t> number_in(std::string_view word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

// nullopt unless there are `Count` words.
template <std::size_t Count>
std::optional<std::array<std::string_view, Count>> first_words(std::string_view text) {
  std::array<std::string_view, Count> words;
  for (std::string_view& word : words) {
    const std::size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
  }
  return words;
}

std::string contents_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::uint64_t count_open_fds() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    ++count;
  }
  return count == 0 ? 0 : count - 1;  // without the one that counts
}

}  // namespace

std::optional<ProcessFigures> parse_process_stat(std::string_view stat, const KernelUnits& units) {
  // The command name may hold spaces and parentheses: only the last one ends it.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  const auto words = first_words<kFieldsNeeded>(stat.substr(name_end + 1));
  if (!words) return std::nullopt;
  const auto user = number_in((*words)[kUserTime]);
  const auto system = number_in((*words)[kSystemTime]);
  const auto start = number_in((*words)[kStartTime]);
  const auto virtual_bytes = number_in((*words)[kVirtualSize]);
  const auto resident_pages = number_in((*words)[kResidentPages]);
  if (!user || !system || !start || !virtual_bytes || !resident_pages) return std::nullopt;
  ProcessFigures figures;
  figures.cpu_seconds = static_cast<double>(*user + *system) / units.ticks_per_second;
  figures.start_time_seconds =
      units.boot_time_seconds + static_cast<double>(*start) / units.ticks_per_second;
  figures.virtual_bytes = *virtual_bytes;
  figures.resident_bytes = *resident_pages * units.page_bytes;
  return figures;
}

std::optional<double> parse_boot_time(std::string_view stat) {
  static constexpr std::string_view kKey = "\nbtime ";
  const std::size_t at = stat.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = stat.substr(at + kKey.size());
  const auto seconds = number_in(rest.substr(0, rest.find('\n')));
  if (!seconds) return std::nullopt;
  return static_cast<double>(*seconds);
}

std::optional<ProcessFigures> read_process_figures() {
  KernelUnits units;
  units.ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  units.page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  units.boot_time_seconds = parse_boot_time(contents_of("/proc/stat")).value_or(0);
  auto figures = parse_process_stat(contents_of("/proc/self/stat"), units);
  if (!figures) return std::nullopt;
  figures->open_fds = count_open_fds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures->max_fds = limit.rlim_cur;
  return figures;
}

}  // namespace revcache::metrics
