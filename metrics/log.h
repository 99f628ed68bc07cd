// Events for operators: one JSON or logfmt line each. The backend (spdlog) is set up by main.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace revcache::metrics {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogField {
  std::string_view key;  // a literal in lower snake case
  std::variant<std::string_view, std::int64_t, double, bool> value;
};

// Thread-safe. Never blocks a loop on the disk for longer than a buffered write.
class Log {
 public:
  virtual ~Log() = default;
  // `event` is a fixed phrase in lower case ("upstream failed"); what varies goes into fields. Any
  // bytes are allowed in values: they are escaped.
  virtual void write(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) = 0;
  // What must be on record whatever the level and however often it happens: answers that were
  // signed. Neither held back nor counted together.
  virtual void record(std::string_view event, std::initializer_list<LogField> fields) {
    write(LogLevel::info, event, fields);
  }

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, event, fields);
  }
  void warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warning, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, event, fields);
  }
};

// Drops everything: for tests and tools.
class NullLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace revcache::metrics
