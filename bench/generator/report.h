// What a run has found, for people and for programs. Pure.
#pragma once

#include <string>

#include "bench/generator/results.h"

namespace revcache::bench {

inline constexpr int kReportSchema = 1;

// For a terminal.
std::string text_report(const Results& results);
// One JSON document; docs/benchmark.md describes it. Times are in microseconds.
std::string json_report(const Results& results);
// One HTML document that needs nothing else: plots are inline SVG, no script, light and dark.
std::string html_report(const Results& results);

// The percentiles that reports show, and their names: "50", "99.9".
struct Percentile {
  double fraction;
  const char* name;
};
inline constexpr Percentile kPercentiles[] = {
    {0.5, "50"}, {0.9, "90"}, {0.99, "99"}, {0.999, "99.9"}, {0.9999, "99.99"}};

// "83.1 us", "1.24 ms", "2.1 s"
std::string duration_text(std::chrono::nanoseconds time);
// "10,234"
std::string number_text(std::uint64_t number);

}  // namespace revcache::bench
