// What the kernel says about this process: the process_* metrics of every Prometheus client.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace revcache::metrics {

struct ProcessFigures {
  double cpu_seconds = 0;         // user and system
  double start_time_seconds = 0;  // Unix time
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

// The units that /proc counts in.
struct KernelUnits {
  double ticks_per_second = 100;
  std::uint64_t page_bytes = 4096;
  double boot_time_seconds = 0;  // Unix time
};

// Fills what /proc/<pid>/stat (proc(5)) tells; nullopt when it is not of that form. Pure.
std::optional<ProcessFigures> parse_process_stat(std::string_view stat, const KernelUnits& units);

// "btime 1700000000" in /proc/stat. Pure.
std::optional<double> parse_boot_time(std::string_view stat);

// nullopt where /proc is not mounted. Any thread; some ten system calls.
std::optional<ProcessFigures> read_process_figures();

}  // namespace revcache::metrics
