// RFC 9110 5.6.7, RFC 9111 4.2.
#include "http/date.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::http {
namespace {

using std::chrono::seconds;

constexpr WallSeconds kNow{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};
constexpr WallSeconds kExample{seconds{784111777}};  // 1994-11-06 08:49:37

struct Case {
  const char* text;
  std::optional<long long> expected;
};

const Case kCases[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Sun Nov 06 08:49:37 1994", 784111777},
    {"Wed Nov 16 08:49:37 1994", 784975777},
    // Case does not matter to a cache; nor does a day name that does not fit the date.
    {"sun, 06 nov 1994 08:49:37 gmt", 784111777},
    {"SUNDAY, 06-NOV-94 08:49:37 GMT", 784111777},
    {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648LL},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799LL},
    {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},  // a leap second
    // Two digits of a year: more than 50 years ahead is past.
    {"Monday, 15-Jun-26 00:00:00 GMT", 1781481600},
    {"Sunday, 14-Jun-76 00:00:00 GMT", 3359318400LL},
    {"Sunday, 31-Dec-76 00:00:00 GMT", 220838400},
    {"Friday, 31-Dec-77 00:00:00 GMT", 252374400},
    {"Thursday, 31-Dec-99 00:00:00 GMT", 946598400},
    {"Friday, 01-Jan-00 00:00:00 GMT", 946684800},
    // Refused.
    {"", std::nullopt},
    {"0", std::nullopt},
    {"-1", std::nullopt},
    {"784111777", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:37 UTC", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:37 EST", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:37 +0000", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:37", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", std::nullopt},
    {" Sun, 06 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:37 GMT; length=5", std::nullopt},
    {"Sun, 6 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sun, 06 Nov 94 08:49:37 GMT", std::nullopt},
    {"Sun, 06 Nov 1994 8:49:37 GMT", std::nullopt},
    {"Sun, 06 Nov 1994 24:00:00 GMT", std::nullopt},
    {"Sun, 06 Nov 1994 08:60:37 GMT", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:61 GMT", std::nullopt},
    {"Sun, 06 Nov 1994 08.49.37 GMT", std::nullopt},
    {"Sun, 06-Nov-1994 08:49:37 GMT", std::nullopt},
    {"Sun 06 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sun,06 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sun,  06 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sun, 00 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sun, 31 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sun, 29 Feb 1900 08:49:37 GMT", std::nullopt},
    {"Sun, 06 Nox 1994 08:49:37 GMT", std::nullopt},
    {"Xyz, 06 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Su, 06 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sunday, 06 Nov 1994 08:49:37 GMT", std::nullopt},
    {"Sund, 06-Nov-94 08:49:37 GMT", std::nullopt},
    {"Sundax, 06-Nov-94 08:49:37 GMT", std::nullopt},
    {"Sundayx, 06-Nov-94 08:49:37 GMT", std::nullopt},
    {"Sun, 06 N", std::nullopt},
    {"Sun, 06 No 1994 08:49:37 GMT", std::nullopt},
    {"Sun, 06-Nov-94 08:49:37 GMT", std::nullopt},
    {"Sunday, 06-Nov-1994 08:49:37 GMT", std::nullopt},
    {"Sun Nov 6 08:49:37 1994", std::nullopt},
    {"Sun Nov  6 08:49:37 1994 GMT", std::nullopt},
    {"Sun Nov 16 08:49:37 94", std::nullopt},
    {"1994-11-06T08:49:37Z", std::nullopt},
    {"Sun, 06 Nov 1994 08:49:3", std::nullopt},
};

TEST(Date, IsReadInThreeFormsAndNoOther) {
  for (const Case& row : kCases) {
    const auto time = parse_date(row.text, kNow);
    ASSERT_EQ(time.has_value(), row.expected.has_value()) << row.text;
    if (time) {
      EXPECT_EQ(time->time_since_epoch().count(), *row.expected) << row.text;
    }
  }
}

TEST(Date, IsWrittenAsImfFixdate) {
  EXPECT_EQ(date_text(kExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date_text(WallSeconds{}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_text(WallSeconds{seconds{-1}}), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(date_text(WallSeconds{seconds{253402300799}}), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(Date, StaysWithinFourDigitsOfAYear) {
  EXPECT_EQ(date_text(WallSeconds{seconds{253402300800}}), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date_text(WallSeconds{seconds{-99999999999}}), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(Date, ReadsWhatItWrites) {
  for (long long second = -62167219200; second < 253402300799; second += 86399 * 997) {
    const WallSeconds time{seconds{second}};
    EXPECT_EQ(parse_date(date_text(time), kNow), time) << date_text(time);
  }
}

}  // namespace
}  // namespace revcache::http
