// Settings of the log: [log] in the configuration.
#pragma once

#include <cstdint>
#include <string>

#include "metrics/log.h"

namespace revcache::metrics {

enum class LogFormat : std::uint8_t { json, logfmt };

// Which requests get a line: none, all but memory hits, all.
enum class AccessLogMode : std::uint8_t { off, misses, all };

struct LogOptions {
  LogFormat format = LogFormat::json;
  LogLevel level = LogLevel::info;
  AccessLogMode access = AccessLogMode::misses;
  std::string file;  // empty: standard error
};

}  // namespace revcache::metrics
