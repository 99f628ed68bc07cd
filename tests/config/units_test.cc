#include "config/units.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace revcache::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadDurationsWithTheirUnit) {
  const struct {
    std::string_view text;
    Milliseconds expected;
  } cases[] = {{"250ms", 250ms},    {"9s", 9s},   {"15m", 15min},       {"12h", 12h},
               {"30d", 720h},       {"0s", 0ms},  {"1h30m", 90min},     {"1d12h", 36h},
               {"1s500ms", 1500ms}, {"007s", 7s}, {"3653d", 24h * 3653}};
  for (const auto& one : cases) {
    const auto parsed = parse_duration(one.text);
    ASSERT_TRUE(parsed) << one.text;
    EXPECT_EQ(*parsed, one.expected) << one.text;
  }
}

TEST(Units, RefuseDurationsThatCouldBeMisread) {
  for (const std::string_view text :
       {"", "9", "s", "9 s", " 9s", "9s ", "-9s", "+9s", "9S", "9sec", "1.5s", "30m1h", "1m1m",
        "1s2", "3654d", "99999999999999999999d", "1e3s", "9223372036854775807h", "\0009s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Units, PrintDurationsInTheLargestExactUnit) {
  EXPECT_EQ(print_duration(0ms), "0s");
  EXPECT_EQ(print_duration(250ms), "250ms");
  EXPECT_EQ(print_duration(1500ms), "1500ms");
  EXPECT_EQ(print_duration(90s), "90s");
  EXPECT_EQ(print_duration(15min), "15m");
  EXPECT_EQ(print_duration(24h * 30), "30d");
}

TEST(Units, ReadSizesInBothFamilies) {
  const struct {
    std::string_view text;
    std::uint64_t expected;
  } cases[] = {{"0", 0},
               {"512", 512},
               {"512B", 512},
               {"64KiB", 65536},
               {"256MiB", 268435456},
               {"8GiB", 8589934592},
               {"1TiB", 1099511627776},
               {"10kB", 10000},
               {"10KB", 10000},
               {"10MB", 10000000},
               {"8GB", 8000000000},
               {"1TB", 1000000000000}};
  for (const auto& one : cases) {
    const auto parsed = parse_size(one.text);
    ASSERT_TRUE(parsed) << one.text;
    EXPECT_EQ(*parsed, one.expected) << one.text;
  }
}

TEST(Units, RefuseSizesThatCouldBeMisread) {
  for (const std::string_view text : {"", "MiB", "-1", "1.5GiB", "1 GiB", "1G", "1gib", "1Gb",
                                      "18446744073709551616", "99999999TiB", "1MiB1KiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Units, PrintSizesThatReadBackToTheSame) {
  for (const std::uint64_t bytes : {0ULL, 1ULL, 512ULL, 1000ULL, 1024ULL, 10000000ULL, 268435456ULL,
                                    8589934592ULL, 18446744073709551615ULL}) {
    EXPECT_EQ(parse_size(print_size(bytes)).value_or(42), bytes) << print_size(bytes);
  }
  EXPECT_EQ(print_size(268435456), "256MiB");
  EXPECT_EQ(print_size(10000000), "10MB");
}

TEST(Units, ReadRatesPerSecondMinuteAndHour) {
  EXPECT_DOUBLE_EQ(parse_rate("50/s")->per_second, 50);
  EXPECT_DOUBLE_EQ(parse_rate("90/m")->per_second, 1.5);
  EXPECT_DOUBLE_EQ(parse_rate("0.5/s")->per_second, 0.5);
  EXPECT_DOUBLE_EQ(parse_rate("0/s")->per_second, 0);
  EXPECT_DOUBLE_EQ(parse_rate("3600/h")->per_second, 1);
  EXPECT_EQ(print_rate(Rate{50}), "50/s");
  EXPECT_EQ(print_rate(Rate{1.5}), "1.5/s");
}

TEST(Units, RefuseWhatIsNoRate) {
  for (const std::string_view text : {"", "50", "/s", "50/", "50/d", "50s", "-1/s", "nan/s",
                                      "inf/s", "1e9/s", "2000000/s", "50 /s", "0x10/s"}) {
    EXPECT_FALSE(parse_rate(text)) << text;
  }
}

}  // namespace
}  // namespace revcache::config
