// The Range field with the unit "bytes" (RFC 9110 section 14.1.2). Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace revcache::cache {

enum class RangeOutcome : std::uint8_t {
  ignored,  // not understood, several ranges, or nothing to choose from: answer in full
  satisfiable,
  unsatisfiable,  // 416
};

struct ByteRange {
  RangeOutcome outcome = RangeOutcome::ignored;
  std::uint64_t first = 0;  // when satisfiable: inclusive, first <= last < length
  std::uint64_t last = 0;
};

//   bytes-ranges = "bytes" "=" ( first "-" [ last ] / "-" suffix-length )
// One range. Another unit, several ranges and anything malformed are ignored, as a server may
// (14.2). Numbers too large to represent count as larger than any body.
ByteRange parse_byte_range(std::string_view value, std::uint64_t length) noexcept;

}  // namespace revcache::cache
