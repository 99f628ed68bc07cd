// The state directory and the file `confirmed` in it (docs/formats.md, "State database"). Blocks;
// what is written is synced when a call returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "metrics/log.h"

namespace revcache::revocation {

// Makes `directory` (mode 0700) and what leads to it. Warns when others may write to it.
Result<void> make_state_directory(const std::string& directory, metrics::Log& log);

struct StateDirectoryContents {
  bool has_database = false;        // the file by which RocksDB finds one
  bool has_database_files = false;  // tables, logs or manifests
  std::optional<std::uint64_t> confirmed;
};
// Fails with corrupt or unsupported when `confirmed` does, with corrupt when the database is gone
// but something is left of it, and with unreachable when the directory cannot be read.
Result<StateDirectoryContents> look_into_state_directory(const std::string& directory);

// Opens the file `confirmed` for write_confirmed, and makes it when it is absent. Gives the
// descriptor, which the caller closes.
Result<int> open_confirmed(const std::string& directory);
Result<void> write_confirmed(int file, std::uint64_t number);

// What an administrator can do about a state database that is damaged.
std::string ways_out(const std::string& directory);

}  // namespace revcache::revocation
