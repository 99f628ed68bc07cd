#include "revocation/refresh_record.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace revcache::revocation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kUrl = "http://cdn.test/current.crl";

RefreshRecord full_record() {
  return {.dates = EvidenceDates{WallSeconds(seconds(1'772'442'000)),
                                 WallSeconds(seconds(1'773'046'800)),
                                 WallSeconds(seconds(1'772'744'400))},
          .last_attempt = WallTime(milliseconds(1'772'500'000'123)),
          .last_success = WallTime(milliseconds(1'772'490'000'456)),
          .last_asked = WallTime(milliseconds(-5)),
          .last_outcome = RefreshOutcome::refused,
          .consecutive_failures = 4'000'000'000};
}

TEST(RefreshRecord, ComesBackAsItWas) {
  RefreshRecord without_publish = full_record();
  without_publish.dates->next_publish.reset();
  RefreshRecord without_dates = full_record();
  without_dates.dates.reset();
  RefreshRecord only_asked;
  only_asked.last_asked = WallTime(milliseconds(77));
  for (const auto& record :
       {RefreshRecord{}, full_record(), without_publish, without_dates, only_asked}) {
    const auto bytes = encode_refresh_record(kUrl, record);
    EXPECT_EQ(bytes.size(), kRefreshRecordBytes);
    const auto decoded = decode_refresh_record(kUrl, bytes);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().detail;
    EXPECT_EQ(*decoded, record);
  }
}

// A change of layout needs a new version number: these octets are on disks.
TEST(RefreshRecord, KeepsItsLayout) {
  const auto bytes = encode_refresh_record(kUrl, full_record());
  std::string hex;
  for (const char octet : bytes.substr(0, 15)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(octet);
    hex += kDigits[value >> 4U];
    hex += kDigits[value & 0xfU];
  }
  EXPECT_EQ(hex, "011f03ee6b28000000000069a55190");
}

TEST(RefreshRecord, EveryFlippedBitIsNoticed) {
  const auto bytes = encode_refresh_record(kUrl, full_record());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(damaged[bit / 8]) ^ (1U << (bit % 8)));
    const auto decoded = decode_refresh_record(kUrl, damaged);
    ASSERT_FALSE(decoded.has_value()) << bit;
    EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
  }
}

TEST(RefreshRecord, EveryOtherLengthIsNoticed) {
  const auto bytes = encode_refresh_record(kUrl, full_record());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(decode_refresh_record(kUrl, bytes.substr(0, length)).has_value()) << length;
  }
  EXPECT_FALSE(decode_refresh_record(kUrl, bytes + '\0').has_value());
}

TEST(RefreshRecord, OfAnotherUrlDoesNotMatch) {
  const auto bytes = encode_refresh_record(kUrl, full_record());
  EXPECT_FALSE(decode_refresh_record("http://cdn.test/other.crl", bytes).has_value());
}

TEST(RefreshRecord, WithATimeThatWouldOverflowIsDamaged) {
  for (const auto next_update : {WallSeconds::max(), WallSeconds::min()}) {
    auto record = full_record();
    record.dates->next_update = next_update;
    EXPECT_FALSE(decode_refresh_record(kUrl, encode_refresh_record(kUrl, record)).has_value());
  }
}

}  // namespace
}  // namespace revcache::revocation
