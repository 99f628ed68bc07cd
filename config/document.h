// A configuration file as a tree of values with their places, free of the TOML library: what the
// schema reads. Pure; the library's exceptions end here.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace revcache::config {

// Both count from 1; 0 means unknown. Columns count code points.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// What is wrong, and where.
struct Finding {
  Position position;
  std::string message;
};

// A time of day or a date with a time: no key takes one.
struct OtherTime {};

struct Value {
  using Array = std::vector<Value>;
  struct Table {
    std::vector<Value> entries;  // sorted by key, each key once
  };

  std::variant<bool, std::int64_t, double, std::string, std::chrono::sys_days, OtherTime, Array,
               Table>
      data;
  Position position;
  std::string key;  // in a table, else empty
  Position key_position;

  // nullptr when the value is of another type.
  template <class T>
  [[nodiscard]] const T* as() const noexcept {
    return std::get_if<T>(&data);
  }
};

// "a string", "a whole number", … for messages. Static storage.
std::string_view type_name(const Value& value) noexcept;

inline constexpr std::size_t kFileBytesMax = 1U << 20U;
inline constexpr std::size_t kNestingMax = 8;  // levels of tables and arrays; our keys need five

// Parses TOML 1.0. The top of the result is a Table. Fails with the place and the reason; also when
// `text` is longer than kFileBytesMax or nested deeper than kNestingMax.
std::expected<Value, Finding> parse_document(std::string_view text);

}  // namespace revcache::config
