#include "pki/der.h"

#include <algorithm>

namespace revcache::pki {
namespace {

constexpr unsigned kLongForm = 0x80;
constexpr unsigned kHighTagNumber = 0x1f;
constexpr std::size_t kLengthOctetsMax = 4;

}  // namespace

std::optional<DerElement> DerReader::read_any() noexcept {
  if (!ok()) return std::nullopt;
  if (rest_.size() < 2) {
    fail_at("an element that is cut off");
    return std::nullopt;
  }
  if ((rest_[0] & kHighTagNumber) == kHighTagNumber) {
    fail_at("a tag number above 30");
    return std::nullopt;
  }
  std::size_t header = 2;
  std::size_t length = rest_[1];
  if (length >= kLongForm) {
    const std::size_t octets = length - kLongForm;
    if (octets == 0 || octets > kLengthOctetsMax || rest_.size() < header + octets) {
      fail_at("an indefinite, oversized or cut off length");
      return std::nullopt;
    }
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8U | rest_[header + i];
    const bool shortest = rest_[header] != 0 && length >= kLongForm;
    if (!shortest) {
      fail_at("a length that is not in its shortest form");
      return std::nullopt;
    }
    header += octets;
  }
  if (length > rest_.size() - header) {
    fail_at("an element that is cut off");
    return std::nullopt;
  }
  const DerElement element{rest_[0], rest_.first(header + length), rest_.subspan(header, length)};
  rest_ = rest_.subspan(header + length);
  return element;
}

std::optional<DerElement> DerReader::read(Tag tag, std::string_view what) noexcept {
  if (!ok()) return std::nullopt;
  if (!next_is(tag)) {
    fail_at(what);
    return std::nullopt;
  }
  return read_any();
}

std::optional<DerElement> DerReader::read_optional(Tag tag) noexcept {
  if (!next_is(tag)) return std::nullopt;
  return read_any();
}

std::optional<ByteView> DerReader::read_integer(std::string_view what) noexcept {
  const DerReader start = *this;
  const auto element = read(kIntegerTag, what);
  if (!element) return std::nullopt;
  const ByteView content = element->content;
  bool minimal = !content.empty();
  if (content.size() > 1) {
    const bool redundant_zero = content[0] == 0x00 && content[1] < 0x80;
    const bool redundant_ones = content[0] == 0xff && content[1] >= 0x80;
    minimal = !redundant_zero && !redundant_ones;
  }
  if (minimal) return content;
  *this = start;
  fail_at("an INTEGER that is not in its shortest form");
  return std::nullopt;
}

std::optional<bool> DerReader::read_boolean(std::string_view what) noexcept {
  const DerReader start = *this;
  const auto element = read(kBooleanTag, what);
  if (!element) return std::nullopt;
  const ByteView content = element->content;
  if (content.size() == 1 && (content[0] == 0x00 || content[0] == 0xff)) return content[0] != 0;
  *this = start;
  fail_at("a BOOLEAN that is neither 00 nor ff");
  return std::nullopt;
}

bool DerReader::expect_end(std::string_view what) noexcept {
  if (!ok()) return false;
  return at_end() || fail_at(what);
}

bool DerReader::fail_at(std::string_view what) noexcept {
  if (ok()) fault_ = what;
  return false;
}

bool DerReader::adopt(const DerReader& nested) noexcept {
  if (ok()) *this = nested;
  return false;
}

std::string describe_fault(const DerReader& reader, ByteView der) {
  std::string text(reader.fault());
  return text + " at offset " + std::to_string(reader.position() - der.data());
}

bool is_object_identifier(ByteView content) noexcept {
  if (content.empty() || (content.back() & 0x80U) != 0) return false;
  bool first_of_subidentifier = true;
  return std::ranges::all_of(content, [&](std::uint8_t octet) {
    const bool padded = first_of_subidentifier && octet == 0x80;
    first_of_subidentifier = (octet & 0x80U) == 0;
    return !padded;
  });
}

bool equal(ByteView left, ByteView right) noexcept { return std::ranges::equal(left, right); }

}  // namespace revcache::pki
