// One line of a log, as JSON or logfmt. Whatever bytes a value holds, the line is one line of valid
// UTF-8 without control characters: nothing from the wire reaches a terminal or a parser unescaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "metrics/log.h"
#include "metrics/log_options.h"

namespace revcache::metrics {

inline constexpr std::size_t kLogValueBytesMax = 8192;  // longer values are cut and marked with "…"

// "2024-05-01T12:00:00.123Z" (RFC 3339). Years 0 to 9999.
std::string rfc3339(WallTime time);

// Appends `text` for the inside of a JSON string: quotes, backslashes and control characters (C0,
// DEL, C1) are escaped, and so are the characters that reorder or hide text on a terminal (bidi
// controls, line and paragraph separator); each octet that is not UTF-8 becomes U+FFFD.
void append_escaped(std::string& out, std::string_view text);

class LogLine {
 public:
  // Starts with ts, level and event.
  LogLine(LogFormat format, WallTime time, LogLevel level, std::string_view event);

  // `key` is a literal in lower snake case.
  void add(std::string_view key, std::string_view value);
  // A pointer would rather become a bool.
  void add(std::string_view key, const char* value) { add(key, std::string_view(value)); }
  void add(std::string_view key, std::int64_t value);
  void add(std::string_view key, double value);  // not a finite number: null, or empty in logfmt
  void add(std::string_view key, bool value);
  void add(const LogField& field);

  // The line with its line end.
  std::string take() &&;

 private:
  void begin(std::string_view key);

  LogFormat format_;
  std::string text_;
};

}  // namespace revcache::metrics
