// How one key's value is read from a file and written back: a type-erased pair bound to its place
// in a Config. Built by the functions below, used by the schema.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.h"
#include "config/units.h"

namespace revcache::config {

// Collects everything that is wrong, so that one run shows all of it.
class Findings {
 public:
  void add(Position position, std::string message) {
    all_.push_back({position, std::move(message)});
  }
  [[nodiscard]] const std::vector<Finding>& all() const noexcept { return all_; }

 private:
  std::vector<Finding> all_;
};

enum class Secrets : std::uint8_t { masked, plain };

// The place it is bound to must outlive it.
struct Field {
  // Reports what does not fit and then leaves the place as it was.
  std::function<void(const Value&, Findings&)> read;
  std::function<std::string(Secrets)> write;  // as TOML
};

// How a type is written as a string.
template <class T>
struct Codec {
  Parsed<T> (*parse)(std::string_view);
  std::string (*print)(const T&);
};

inline constexpr std::size_t kListItemsMax = 10'000;

// A TOML basic string. Bytes that are not UTF-8 cannot come from a file.
std::string toml_string(std::string_view text);

// The string in `value`, or nullptr after a finding.
const std::string* expect_string(const Value& value, std::string_view wanted, Findings& findings);

template <class T>
Field scalar(T& place, Codec<T> codec) {
  return {.read =
              [&place, codec](const Value& value, Findings& findings) {
                const std::string* text = expect_string(value, "a string", findings);
                if (text == nullptr) return;
                Parsed<T> parsed = codec.parse(*text);
                if (parsed) {
                  place = std::move(*parsed);
                } else {
                  findings.add(value.position, std::move(parsed).error());
                }
              },
          .write = [&place, codec](Secrets) { return toml_string(codec.print(place)); }};
}

// The items of a list, or nullptr after a finding.
const Value::Array* expect_list(const Value& value, Findings& findings);
// One line if short, else one item a line.
std::string toml_list(const std::vector<std::string>& items);

template <class T>
Field list_of(std::vector<T>& place, Codec<T> codec) {
  return {.read =
              [&place, codec](const Value& value, Findings& findings) {
                const Value::Array* items = expect_list(value, findings);
                if (items == nullptr) return;
                std::vector<T> read;
                read.reserve(items->size());
                for (const Value& item : *items) {
                  T one{};
                  scalar(one, codec).read(item, findings);
                  read.push_back(std::move(one));
                }
                place = std::move(read);
              },
          .write =
              [&place, codec](Secrets) {
                std::vector<std::string> items;
                items.reserve(place.size());
                for (const T& item : place) items.push_back(toml_string(codec.print(item)));
                return toml_list(items);
              }};
}

Field flag(bool& place);
Field free_text(std::string& place);
Field date(std::chrono::sys_days& place);
Field rate(Rate& place);

// The whole number in `value` if it lies in the bounds; else a finding.
std::optional<std::int64_t> expect_number(const Value& value, std::int64_t min, std::int64_t max,
                                          Findings& findings);

template <std::unsigned_integral T>
Field count(T& place, std::int64_t min,
            std::int64_t max = std::numeric_limits<std::int32_t>::max()) {
  return {.read =
              [&place, min, max](const Value& value, Findings& findings) {
                const auto number = expect_number(value, min, max, findings);
                if (number) place = static_cast<T>(*number);
              },
          .write = [&place](Secrets) { return std::to_string(place); }};
}

// A size; a bare whole number counts bytes.
Field size(std::uint64_t& place, std::uint64_t min, std::uint64_t max);

std::optional<Milliseconds> expect_duration(const Value& value, Milliseconds min, Milliseconds max,
                                            Findings& findings);

// Seconds take whole seconds only.
template <class Duration>
Field duration(Duration& place, Milliseconds min, Milliseconds max) {
  return {.read =
              [&place, min, max](const Value& value, Findings& findings) {
                const auto read = expect_duration(value, min, max, findings);
                if (!read) return;
                const auto rounded = std::chrono::duration_cast<Duration>(*read);
                if (rounded == *read) {
                  place = rounded;
                } else {
                  findings.add(value.position, "must be whole seconds");
                }
              },
          .write = [&place](Secrets) { return toml_string(print_duration(place)); }};
}

// Says which values there are and, when it is close enough, which was meant.
std::string unknown_choice(std::string_view text, const std::vector<std::string_view>& names);

template <class Enum, std::size_t Size>
Field choice(Enum& place, const std::array<std::pair<Enum, std::string_view>, Size>& choices) {
  return {.read =
              [&place, &choices](const Value& value, Findings& findings) {
                const std::string* text = expect_string(value, "a string", findings);
                if (text == nullptr) return;
                std::vector<std::string_view> names;
                for (const auto& [one, name] : choices) {
                  names.push_back(name);
                  if (name != *text) continue;
                  place = one;
                  return;
                }
                findings.add(value.position, unknown_choice(*text, names));
              },
          .write =
              [&place, &choices](Secrets) {
                for (const auto& [one, name] : choices) {
                  if (one == place) return toml_string(name);
                }
                return std::string("\"\"");
              }};
}

// A file or directory; a relative one is relative to `base`, a directory. "" stays "".
Field path(std::string& place, std::string base);
// The same, or a "pkcs11:" URI, whose pin-value is a secret.
Field key_reference(std::string& place, std::string base);

// How many edits turn one into the other: a character more, less, other, or two swapped.
std::size_t edit_distance(std::string_view left, std::string_view right);
// The name that was probably meant; empty when none is close.
std::string_view closest(std::string_view text, const std::vector<std::string_view>& names);

}  // namespace revcache::config
