#include "config/document.h"

#include <toml++/toml.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace revcache::config {
namespace {

// A dotted key nests one table per dot and tables are freed recursively: this bounds the stack.
constexpr std::size_t kLineBytesMax = 16U << 10U;

Position place_of(const toml::source_position& at) {
  return {static_cast<std::uint32_t>(at.line), static_cast<std::uint32_t>(at.column)};
}

class Converter {
 public:
  // nullopt when the tree is nested too deep; too_deep() says where.
  std::optional<Value> convert(const toml::node& node, std::size_t depth) {
    Value value;
    value.position = place_of(node.source().begin);
    if (depth > kNestingMax) {
      too_deep_ = value.position;
      return std::nullopt;
    }
    if (const auto* table = node.as_table()) return convert_table(*table, depth, std::move(value));
    if (const auto* array = node.as_array()) return convert_array(*array, depth, std::move(value));
    set_scalar(node, value);
    return value;
  }

  [[nodiscard]] Position too_deep() const { return too_deep_; }

 private:
  std::optional<Value> convert_table(const toml::table& table, std::size_t depth, Value value) {
    Value::Table entries;
    for (const auto& [key, child] : table) {
      auto converted = convert(child, depth + 1);
      if (!converted) return std::nullopt;
      converted->key = std::string(key.str());
      converted->key_position = place_of(key.source().begin);
      entries.entries.push_back(std::move(*converted));
    }
    value.data = std::move(entries);
    return value;
  }

  std::optional<Value> convert_array(const toml::array& array, std::size_t depth, Value value) {
    Value::Array items;
    for (const auto& child : array) {
      auto converted = convert(child, depth + 1);
      if (!converted) return std::nullopt;
      items.push_back(std::move(*converted));
    }
    value.data = std::move(items);
    return value;
  }

  static void set_scalar(const toml::node& node, Value& value) {
    if (const auto* text = node.as_string()) {
      value.data = text->get();
    } else if (const auto* integer = node.as_integer()) {
      value.data = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
      value.data = number->get();
    } else if (const auto* flag = node.as_boolean()) {
      value.data = flag->get();
    } else if (const auto* date = node.as_date()) {
      // The parser has checked that there is such a day.
      const toml::date day = date->get();
      value.data = std::chrono::sys_days(std::chrono::year(day.year) /
                                         std::chrono::month(day.month) / std::chrono::day(day.day));
    } else {
      value.data = OtherTime{};
    }
  }

  Position too_deep_;
};

std::optional<Finding> find_overlong_line(std::string_view text) {
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const std::string_view content = text.substr(0, text.find('\n'));
    if (content.size() > kLineBytesMax) {
      return Finding{{.line = line, .column = 1}, "this line is longer than 16 KiB"};
    }
    text.remove_prefix(std::min(content.size() + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

std::string_view type_name(const Value& value) noexcept {
  static constexpr std::string_view kNames[] = {
      "a boolean", "a whole number", "a decimal number", "a string",
      "a date",    "a time",         "a list of values", "a table"};
  return kNames[value.data.index()];
}

std::expected<Value, Finding> parse_document(std::string_view text) {
  if (text.size() > kFileBytesMax) {
    return std::unexpected(Finding{{}, "the file is larger than 1 MiB"});
  }
  if (auto overlong = find_overlong_line(text)) return std::unexpected(std::move(*overlong));
  try {
    const toml::table root = toml::parse(text, std::string_view{});
    Converter converter;
    auto value = converter.convert(root, 0);
    if (!value) {
      return std::unexpected(Finding{converter.too_deep(), "tables and lists nest too deep here"});
    }
    return std::move(*value);
  } catch (const toml::parse_error& error) {
    return std::unexpected(
        Finding{place_of(error.source().begin), std::string(error.description())});
  } catch (const std::exception& error) {
    return std::unexpected(Finding{{}, error.what()});
  }
}

}  // namespace revcache::config
