#include "cache/disk_record.h"

#include <xxhash.h>

#include <algorithm>
#include <concepts>
#include <utility>

#include "base/check.h"
#include "cache/tier.h"

namespace revcache::cache {
namespace {

constexpr char kIndexPrefix = 'k';
constexpr unsigned kEntryBytesBits = 56;  // of the index value; above them is the kind
constexpr char kHeadRecordVersion = 1;
constexpr std::size_t kHeadRecordPrefixBytes = 1 + 8 + 8 + 4;

template <std::unsigned_integral T>
void put_big_endian(T value, char* out) noexcept {
  for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8U)) {
    out[i] = static_cast<char>(value & 0xffU);
  }
}

// `bytes` has sizeof(T) octets at least.
template <std::unsigned_integral T>
T get_big_endian(std::string_view bytes) noexcept {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

template <std::unsigned_integral T>
void append_big_endian(T value, std::string& out) {
  std::array<char, sizeof(T)> bytes{};
  put_big_endian(value, bytes.data());
  out.append(bytes.data(), bytes.size());
}

// Seeded by the record's own key: a record in the place of another one does not match.
Checksum checksum_at(RecordKey key, std::string_view bytes) noexcept {
  const RecordKeyBytes place = encode_record_key(key);
  const XXH64_hash_t seed = XXH3_64bits(place.data(), place.size());
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  Checksum out{};
  put_big_endian(std::uint64_t{hash.high64}, out.data());
  put_big_endian(std::uint64_t{hash.low64}, out.data() + sizeof(std::uint64_t));
  return out;
}

bool matches(const Checksum& checksum, std::string_view bytes) noexcept {
  return std::string_view(checksum.data(), checksum.size()) == bytes;
}

std::unexpected<Error> corrupt(std::string detail) {
  return fail(ErrorCode::corrupt, Blame::local, std::move(detail));
}

}  // namespace

RecordKeyBytes encode_record_key(RecordKey key) noexcept {
  RecordKeyBytes bytes{};
  put_big_endian(key.generation, bytes.data());
  put_big_endian(key.part, bytes.data() + sizeof(key.generation));
  return bytes;
}

std::optional<RecordKey> decode_record_key(std::string_view bytes) noexcept {
  if (bytes.size() != std::tuple_size_v<RecordKeyBytes>) return std::nullopt;
  return RecordKey{.generation = get_big_endian<std::uint64_t>(bytes),
                   .part = get_big_endian<std::uint32_t>(bytes.substr(8))};
}

std::string encode_index_key(std::string_view cache_key) {
  std::string out;
  out.reserve(1 + cache_key.size());
  out += kIndexPrefix;
  out += cache_key;
  return out;
}

std::optional<std::string_view> cache_key_of(std::string_view index_key) noexcept {
  if (index_key.empty() || index_key.front() != kIndexPrefix) return std::nullopt;
  return index_key.substr(1);
}

std::string encode_index_value(const IndexValue& value) {
  std::string out;
  out.reserve(kIndexValueBytes);
  append_big_endian(value.generation, out);
  append_big_endian(value.body_generation, out);
  CHECK(value.entry_bytes < std::uint64_t{1} << kEntryBytesBits);
  const auto kind = static_cast<std::uint64_t>(value.kind) + 1;
  append_big_endian(kind << kEntryBytesBits | value.entry_bytes, out);
  return out;
}

std::optional<IndexValue> decode_index_value(std::string_view bytes) noexcept {
  if (bytes.size() != kIndexValueBytes) return std::nullopt;
  const auto kind_and_bytes = get_big_endian<std::uint64_t>(bytes.substr(16));
  const std::uint64_t kind = kind_and_bytes >> kEntryBytesBits;
  if (kind > kObjectKinds) return std::nullopt;
  return IndexValue{.generation = get_big_endian<std::uint64_t>(bytes),
                    .body_generation = get_big_endian<std::uint64_t>(bytes.substr(8)),
                    .entry_bytes = kind_and_bytes & ((std::uint64_t{1} << kEntryBytesBits) - 1),
                    .kind = kind == 0 ? ObjectKind::other : static_cast<ObjectKind>(kind - 1)};
}

std::string encode_head_record(const StoredResponse& response, std::uint64_t generation,
                               std::uint64_t body_generation) {
  const std::string head = encode_head(response);
  CHECK(head.size() <= UINT32_MAX);
  const bool inlined = body_generation == generation && response.body_bytes <= kInlineBodyBytesMax;
  std::string out;
  out.reserve(kHeadRecordPrefixBytes + head.size() + kInlineBodyBytesMax + kChecksumBytes);
  out += kHeadRecordVersion;
  append_big_endian(body_generation, out);
  append_big_endian(response.body_bytes, out);
  append_big_endian(static_cast<std::uint32_t>(head.size()), out);
  out += head;
  if (inlined) out += response.body.text();
  const Checksum checksum = checksum_at({.generation = generation, .part = kHeadPart}, out);
  out.append(checksum.data(), checksum.size());
  return out;
}

Result<HeadRecord> decode_head_record(std::string_view bytes, std::uint64_t generation) {
  if (bytes.size() < kHeadRecordPrefixBytes + kChecksumBytes)
    return corrupt("head record too short");
  const std::string_view content = bytes.substr(0, bytes.size() - kChecksumBytes);
  const Checksum expected = checksum_at({.generation = generation, .part = kHeadPart}, content);
  if (!matches(expected, bytes.substr(content.size()))) return corrupt("head record checksum");
  if (content.front() != kHeadRecordVersion) return corrupt("head record version");

  const auto body_generation = get_big_endian<std::uint64_t>(content.substr(1));
  const auto body_bytes = get_big_endian<std::uint64_t>(content.substr(9));
  const auto head_bytes = get_big_endian<std::uint32_t>(content.substr(17));
  const std::string_view rest = content.substr(kHeadRecordPrefixBytes);
  if (head_bytes > rest.size()) return corrupt("head length");
  const bool inlined = body_generation == generation && body_bytes <= kInlineBodyBytesMax;
  if (rest.size() - head_bytes != (inlined ? body_bytes : 0)) return corrupt("body length");

  Result<StoredResponse> response = decode_head(rest.substr(0, head_bytes));
  if (!response) return fail(std::move(response));
  response->body_bytes = body_bytes;
  HeadRecord record{.response = std::move(*response),
                    .body_generation = body_generation,
                    .inline_body = std::nullopt};
  if (inlined) record.inline_body = rest.substr(head_bytes);
  return record;
}

Checksum piece_checksum(RecordKey key, std::string_view piece) noexcept {
  return checksum_at(key, piece);
}

Result<std::string_view> checked_piece(RecordKey key, std::string_view record,
                                       std::uint64_t piece_bytes) {
  if (record.size() != piece_bytes + kChecksumBytes) return corrupt("piece length");
  const std::string_view piece = record.substr(0, record.size() - kChecksumBytes);
  if (!matches(checksum_at(key, piece), record.substr(piece.size()))) {
    return corrupt("piece checksum");
  }
  return piece;
}

std::uint64_t piece_count(std::uint64_t body_bytes) noexcept {
  return body_bytes / kPieceBytes + (body_bytes % kPieceBytes == 0 ? 0 : 1);
}

std::uint64_t piece_length(std::uint64_t body_bytes, std::uint64_t index) noexcept {
  return std::min<std::uint64_t>(kPieceBytes, body_bytes - index * kPieceBytes);
}

}  // namespace revcache::cache
