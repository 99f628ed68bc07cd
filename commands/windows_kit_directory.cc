#include "commands/windows_kit_directory.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "commands/input_file.h"
#include "pki/certificate.h"
#include "pki/signature.h"

namespace revcache::commands {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
// Name of a file → SHA-256 of its octets.
using Hashes = std::map<std::string, std::string>;

constexpr const char* kUnfinished = ".revcache-windows-kit.part";
constexpr mode_t kReadableByAll = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;

std::unexpected<Error> unwritable(const fs::path& path, int number) {
  return fail(ErrorCode::unreachable, Blame::local,
              path.string() + ": " + std::generic_category().message(number));
}

std::string hash_of(std::string_view bytes) { return pki::hex(pki::sha256(as_bytes(bytes))); }

// A new file of that name, whole and on the disk; never through a link that lies there.
Result<void> write_new(const fs::path& path, std::string_view bytes) {
  const int descriptor =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kReadableByAll);
  if (descriptor < 0) return unwritable(path, errno);
  int error = 0;
  while (error == 0 && !bytes.empty()) {
    const ssize_t wrote = write(descriptor, bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && fsync(descriptor) != 0) error = errno;
  close(descriptor);
  if (error == 0) return {};
  unlink(path.c_str());
  return unwritable(path, error);
}

Result<void> replace_file(const fs::path& path, std::string_view bytes) {
  const fs::path unfinished = path.parent_path() / kUnfinished;
  std::error_code problem;
  fs::remove(unfinished, problem);  // of a run that was cut short
  if (auto written = write_new(unfinished, bytes); !written) return written;
  fs::rename(unfinished, path, problem);
  if (!problem) return {};
  unlink(unfinished.c_str());
  return unwritable(path, problem.value());
}

// What the kit that is there says of its files; empty without one.
Result<Hashes> manifest_in(const fs::path& directory) {
  const fs::path path = directory / kKitManifest;
  std::error_code problem;
  if (fs::symlink_status(path, problem).type() == fs::file_type::not_found) return Hashes{};
  const auto bytes = read_input(path.string(), kKitManifestBytesMax);
  if (!bytes) return std::unexpected(bytes.error());
  const Json manifest = Json::parse(bytes->text(), nullptr, false);
  const Json list = manifest.is_object() ? manifest.value("files", Json()) : Json();
  Hashes hashes;
  bool is_sound = list.is_array();
  for (const Json& one : list) {
    if (!one.is_object()) is_sound = false;
    if (!is_sound) break;
    const Json name = one.value("name", Json());
    const Json hash = one.value("sha256", Json());
    is_sound = name.is_string() && hash.is_string();
    if (is_sound) hashes.emplace(name.get<std::string>(), hash.get<std::string>());
  }
  if (is_sound) return hashes;
  return fail(ErrorCode::malformed, Blame::local,
              path.string() + " is no manifest of a kit: name another directory");
}

std::string manifest_text(const KitFiles& files) {
  Json list = Json::array();
  for (const auto& [name, bytes] : files) {
    list.push_back({{"name", name}, {"bytes", bytes.size()}, {"sha256", hash_of(bytes)}});
  }
  return Json{{"schema", 1}, {"files", std::move(list)}}.dump(2, ' ', true) + '\n';
}

// The hash of a regular file; empty for anything else that lies there; nullopt: nothing does.
std::optional<std::string> hash_on_disk(const fs::path& path) {
  std::error_code problem;
  const auto status = fs::symlink_status(path, problem);
  if (status.type() == fs::file_type::not_found) return std::nullopt;
  if (status.type() != fs::file_type::regular) return std::string();
  const auto bytes = read_input(path.string(), pki::kCertificateFileBytesMax);
  return bytes ? hash_of(bytes->text()) : std::string();
}

class KitDirectory {
 public:
  KitDirectory(const fs::path& directory, const KitFiles& files)
      : directory_(directory), files_(files) {}

  Result<KitWritten> write() && {
    std::error_code problem;
    fs::create_directories(directory_, problem);
    if (problem) return unwritable(directory_, problem.value());
    auto old = manifest_in(directory_);
    if (!old) return std::unexpected(std::move(old).error());
    if (auto free = all_are_ours(*old); !free) return std::unexpected(std::move(free).error());
    KitWritten written;
    for (const auto& [name, bytes] : files_) {
      auto replaced = replace_file(directory_ / name, bytes);
      if (!replaced) return std::unexpected(std::move(replaced).error());
    }
    clear(*old, written);
    // The last: until then the old one tells which of the old files are ours.
    auto replaced = replace_file(directory_ / kKitManifest, manifest_text(files_));
    if (!replaced) return std::unexpected(std::move(replaced).error());
    written.files = files_.size() + 1;
    return written;
  }

 private:
  [[nodiscard]] Result<void> all_are_ours(const Hashes& old) const {
    std::set<std::string> folded;
    for (const auto& [name, bytes] : files_) {
      std::string small = name;
      std::ranges::transform(small, small.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      if (!folded.insert(small).second) {
        return fail(ErrorCode::refused, Blame::local,
                    name + ": another file of the kit has this name on Windows");
      }
      const auto present = hash_on_disk(directory_ / name);
      if (!present || *present == hash_of(bytes)) continue;
      const auto known = old.find(name);
      if (known != old.end() && known->second == *present) continue;
      return fail(ErrorCode::refused, Blame::local,
                  (directory_ / name).string() +
                      (known == old.end() ? " is not of a kit" : " was changed since") +
                      "; nothing is overwritten: move it away, or name another directory");
    }
    return {};
  }

  // What was part of the old kit, and is not of this one.
  void clear(const Hashes& old, KitWritten& written) const {
    for (const auto& [name, hash] : old) {
      // A manifest that somebody wrote names no file elsewhere.
      const bool is_plain = fs::path(name).filename() == name && name != kKitManifest;
      if (files_.contains(name) || !is_plain) continue;
      const auto present = hash_on_disk(directory_ / name);
      if (!present) continue;
      std::error_code problem;
      const bool is_removed = *present == hash && fs::remove(directory_ / name, problem);
      (is_removed ? written.removed : written.left).push_back(name);
    }
  }

  const fs::path& directory_;
  const KitFiles& files_;
};

}  // namespace

Result<KitWritten> write_kit(const std::filesystem::path& directory, const KitFiles& files) {
  return KitDirectory(directory, files).write();
}

}  // namespace revcache::commands
