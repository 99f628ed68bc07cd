#include "config/secret_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace revcache::config {

std::string unreadable_reason(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return "does not exist";
  if (error) return "cannot be looked at: " + error.message();
  if (status.type() != std::filesystem::file_type::regular) return "is no regular file";
  // Tells early and clearly what opening the file would tell later; it decides nothing.
  if (access(path.c_str(), R_OK) != 0) return "may not be read by this user";
  return {};
}

Parsed<std::string> read_secret_file(const std::string& path) {
  // A pipe or device would block or never end.
  if (std::string reason = unreadable_reason(path); !reason.empty()) {
    return std::unexpected(std::move(reason));
  }
  std::ifstream file(path, std::ios::binary);
  std::string line(kSecretBytesMax + 2, '\0');
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  if (file.bad() || (!file && file.gcount() == 0)) return std::unexpected("is empty");
  line.resize(static_cast<std::size_t>(file.gcount()));
  line.resize(std::min(line.find('\n'), line.size()));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return std::unexpected("has an empty first line");
  if (line.size() > kSecretBytesMax) return std::unexpected("has a first line over 4096 bytes");
  const bool printable = std::ranges::all_of(line, [](char c) { return c >= 0x20 && c <= 0x7e; });
  if (!printable) return std::unexpected("has characters other than printable ASCII");
  return line;
}

}  // namespace revcache::config
