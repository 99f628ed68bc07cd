// Values with units as people write them: "15m", "256MiB", "50/s". Parse and print are inverse:
// parse(print(x)) == x. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/config.h"

namespace revcache::config {

// A value, or what is wrong with its text, in words for whoever wrote it.
template <class T>
using Parsed = std::expected<T, std::string>;

// One or more numbers with units, largest unit first: "250ms", "9s", "15m", "1h30m", "30d". At most
// ten years.
Parsed<Milliseconds> parse_duration(std::string_view text);
// In the largest unit that is exact: "15m", "90s".
std::string print_duration(Milliseconds duration);

// "512" (bytes), "64KiB", "256MiB", "8GiB", "1TiB"; "10kB", "10MB", "8GB", "1TB" count in
// thousands.
Parsed<std::uint64_t> parse_size(std::string_view text);
std::string print_size(std::uint64_t bytes);

// "50/s", "90/m", "10/h"; whole or decimal numbers, at most a million a second.
Parsed<Rate> parse_rate(std::string_view text);
std::string print_rate(const Rate& rate);

}  // namespace revcache::config
