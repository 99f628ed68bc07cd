#include "cache/disk_record.h"

#include <gtest/gtest.h>

#include <string>

#include "cache/tier.h"
#include "tests/cache/tier_entries.h"

namespace revcache::cache {
namespace {

using testing::noise;
using testing::numbered_entry;

std::string text_of(const RecordKeyBytes& bytes) { return {bytes.data(), bytes.size()}; }

TEST(DiskRecord, KeysSortByGenerationThenPartWithTheHeadLast) {
  const std::vector<RecordKey> ascending{
      {1, 0}, {1, 1},   {1, 255}, {1, 256},         {1, kHeadPart},
      {2, 0}, {255, 7}, {256, 0}, {1ULL << 40U, 0}, {UINT64_MAX, kHeadPart}};
  for (std::size_t i = 0; i + 1 < ascending.size(); ++i) {
    EXPECT_LT(text_of(encode_record_key(ascending[i])),
              text_of(encode_record_key(ascending[i + 1])));
    EXPECT_EQ(decode_record_key(text_of(encode_record_key(ascending[i]))), ascending[i]);
  }
  EXPECT_EQ(decode_record_key("short"), std::nullopt);
  EXPECT_EQ(decode_record_key("thirteen octs"), std::nullopt);
}

TEST(DiskRecord, IndexKeysAreApartFromTheDatabasesOwn) {
  EXPECT_EQ(cache_key_of(encode_index_key("http://a/")), "http://a/");
  EXPECT_EQ(cache_key_of(encode_index_key("")), "");
  EXPECT_EQ(cache_key_of("m:format"), std::nullopt);
  EXPECT_EQ(cache_key_of(""), std::nullopt);
}

TEST(DiskRecord, AnIndexValueKnowsTheKindBesideTheOctets) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 56U) - 1;
  for (std::size_t kind = 0; kind < kObjectKinds; ++kind) {
    const auto value = decode_index_value(
        encode_index_value({.entry_bytes = kMost - kind, .kind = static_cast<ObjectKind>(kind)}));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->kind, static_cast<ObjectKind>(kind));
    EXPECT_EQ(value->entry_bytes, kMost - kind);
  }
  std::string bytes = encode_index_value({.entry_bytes = 3, .kind = ObjectKind::crl});
  bytes[16] = '\0';  // written without a kind
  ASSERT_TRUE(decode_index_value(bytes));
  EXPECT_EQ(decode_index_value(bytes)->kind, ObjectKind::other);
  bytes[16] = static_cast<char>(kObjectKinds + 1);
  EXPECT_FALSE(decode_index_value(bytes));
}

TEST(DiskRecord, AnIndexValueOfAnotherLengthIsRefused) {
  const std::string bytes =
      encode_index_value({.generation = 1, .body_generation = UINT64_MAX, .entry_bytes = 3});
  const auto value = decode_index_value(bytes);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->generation, 1U);
  EXPECT_EQ(value->body_generation, UINT64_MAX);
  EXPECT_EQ(value->entry_bytes, 3U);
  EXPECT_FALSE(decode_index_value(bytes + "x"));
  EXPECT_FALSE(decode_index_value(bytes.substr(1)));
  EXPECT_FALSE(decode_index_value(""));
}

TEST(DiskRecord, ASmallBodyLiesInItsHeadRecordAndALargerOneDoesNot) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kInlineBodyBytesMax}) {
    const auto entry = numbered_entry(1, size);
    const std::string bytes = encode_head_record(*entry, 7, 7);
    const auto record = decode_head_record(bytes, 7);
    ASSERT_TRUE(record) << record.error().detail;
    EXPECT_EQ(record->response.key, entry->key);
    EXPECT_EQ(record->body_generation, 7U);
    ASSERT_TRUE(record->inline_body);
    EXPECT_EQ(*record->inline_body, entry->body.text());
  }
  const auto large = numbered_entry(1, kInlineBodyBytesMax + 1);
  const auto record = decode_head_record(encode_head_record(*large, 7, 7), 7);
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->inline_body);
  EXPECT_EQ(record->response.body_bytes, kInlineBodyBytesMax + 1);
}

TEST(DiskRecord, EveryDamagedOctetOfAHeadRecordIsNoticed) {
  const std::string bytes = encode_head_record(*numbered_entry(1, 200), 7, 7);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const unsigned bit : {0U, 3U, 7U}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(static_cast<unsigned char>(damaged[i]) ^ (1U << bit));
      const auto record = decode_head_record(damaged, 7);
      ASSERT_FALSE(record) << "octet " << i << " bit " << bit;
      EXPECT_EQ(record.error().code, ErrorCode::corrupt);
    }
  }
}

TEST(DiskRecord, AHeadRecordCutOrExtendedIsNoticed) {
  const std::string bytes = encode_head_record(*numbered_entry(1, 200), 7, 7);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_FALSE(decode_head_record(bytes.substr(0, length), 7)) << length;
  }
  EXPECT_FALSE(decode_head_record(bytes + '\0', 7));
}

TEST(DiskRecord, ARecordInThePlaceOfAnotherIsNoticed) {
  EXPECT_FALSE(decode_head_record(encode_head_record(*numbered_entry(1, 200), 7, 7), 8));

  const std::string piece = noise(1, 1000);
  const RecordKey key{.generation = 7, .part = 3};
  const Checksum checksum = piece_checksum(key, piece);
  const std::string record = piece + std::string(checksum.data(), checksum.size());
  EXPECT_EQ(checked_piece(key, record, 1000), piece);
  EXPECT_FALSE(checked_piece({.generation = 7, .part = 2}, record, 1000));
  EXPECT_FALSE(checked_piece({.generation = 6, .part = 3}, record, 1000));
}

TEST(DiskRecord, ADamagedCutOrExtendedPieceIsNoticed) {
  const std::string piece = noise(1, 100);
  const RecordKey key{.generation = 7, .part = 3};
  const Checksum checksum = piece_checksum(key, piece);
  const std::string record = piece + std::string(checksum.data(), checksum.size());
  for (std::size_t i = 0; i < record.size(); ++i) {
    std::string damaged = record;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ASSERT_FALSE(checked_piece(key, damaged, 100)) << i;
    ASSERT_FALSE(checked_piece(key, record.substr(0, i), 100)) << i;
  }
  EXPECT_FALSE(checked_piece(key, record, 99));
  EXPECT_FALSE(checked_piece(key, record, 101));
}

TEST(DiskRecord, CountsPiecesOfOneMebibyte) {
  struct Case {
    std::uint64_t body_bytes, pieces, last_bytes;
  };
  for (const Case& c :
       {Case{1, 1, 1}, Case{kPieceBytes - 1, 1, kPieceBytes - 1}, Case{kPieceBytes, 1, kPieceBytes},
        Case{kPieceBytes + 1, 2, 1}, Case{3 * kPieceBytes, 3, kPieceBytes}}) {
    EXPECT_EQ(piece_count(c.body_bytes), c.pieces);
    EXPECT_EQ(piece_length(c.body_bytes, c.pieces - 1), c.last_bytes);
  }
  EXPECT_EQ(piece_count(0), 0U);
  EXPECT_EQ(piece_count(UINT64_MAX), (UINT64_MAX >> 20U) + 1) << "no overflow";
}

}  // namespace
}  // namespace revcache::cache
