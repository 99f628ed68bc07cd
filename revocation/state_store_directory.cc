#include "revocation/state_store_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "revocation/state_record.h"

namespace revcache::revocation {
namespace {

constexpr std::string_view kConfirmedName = "confirmed";
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kParentMode = 0755;
constexpr mode_t kFileMode = 0600;

std::unexpected<Error> system_failure(const std::string& what, int number) {
  return fail(ErrorCode::unreachable, Blame::local,
              what + ": " + std::generic_category().message(number));
}

std::string confirmed_path(const std::string& directory) {
  return directory + '/' + std::string(kConfirmedName);
}

// A new name in a directory outlives a power failure only when the directory is synced.
Result<void> sync_directory(const std::string& directory) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return system_failure("cannot open " + directory, errno);
  const int synced = ::fsync(file);
  const int number = errno;
  ::close(file);
  if (synced != 0) return system_failure("cannot sync " + directory, number);
  return {};
}

Result<void> make_directory(const std::filesystem::path& directory, mode_t mode) {
  if (::access(directory.c_str(), F_OK) == 0) return {};
  const std::filesystem::path parent = directory.parent_path();
  if (!parent.empty() && parent != directory) {
    if (auto made = make_directory(parent, kParentMode); !made) return made;
  }
  if (::mkdir(directory.c_str(), mode) != 0 && errno != EEXIST) {
    return system_failure("cannot make the state directory " + directory.string(), errno);
  }
  return sync_directory(parent.empty() ? "." : parent.string());
}

// nullopt: absent, or just made and never written.
Result<std::optional<std::string>> read_confirmed_file(const std::string& directory) {
  std::ifstream file(confirmed_path(directory), std::ios::binary);
  if (!file) {
    std::error_code error;
    if (!std::filesystem::exists(confirmed_path(directory), error) && !error) return std::nullopt;
    return fail(ErrorCode::unreachable, Blame::local,
                "cannot read " + confirmed_path(directory) + ": permissions?");
  }
  std::string bytes(kConfirmedBytes + 1, '\0');  // one more shows a file that is too long
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.empty()) return std::nullopt;
  return bytes;
}

Result<void> look_for_database(const std::string& directory, StateDirectoryContents& contents) {
  std::error_code error;
  std::filesystem::directory_iterator files(directory, error);
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    const std::string name = files->path().filename().string();
    const std::string extension = files->path().extension().string();
    if (name == "CURRENT") contents.has_database = true;
    if (extension == ".sst" || extension == ".log") contents.has_database_files = true;
  }
  if (error) {
    return fail(ErrorCode::unreachable, Blame::local,
                "cannot read the state directory " + directory + ": " + error.message());
  }
  return {};
}

}  // namespace

Result<void> make_state_directory(const std::string& directory, metrics::Log& log) {
  if (auto made = make_directory(directory, kDirectoryMode); !made) return made;
  struct stat about{};
  if (::stat(directory.c_str(), &about) != 0) {
    return system_failure("cannot look at the state directory " + directory, errno);
  }
  if (!S_ISDIR(about.st_mode)) {
    return system_failure("the state directory " + directory, ENOTDIR);
  }
  if ((about.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    log.warning("state directory is writable by others",
                {{"directory", std::string_view(directory)}});
  }
  return {};
}

Result<StateDirectoryContents> look_into_state_directory(const std::string& directory) {
  StateDirectoryContents contents;
  if (auto looked = look_for_database(directory, contents); !looked) return fail(std::move(looked));
  Result<std::optional<std::string>> bytes = read_confirmed_file(directory);
  if (!bytes) return fail(std::move(bytes));
  if (*bytes) {
    const Result<std::uint64_t> number = decode_confirmed(**bytes);
    if (!number) {
      const bool newer = number.error().code == ErrorCode::unsupported;
      return fail(number.error().code, Blame::local,
                  "the state directory " + directory + " is refused: " + number.error().detail +
                      (newer ? std::string() : ways_out(directory)));
    }
    contents.confirmed = *number;
  }
  if (!contents.has_database && (contents.confirmed || contents.has_database_files)) {
    return fail(ErrorCode::corrupt, Blame::local,
                "the state directory " + directory + " holds only parts of a database" +
                    ways_out(directory));
  }
  return contents;
}

Result<int> open_confirmed(const std::string& directory) {
  const std::string path = confirmed_path(directory);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (file < 0) return system_failure("cannot open " + path, errno);
  if (auto synced = sync_directory(directory); !synced) {
    ::close(file);
    return fail(std::move(synced));
  }
  return file;
}

Result<void> write_confirmed(int file, std::uint64_t number) {
  const std::string bytes = encode_confirmed(number);
  const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), 0);
  if (written < 0) return system_failure("cannot write the file \"confirmed\"", errno);
  if (static_cast<std::size_t>(written) != bytes.size()) {
    return system_failure("cannot write the file \"confirmed\"", ENOSPC);
  }
  if (::fdatasync(file) != 0) return system_failure("cannot sync the file \"confirmed\"", errno);
  return {};
}

std::string ways_out(const std::string& directory) {
  return "; nothing was changed. Restore " + directory +
         " from a backup, or move it away to start without manual revocations, revocations seen, "
         "rollback floors and audit";
}

}  // namespace revcache::revocation
