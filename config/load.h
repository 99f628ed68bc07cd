// From a file and the command line to effective settings, or to the list of all that is wrong.
// Blocking; at start-up and, for a reload, off-loop.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/defaults.h"
#include "config/document.h"

namespace revcache::config {

struct ConfigError {
  std::string source;  // file name, or "command line"
  Position position;
  std::string message;

  // "revcache.toml:3:12: listen.workers: …"; without what is unknown of the place.
  [[nodiscard]] std::string to_string() const;
};

// Never an empty list; in the order of the file.
using LoadResult = std::expected<Config, std::vector<ConfigError>>;

// One setting of the command line, stronger than the file's.
struct Override {
  std::string option;  // "--listen"
  std::string key;     // "listen.proxy"
  Value value;
};

// All that settings come from; a reload reads the same again.
struct Source {
  std::string file;  // empty: none
  std::vector<Override> overrides;
  Environment environment = current_environment();
};

// Reads the file, lays the overrides over it, checks everything. Also what a reload calls.
LoadResult load(const Source& source);
LoadResult load_file(const std::string& path);
// `name` stands for the file in messages; relative paths are relative to its directory.
LoadResult load_text(std::string_view text, const std::string& name,
                     const Environment& environment = current_environment());

}  // namespace revcache::config
