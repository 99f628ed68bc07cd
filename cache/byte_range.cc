#include "cache/byte_range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "http/characters.h"
#include "http/message.h"

namespace revcache::cache {
namespace {

constexpr ByteRange kIgnored{};
constexpr ByteRange kUnsatisfiable{.outcome = RangeOutcome::unsatisfiable};

// 1*DIGIT; the largest number there is when it does not fit.
std::optional<std::uint64_t> position(std::string_view text) noexcept {
  if (text.empty() || !std::ranges::all_of(text, http::is_digit)) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? value : std::numeric_limits<std::uint64_t>::max();
}

// The only element of a list with empty elements around it (RFC 9110 5.6.1.2); empty when there
// are several.
std::string_view only_element(std::string_view list) noexcept {
  std::string_view only;
  while (!list.empty()) {
    const std::string_view element = http::next_element(list);
    if (element.empty()) continue;
    if (!only.empty()) return {};
    only = element;
  }
  return only;
}

ByteRange suffix_range(std::string_view digits, std::uint64_t length) noexcept {
  const auto suffix = position(digits);
  if (!suffix) return kIgnored;
  if (*suffix == 0) return kUnsatisfiable;
  // The last octets of nothing: satisfiable by 14.1.2, but no Content-Range can say so.
  if (length == 0) return kIgnored;
  return {RangeOutcome::satisfiable, length - std::min(*suffix, length), length - 1};
}

}  // namespace

ByteRange parse_byte_range(std::string_view value, std::uint64_t length) noexcept {
  const std::size_t equals = value.find('=');
  if (equals == std::string_view::npos) return kIgnored;
  if (!http::equals_ignoring_case(value.substr(0, equals), "bytes")) return kIgnored;
  const std::string_view range = only_element(value.substr(equals + 1));
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return kIgnored;
  if (dash == 0) return suffix_range(range.substr(1), length);

  const auto first = position(range.substr(0, dash));
  const std::string_view last_text = range.substr(dash + 1);
  const auto last =
      last_text.empty() ? std::numeric_limits<std::uint64_t>::max() : position(last_text);
  if (!first || !last || *last < *first) return kIgnored;
  if (*first >= length) return kUnsatisfiable;
  return {RangeOutcome::satisfiable, *first, std::min(*last, length - 1)};
}

}  // namespace revcache::cache
