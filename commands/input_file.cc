#include "commands/input_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

namespace revcache::commands {
namespace {

std::string reason_of(int number) { return std::generic_category().message(number); }

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};

}  // namespace

Result<SharedBytes> read_input(const std::string& path, std::size_t bytes_max) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) {
    return fail(ErrorCode::unreachable, Blame::client, path + ": " + reason_of(errno));
  }
  std::string bytes;
  constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;
  while (bytes.size() <= bytes_max) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kPieceBytes);
    const std::size_t got = std::fread(bytes.data() + before, 1, kPieceBytes, file.get());
    bytes.resize(before + got);
    if (got < kPieceBytes) break;
  }
  if (std::ferror(file.get()) != 0) {
    return fail(ErrorCode::unreachable, Blame::client, path + ": " + reason_of(errno));
  }
  if (bytes.size() > bytes_max) {
    return fail(ErrorCode::too_large, Blame::client,
                path + ": larger than " + std::to_string(bytes_max) + " octets");
  }
  return SharedBytes::take(std::move(bytes));
}

Result<void> write_output(const std::string& path, std::string_view bytes) {
  const std::string unfinished = path + ".part";
  std::ofstream file(unfinished, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code problem;
  if (file) std::filesystem::rename(unfinished, path, problem);
  if (!file || problem) {
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
    return fail(ErrorCode::unreachable, Blame::client, path + ": cannot be written");
  }
  return {};
}

}  // namespace revcache::commands
