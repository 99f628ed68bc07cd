#include "metrics/log_line.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>

namespace revcache::metrics {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

std::string value_line(LogFormat format, std::string_view value) {
  LogLine line(format, WallTime{0ms}, LogLevel::info, "e");
  line.add("v", value);
  const std::string text = std::move(line).take();
  return text.substr(text.find(format == LogFormat::json ? "\"v\":" : "v=", 40));
}

TEST(LogLine, IsOneJsonObject) {
  LogLine line(LogFormat::json, WallTime{1700000000123ms}, LogLevel::warning, "upstream failed");
  line.add("host", "crl.example.com");
  line.add("attempt", std::int64_t{2});
  line.add("elapsed_ms", 1.25);
  line.add("stale", true);
  line.add("nothing", std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(
      std::move(line).take(),
      "{\"ts\":\"2023-11-14T22:13:20.123Z\",\"level\":\"warning\",\"event\":\"upstream "
      "failed\",\"host\":\"crl.example.com\",\"attempt\":2,\"elapsed_ms\":1.25,\"stale\":true,"
      "\"nothing\":null}\n");
}

TEST(LogLine, IsLogfmt) {
  LogLine line(LogFormat::logfmt, WallTime{1700000000123ms}, LogLevel::error, "upstream failed");
  line.add("host", "crl.example.com");
  line.add("attempt", std::int64_t{-2});
  line.add("stale", false);
  EXPECT_EQ(std::move(line).take(),
            "ts=2023-11-14T22:13:20.123Z level=error event=\"upstream failed\" "
            "host=crl.example.com attempt=-2 stale=false\n");
}

TEST(LogLine, QuotesInLogfmtWhatWouldBeReadAsSyntax) {
  EXPECT_EQ(value_line(LogFormat::logfmt, "plain"), "v=plain\n");
  EXPECT_EQ(value_line(LogFormat::logfmt, ""), "v=\"\"\n");
  EXPECT_EQ(value_line(LogFormat::logfmt, "a b"), "v=\"a b\"\n");
  EXPECT_EQ(value_line(LogFormat::logfmt, "a=b"), "v=\"a=b\"\n");
  EXPECT_EQ(value_line(LogFormat::logfmt, "a\"b"), "v=\"a\\\"b\"\n");
  EXPECT_EQ(value_line(LogFormat::logfmt, "a\\b"), "v=\"a\\\\b\"\n");
  EXPECT_EQ(value_line(LogFormat::logfmt, "a\nlevel=error"), "v=\"a\\nlevel=error\"\n");
}

TEST(LogLine, EscapesControlCharactersOfEveryKind) {
  EXPECT_EQ(escaped("a\"b\\c\nd\re\tf"), R"(a\"b\\c\nd\re\tf)");
  EXPECT_EQ(escaped("\0\x1b[31m\x7f"sv), R"(\u0000\u001b[31m\u007f)");
  EXPECT_EQ(escaped("\xc2\x9b"
                    "31m"),
            R"(\u009b31m)");  // C1: CSI in one character
  EXPECT_EQ(escaped("\xe2\x80\xae"
                    "gnp"),
            R"(\u202egnp)");                        // right-to-left override
  EXPECT_EQ(escaped("\xe2\x80\xa8"), R"(\u2028)");  // line separator
}

TEST(LogLine, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(escaped("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
  const std::string_view replacement = "\xef\xbf\xbd";
  for (const std::string_view bad :
       {"\x80"sv, "\xff"sv, "\xc3"sv, "\xc0\xaf"sv, "\xe0\x80\xaf"sv, "\xed\xa0\x80"sv,
        "\xf4\x90\x80\x80"sv, "\xf8\x88\x80\x80\x80"sv, "\xe2\x80"sv}) {
    std::string expected;
    for (std::size_t at = 0; at < bad.size(); ++at) expected += replacement;
    EXPECT_EQ(escaped(bad), expected) << testing::PrintToString(bad);
  }
  EXPECT_EQ(escaped("\xc3"
                    "A"),
            std::string(replacement) + "A");
}

TEST(LogLine, EveryOctetGivesOneLineWithoutControlCharacters) {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  for (const LogFormat format : {LogFormat::json, LogFormat::logfmt}) {
    const std::string line = value_line(format, all);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    for (const char c : line.substr(0, line.size() - 1)) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20U);
    }
  }
}

TEST(LogLine, CutsLongValuesBetweenCharacters) {
  std::string text(kLogValueBytesMax - 1, 'a');
  text += "\xc3\xbc tail";
  EXPECT_EQ(value_line(LogFormat::json, text),
            "\"v\":\"" + std::string(kLogValueBytesMax - 1, 'a') + "\xe2\x80\xa6\"}\n");
}

TEST(LogLine, WritesTimesAsRfc3339) {
  EXPECT_EQ(rfc3339(WallTime{0ms}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime{951827696007ms}), "2000-02-29T12:34:56.007Z");
  EXPECT_EQ(rfc3339(WallTime{-1ms}), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace revcache::metrics
