// A password or token in a file of its own.
#pragma once

#include <string>

#include "config/units.h"

namespace revcache::config {

inline constexpr std::size_t kSecretBytesMax = 4096;

// The first line of a regular file, without its line end: 1 to kSecretBytesMax printable ASCII
// characters. The reason of a failure never repeats the contents. Blocking.
Parsed<std::string> read_secret_file(const std::string& path);

// Why `path` is no readable regular file; empty when it is one.
std::string unreadable_reason(const std::string& path);

}  // namespace revcache::config
