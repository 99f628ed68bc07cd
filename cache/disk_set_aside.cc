#include "cache/disk_set_aside.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace revcache::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".corrupt-";

// The time in the name of an earlier one, or nullopt for anything else that lies there.
std::optional<std::uint64_t> time_in(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = name.substr(prefix.size());
  std::uint64_t time = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), time);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return time;
}

std::vector<std::pair<std::uint64_t, fs::path>> earlier_ones(const fs::path& directory) {
  const std::string prefix = directory.filename().string() + std::string(kSuffix);
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  std::error_code error;
  for (fs::directory_iterator at(directory.parent_path(), error), end; !error && at != end;
       at.increment(error)) {
    const std::optional<std::uint64_t> time = time_in(at->path().filename().string(), prefix);
    if (time) found.emplace_back(*time, at->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void delete_all_but(std::size_t kept, const fs::path& directory) {
  const auto found = earlier_ones(directory);
  for (std::size_t i = 0; i + kept < found.size(); ++i) {
    std::error_code ignored;  // what cannot be deleted is looked at again next time
    fs::remove_all(found[i].second, ignored);
  }
}

}  // namespace

Result<std::string> set_aside(const std::string& directory, WallTime now) {
  std::error_code error;
  const fs::path absolute = fs::absolute(directory, error).lexically_normal();
  const fs::path source = absolute.has_filename() ? absolute : absolute.parent_path();
  delete_all_but(kSetAsideMax - 1, source);

  auto time = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  fs::path target;
  do {
    target = source;
    target += std::string(kSuffix) + std::to_string(time++);
  } while (fs::exists(target, error));
  fs::rename(source, target, error);
  if (!error) return target.string();

  const std::string refused = error.message();
  const rocksdb::Status destroyed = rocksdb::DestroyDB(source.string(), rocksdb::Options());
  if (destroyed.ok()) return std::string();
  return fail(ErrorCode::corrupt, Blame::local,
              "cannot move the damaged cache database (" + refused + ") nor delete it (" +
                  destroyed.ToString() + ")");
}

}  // namespace revcache::cache
