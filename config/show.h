// Settings as TOML again.
#pragma once

#include <string>

#include "config/config.h"

namespace revcache::config {

// What is in force, file and command line together; secrets are masked.
std::string effective_text(const Config& config);

// The same as one JSON object: sections are members, lists of tables arrays of objects.
std::string effective_json(const Config& config);

// A file that says what is the default anyway, each key with its comment; tables of lists stand as
// commented examples. Loads back to `config`, which has no such tables.
std::string default_text(const Config& config);

}  // namespace revcache::config
