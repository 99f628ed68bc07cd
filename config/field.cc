#include "config/field.h"

#include <algorithm>
#include <filesystem>
#include <optional>

namespace revcache::config {
namespace {

constexpr std::size_t kOneLineBytesMax = 80;
constexpr std::string_view kPkcs11 = "pkcs11:";

std::string two_digits(unsigned number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string absolute(const std::string& text, const std::string& base) {
  if (text.empty()) return text;
  const std::filesystem::path given(text);
  if (given.is_absolute() || base.empty()) return given.lexically_normal().string();
  return (std::filesystem::path(base) / given).lexically_normal().string();
}

// RFC 7512 2.4: query attributes are separated by "&".
std::string without_pin(std::string uri) {
  static constexpr std::string_view kPin = "pin-value=";
  std::size_t at = 0;
  while ((at = uri.find(kPin, at)) != std::string::npos) {
    at += kPin.size();
    const std::size_t end = std::min(uri.find_first_of("&;", at), uri.size());
    uri.replace(at, end - at, "***");
  }
  return uri;
}

std::string type_mismatch(const Value& value, std::string_view wanted) {
  return "expected " + std::string(wanted) + ", found " + std::string(type_name(value));
}

}  // namespace

std::string toml_string(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4U];
      out += kHex[static_cast<unsigned char>(c) & 15U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string toml_list(const std::vector<std::string>& items) {
  std::size_t length = 0;
  for (const std::string& item : items) length += item.size() + 2;
  const bool one_line = length <= kOneLineBytesMax;
  std::string out = "[";
  for (std::size_t at = 0; at < items.size(); ++at) {
    if (!one_line) out += "\n  ";
    out += items[at];
    if (at + 1 < items.size()) out += one_line ? ", " : ",";
  }
  return out + (one_line ? "]" : ",\n]");
}

const std::string* expect_string(const Value& value, std::string_view wanted, Findings& findings) {
  const auto* text = value.as<std::string>();
  if (text == nullptr) findings.add(value.position, type_mismatch(value, wanted));
  return text;
}

const Value::Array* expect_list(const Value& value, Findings& findings) {
  const auto* items = value.as<Value::Array>();
  if (items == nullptr) {
    findings.add(value.position, type_mismatch(value, R"(a list of strings, as ["a", "b"])"));
  } else if (items->size() > kListItemsMax) {
    findings.add(value.position, "has more than " + std::to_string(kListItemsMax) + " items");
    return nullptr;
  }
  return items;
}

Field flag(bool& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                if (const auto* read = value.as<bool>()) {
                  place = *read;
                } else {
                  findings.add(value.position, type_mismatch(value, "true or false"));
                }
              },
          .write = [&place](Secrets) { return std::string(place ? "true" : "false"); }};
}

Field free_text(std::string& place) {
  return scalar<std::string>(place, {.parse = [](std::string_view text) -> Parsed<std::string> {
                                       return std::string(text);
                                     },
                                     .print = [](const std::string& text) { return text; }});
}

Field date(std::chrono::sys_days& place) {
  return {.read =
              [&place](const Value& value, Findings& findings) {
                if (const auto* read = value.as<std::chrono::sys_days>()) {
                  place = *read;
                } else {
                  findings.add(value.position,
                               type_mismatch(value, "a date without quotes, as 2027-06-01"));
                }
              },
          .write =
              [&place](Secrets) {
                const std::chrono::year_month_day day(place);
                std::string year = std::to_string(static_cast<int>(day.year()));
                year.insert(0, 4 - std::min<std::size_t>(4, year.size()), '0');
                return year + '-' + two_digits(static_cast<unsigned>(day.month())) + '-' +
                       two_digits(static_cast<unsigned>(day.day()));
              }};
}

Field rate(Rate& place) { return scalar<Rate>(place, {.parse = parse_rate, .print = print_rate}); }

std::optional<std::int64_t> expect_number(const Value& value, std::int64_t min, std::int64_t max,
                                          Findings& findings) {
  const auto* number = value.as<std::int64_t>();
  if (number == nullptr) {
    findings.add(value.position, type_mismatch(value, "a whole number"));
    return std::nullopt;
  }
  if (*number < min || *number > max) {
    findings.add(value.position, std::to_string(*number) + " is not between " +
                                     std::to_string(min) + " and " + std::to_string(max));
    return std::nullopt;
  }
  return *number;
}

Field size(std::uint64_t& place, std::uint64_t min, std::uint64_t max) {
  return {.read =
              [&place, min, max](const Value& value, Findings& findings) {
                std::string text;
                if (const auto* number = value.as<std::int64_t>()) {
                  text = std::to_string(*number);
                } else if (const auto* found =
                               expect_string(value, R"(a size, as "256MiB")", findings)) {
                  text = *found;
                } else {
                  return;
                }
                const auto bytes = parse_size(text);
                if (!bytes) {
                  findings.add(value.position, bytes.error());
                } else if (*bytes < min || *bytes > max) {
                  findings.add(value.position, '"' + text + "\" is not between " + print_size(min) +
                                                   " and " + print_size(max));
                } else {
                  place = *bytes;
                }
              },
          .write = [&place](Secrets) { return toml_string(print_size(place)); }};
}

std::optional<Milliseconds> expect_duration(const Value& value, Milliseconds min, Milliseconds max,
                                            Findings& findings) {
  const std::string* text = expect_string(value, R"(a duration with a unit, as "9s")", findings);
  if (text == nullptr) return std::nullopt;
  const auto read = parse_duration(*text);
  if (!read) {
    findings.add(value.position, read.error());
    return std::nullopt;
  }
  if (*read < min || *read > max) {
    findings.add(value.position, '"' + *text + "\" is not between " + print_duration(min) +
                                     " and " + print_duration(max));
    return std::nullopt;
  }
  return *read;
}

std::string unknown_choice(std::string_view text, const std::vector<std::string_view>& names) {
  std::string message = '"' + std::string(text) + "\" is not one of";
  for (std::size_t at = 0; at < names.size(); ++at) {
    message += (at == 0 ? " " : ", ") + std::string(names[at]);
  }
  const std::string_view meant = closest(text, names);
  if (!meant.empty()) message += "; did you mean \"" + std::string(meant) + "\"?";
  return message;
}

Field path(std::string& place, std::string base) {
  return {.read =
              [&place, base = std::move(base)](const Value& value, Findings& findings) {
                const std::string* text = expect_string(value, "a file name", findings);
                if (text == nullptr) return;
                if (text->find('\0') != std::string::npos) {
                  findings.add(value.position, "a file name has no NUL character");
                  return;
                }
                place = absolute(*text, base);
              },
          .write = [&place](Secrets) { return toml_string(place); }};
}

Field key_reference(std::string& place, std::string base) {
  Field file = path(place, std::move(base));
  return {.read =
              [&place, read = file.read](const Value& value, Findings& findings) {
                const auto* text = value.as<std::string>();
                if (text != nullptr && text->starts_with(kPkcs11)) {
                  place = *text;
                } else {
                  read(value, findings);
                }
              },
          .write =
              [&place](Secrets secrets) {
                const bool mask = secrets == Secrets::masked && place.starts_with(kPkcs11);
                return toml_string(mask ? without_pin(place) : place);
              }};
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
  const std::size_t width = right.size() + 1;
  std::vector<std::size_t> cells((left.size() + 1) * width);
  const auto cell = [&cells, width](std::size_t i, std::size_t j) -> std::size_t& {
    return cells[i * width + j];
  };
  for (std::size_t i = 0; i <= left.size(); ++i) cell(i, 0) = i;
  for (std::size_t j = 0; j <= right.size(); ++j) cell(0, j) = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool same = left[i - 1] == right[j - 1];
      const bool swapped =
          i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      cell(i, j) =
          std::min({cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (same ? 0U : 1U)});
      if (swapped) cell(i, j) = std::min(cell(i, j), cell(i - 2, j - 2) + 1);
    }
  }
  return cell(left.size(), right.size());
}

std::string_view closest(std::string_view text, const std::vector<std::string_view>& names) {
  static constexpr std::size_t kTextBytesMax = 64;  // longer than any of our names
  std::string_view best;
  if (text.size() > kTextBytesMax) return best;
  // One edit in three characters: enough for a slip, too few for another word.
  std::size_t allowed = std::max<std::size_t>(1, text.size() / 3);
  for (const std::string_view name : names) {
    const std::size_t distance = edit_distance(text, name);
    if (distance > allowed || (!best.empty() && distance == allowed)) continue;
    best = name;
    allowed = distance;
  }
  return best;
}

}  // namespace revcache::config
