// A strict DER reader (X.690 section 10) over bytes that it does not own. For the small structures
// that are read on the hot path or from hostile peers; shared by the parsers of this module.
//
// Strict means: definite lengths in their shortest form, tags below 31, nothing behind what was
// asked for unless the caller looks for it. Whoever reads says which tag it expects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace revcache::pki {

// An identifier octet.
using Tag = std::uint8_t;

inline constexpr Tag kBooleanTag = 0x01;
inline constexpr Tag kIntegerTag = 0x02;
inline constexpr Tag kBitStringTag = 0x03;
inline constexpr Tag kOctetStringTag = 0x04;
inline constexpr Tag kNullTag = 0x05;
inline constexpr Tag kObjectIdentifierTag = 0x06;
inline constexpr Tag kEnumeratedTag = 0x0a;
inline constexpr Tag kUtcTimeTag = 0x17;
inline constexpr Tag kGeneralizedTimeTag = 0x18;
inline constexpr Tag kSequenceTag = 0x30;
inline constexpr Tag kSetTag = 0x31;

// [n] EXPLICIT, or IMPLICIT of a constructed type. n below 31.
constexpr Tag context_constructed(std::uint8_t number) noexcept {
  return static_cast<Tag>(0xa0U | number);
}
// [n] IMPLICIT of a primitive type. n below 31.
constexpr Tag context_primitive(std::uint8_t number) noexcept {
  return static_cast<Tag>(0x80U | number);
}

// One element: views into the bytes that were read.
struct DerElement {
  Tag tag = kNullTag;
  ByteView whole;  // with tag and length
  ByteView content;
};

// Reads elements one after another. After the first fault fault() and position() say what and
// where, and everything further fails. Copying a reader copies its place.
class DerReader {
 public:
  explicit DerReader(ByteView bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] bool next_is(Tag tag) const noexcept {
    return !rest_.empty() && rest_.front() == tag;
  }

  // The next element, whatever its tag.
  std::optional<DerElement> read_any() noexcept;
  // The next element, which must have this tag. `what` is static, for fault().
  std::optional<DerElement> read(Tag tag, std::string_view what) noexcept;
  // nullopt without a fault when the next element has another tag or there is none.
  std::optional<DerElement> read_optional(Tag tag) noexcept;

  // X.690 8.3.2 and 11.1.
  std::optional<ByteView> read_integer(std::string_view what) noexcept;  // content, minimal
  std::optional<bool> read_boolean(std::string_view what) noexcept;      // 0x00 or 0xff
  // Nothing may be left.
  bool expect_end(std::string_view what) noexcept;

  // Marks the reader as failed here. Always false.
  bool fail_at(std::string_view what) noexcept;
  // Takes over the fault of a reader of nested content. Always false.
  bool adopt(const DerReader& nested) noexcept;

  [[nodiscard]] bool ok() const noexcept { return fault_.empty(); }
  [[nodiscard]] std::string_view fault() const noexcept { return fault_; }
  // Where the next element begins, or the one that is at fault.
  [[nodiscard]] const std::uint8_t* position() const noexcept { return rest_.data(); }

 private:
  ByteView rest_;
  std::string_view fault_;
};

// "a CertID was expected at offset 12", the offset counted from the start of `der`.
std::string describe_fault(const DerReader& reader, ByteView der);

// X.690 8.19: at least one subidentifier, each in its shortest form.
bool is_object_identifier(ByteView content) noexcept;

bool equal(ByteView left, ByteView right) noexcept;

}  // namespace revcache::pki
