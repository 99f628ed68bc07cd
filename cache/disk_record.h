// The bytes that the disk tier writes (docs/formats.md, "Disk tier"). Pure: any bytes are accepted
// and judged, nothing is trusted before its checksum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/object_kind.h"
#include "base/result.h"
#include "cache/stored_response.h"

namespace revcache::cache {

// Written into every database; another value means another program wrote it.
inline constexpr std::uint32_t kDiskFormatVersion = 1;

// Bodies up to this size lie in their head's record: one read instead of two.
inline constexpr std::size_t kInlineBodyBytesMax = std::size_t{32} * 1024;

// Data records are ordered by the generation of their entry, then by part. A generation is given to
// each write once, upwards, and never again, also not after a crash.
inline constexpr std::uint32_t kHeadPart = UINT32_MAX;  // after the pieces, as it is written last

struct RecordKey {
  std::uint64_t generation = 0;
  std::uint32_t part = 0;  // number of a piece, or kHeadPart

  friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};
using RecordKeyBytes = std::array<char, 12>;

RecordKeyBytes encode_record_key(RecordKey key) noexcept;
std::optional<RecordKey> decode_record_key(std::string_view bytes) noexcept;

// What the index says about a cache key.
struct IndexValue {
  std::uint64_t generation = 0;       // of the head record
  std::uint64_t body_generation = 0;  // of the pieces; older than the head after a revalidation
  std::uint64_t entry_bytes = 0;      // of all its records; below 2^56
  ObjectKind kind = ObjectKind::other;
};
inline constexpr std::size_t kIndexValueBytes = 24;

std::string encode_index_key(std::string_view cache_key);
// The cache key in an index key; nullopt for the database's own keys.
std::optional<std::string_view> cache_key_of(std::string_view index_key) noexcept;
std::string encode_index_value(const IndexValue& value);
std::optional<IndexValue> decode_index_value(std::string_view bytes) noexcept;

// The head record of one entry.
struct HeadRecord {
  StoredResponse response;  // not finished; the body is not attached
  std::uint64_t body_generation = 0;
  std::optional<std::string_view> inline_body;  // inside the decoded bytes
};

// With the body inside when body_generation is `generation` and it is small enough.
std::string encode_head_record(const StoredResponse& response, std::uint64_t generation,
                               std::uint64_t body_generation);
// Fails with corrupt.
Result<HeadRecord> decode_head_record(std::string_view bytes, std::uint64_t generation);

// A piece is followed by its checksum, which covers where it belongs.
inline constexpr std::size_t kChecksumBytes = 16;
using Checksum = std::array<char, kChecksumBytes>;

Checksum piece_checksum(RecordKey key, std::string_view piece) noexcept;
// The piece inside `record`; fails with corrupt unless it has exactly `piece_bytes` and matches.
Result<std::string_view> checked_piece(RecordKey key, std::string_view record,
                                       std::uint64_t piece_bytes);

// Of a body of this length that is written together with its head: what does not lie in the head's
// record.
[[nodiscard]] constexpr std::uint64_t bytes_beside_head(std::uint64_t body_bytes) noexcept {
  return body_bytes <= kInlineBodyBytesMax ? 0 : body_bytes;
}

[[nodiscard]] std::uint64_t piece_count(std::uint64_t body_bytes) noexcept;
// Of piece `index` < piece_count(body_bytes).
[[nodiscard]] std::uint64_t piece_length(std::uint64_t body_bytes, std::uint64_t index) noexcept;

}  // namespace revcache::cache
