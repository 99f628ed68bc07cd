// Files that the user names on the command line. Blocking.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace revcache::commands {

inline constexpr std::size_t kCrlFileBytesMax = std::size_t{512} << 20U;
inline constexpr std::size_t kSmallFileBytesMax = std::size_t{4} << 20U;

// Fails with unreachable (no such file, …) or too_large; the detail names the file.
Result<SharedBytes> read_input(const std::string& path, std::size_t bytes_max);

// Replaces the file at once or not at all. Fails with unreachable; the detail names the file.
Result<void> write_output(const std::string& path, std::string_view bytes);

}  // namespace revcache::commands
