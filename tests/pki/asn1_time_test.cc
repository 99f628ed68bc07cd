// RFC 5280 4.1.2.5.
#include "pki/asn1_time.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

struct Row {
  unsigned tag;
  std::string content;
  const char* rfc3339;  // nullptr: refused
};

const Row kRows[] = {
    {0x17, "261122101500Z", "2026-11-22T10:15:00Z"},
    {0x17, "491231235959Z", "2049-12-31T23:59:59Z"},
    {0x17, "500101000000Z", "1950-01-01T00:00:00Z"},
    {0x17, "991231235959Z", "1999-12-31T23:59:59Z"},
    {0x17, "000229000000Z", "2000-02-29T00:00:00Z"},
    {0x18, "20500101000000Z", "2050-01-01T00:00:00Z"},
    {0x18, "19700101000000Z", "1970-01-01T00:00:00Z"},
    {0x18, "00000101000000Z", "0000-01-01T00:00:00Z"},
    {0x18, "99991231235959Z", "9999-12-31T23:59:59Z"},
    {0x18, "20261122101500Z", "2026-11-22T10:15:00Z"},
    {0x17, "261122101560Z", nullptr},
    {0x17, "261122106000Z", nullptr},
    {0x17, "261122240000Z", nullptr},
    {0x17, "260229000000Z", nullptr},
    {0x18, "19000229000000Z", nullptr},
    {0x18, "21000229000000Z", nullptr},
    {0x17, "260431000000Z", nullptr},
    {0x17, "260400000000Z", nullptr},
    {0x17, "260001000000Z", nullptr},
    {0x17, "261301000000Z", nullptr},
    {0x17, "2611221015Z", nullptr},
    {0x17, "261122101500", nullptr},
    {0x17, "261122101500z", nullptr},
    {0x17, "261122101500+0000", nullptr},
    {0x17, "20261122101500Z", nullptr},
    {0x18, "261122101500Z", nullptr},
    {0x18, "20261122101500.5Z", nullptr},
    {0x18, "20261122101500+0100", nullptr},
    {0x17, "", nullptr},
    {0x16, "261122101500Z", nullptr},
};

TEST(Asn1Time, IsReadStrictly) {
  for (const Row& row : kRows) {
    const std::string text = der(row.tag, {row.content});
    DerReader reader(as_bytes(text));
    const auto time = read_time(reader, "a date");
    ASSERT_EQ(time.has_value(), row.rfc3339 != nullptr) << row.content;
    if (time) {
      EXPECT_EQ(rfc3339(*time), row.rfc3339);
      EXPECT_TRUE(reader.at_end());
    } else {
      EXPECT_EQ(describe_fault(reader, as_bytes(text)), "a date at offset 0");
    }
  }
}

TEST(Asn1Time, ADigitMayBeNothingElse) {
  for (std::size_t place = 0; place < 12; ++place) {
    for (unsigned octet = 0; octet < 256; ++octet) {
      std::string content = "111111111111Z";
      content[place] = static_cast<char>(octet);
      const bool read = time_of({kUtcTimeTag, {}, as_bytes(content)}).has_value();
      if (octet < '0' || octet > '9') {
        EXPECT_FALSE(read) << place << " " << octet;
      }
    }
  }
}

TEST(Asn1Time, EveryDayOfTheCalendarIsWhatTheStandardLibraryTakesItFor) {
  const std::chrono::sys_days first = std::chrono::year(0) / 1 / 1;
  const std::chrono::sys_days last = std::chrono::year(9999) / 12 / 31;
  for (auto day = first; day <= last; day += std::chrono::days(1)) {
    const WallSeconds time = day + std::chrono::seconds(86399);
    const std::string content = generalized_time(time);
    const auto read = time_of({kGeneralizedTimeTag, {}, as_bytes(content)});
    ASSERT_TRUE(read && *read == time) << content;
  }
}

// What look-ups decode is what the parser accepted.
TEST(Asn1Time, ACheckedUtcTimeIsReadAsAnyOther) {
  using namespace std::chrono;
  const WallSeconds first = sys_days{1950y / 1 / 1};
  const WallSeconds end = sys_days{2050y / 1 / 1};
  // A little more than a day, so that every time of the day comes by.
  for (WallSeconds at = first; at < end; at += 24h + 7min + 11s) {
    const std::string text = generalized_time(at).substr(2);
    ASSERT_EQ(checked_utc_time(as_bytes(text).data()), at) << text;
  }
}

TEST(Asn1Time, WhereOnlyGeneralizedTimeIsAllowedUtcTimeFails) {
  const std::string utc = der(0x17, {"261122101500Z"});
  DerReader utc_reader(as_bytes(utc));
  EXPECT_FALSE(read_generalized_time(utc_reader, "a date"));
  const std::string generalized = der(0x18, {"20261122101500Z"});
  DerReader reader(as_bytes(generalized));
  EXPECT_TRUE(read_generalized_time(reader, "a date"));
}

TEST(Asn1Time, IsWrittenWithinFourDigitsOfAYear) {
  const WallSeconds beyond = std::chrono::sys_days{std::chrono::year(10000) / 1 / 1};
  EXPECT_EQ(rfc3339(beyond), "9999-12-31T23:59:59Z");
  EXPECT_EQ(generalized_time(std::chrono::sys_days{std::chrono::year(2026) / 11 / 22}),
            "20261122000000Z");
}

}  // namespace
}  // namespace revcache::pki
