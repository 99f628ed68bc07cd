// RFC 5280 5.3: the short way and the general way to read an entry are one.
#include "pki/crl_entry.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "tests/pki/crl_factory.h"
#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

// Put together at random from parts that make entries common, uncommon or malformed.
std::string any_entry(std::mt19937_64& random) {
  const auto one_of = [&](const auto& choices) { return choices[random() % std::size(choices)]; };
  const std::array serials{"\x01"s,
                           "\x00\xff"s,
                           "\x7f"s,
                           "\x00\x7f"s,
                           "\xff\x80"s,
                           "\x80\x01"s,
                           ""s,
                           "\x00"s,
                           std::string(20, 'a'),
                           std::string(21, 'b'),
                           std::string(64, 'c'),
                           std::string(65, 'd')};
  const std::array dates{utc_time("261120101112Z"),
                         utc_time("491231235959Z"),
                         utc_time("261320101112Z"),
                         utc_time("2611201011Z"),
                         generalized_time_element("20261120101112Z"),
                         generalized_time_element("20510101000000Z"),
                         ""s};
  std::string extensions;
  for (std::uint64_t count = random() % 3; count > 0; --count) {
    const std::array kinds{reason_extension(static_cast<unsigned>(random() % 13)),
                           extension(id_ce(21), der(0x0a, {"\x01"}), true),
                           extension(id_ce(21), der(0x0a, {"\x00\x01"s})),
                           extension(id_ce(21), der(0x0a, {"\x01\x01"})),
                           extension(id_ce(21), der(0x0a, {"\x01"}) + "x"),
                           extension(id_ce(24), generalized_time_element("20261120101112Z")),
                           extension(id_ce(24), utc_time("261120101112Z")),
                           extension(id_ce(23), der(0x06, {"\x2a\x86\x48\xce\x38\x02\x01"})),
                           extension(id_ce(29), der(0x30, {der(0xa4, {name("Other")})}), true),
                           extension("\x2a\x03", "anything", true),
                           extension("\x2a\x04", "anything")};
    extensions += one_of(kinds);
  }
  std::string text = entry(one_of(serials), extensions, one_of(dates));
  if (random() % 4 == 0) text[random() % text.size()] = static_cast<char>(random());
  return text;
}

void expect_equal(const RevokedEntry& left, const RevokedEntry& right) {
  EXPECT_EQ(left.serial.data(), right.serial.data());
  EXPECT_EQ(left.serial.size(), right.serial.size());
  EXPECT_EQ(left.revoked_at, right.revoked_at);
  EXPECT_EQ(left.reason, right.reason);
  EXPECT_EQ(left.invalidity_date, right.invalidity_date);
}

TEST(CrlEntry, WhatTheShortWayReadsTheGeneralWayReadsAlike) {
  std::mt19937_64 random(11);
  int common = 0;
  int uncommon = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = any_entry(random) + entry("\x05");
    RevokedEntry fast;
    const std::size_t bytes = read_common_entry(as_bytes(text), fast);
    DerReader reader(as_bytes(text));
    CrlEntryRemarks remarks;
    const auto general = read_entry(reader, remarks);
    if (bytes == 0) {
      uncommon += general ? 1 : 0;
      continue;
    }
    ++common;
    ASSERT_TRUE(general) << i;
    EXPECT_EQ(reader.position(), as_bytes(text).data() + bytes);
    expect_equal(fast, *general);
    EXPECT_TRUE(remarks.unknown_critical_extensions.empty());
    EXPECT_FALSE(remarks.has_certificate_issuer);
  }
  EXPECT_GT(common, 5'000);
  EXPECT_GT(uncommon, 5'000);
}

TEST(CrlEntry, TheShapesOfLargeAuthoritiesAreCommon) {
  for (const std::string& text :
       {entry("\x01"), entry(std::string(20, 'a')), entry("\x00\xff"s, reason_extension(1)),
        entry(std::string(64, 'a'), reason_extension(6))}) {
    RevokedEntry read;
    EXPECT_EQ(read_common_entry(as_bytes(text), read), text.size());
  }
}

TEST(CrlEntry, OctetsBehindTheListAreNeverLookedAt) {
  for (const std::string& whole : {entry("\x01"), entry("\x01\x02", reason_extension(1))}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string cut = whole.substr(0, size);  // a heap block of its own, for sanitizers
      RevokedEntry read;
      EXPECT_EQ(read_common_entry(as_bytes(cut), read), 0U);
    }
  }
}

struct ReasonRow {
  std::string value;
  CrlReason reason;
};

TEST(CrlEntry, AReasonThatTheStandardDoesNotNameIsUnspecified) {
  const ReasonRow rows[] = {
      {"\x00"s, CrlReason::unspecified},     {"\x01", CrlReason::key_compromise},
      {"\x06", CrlReason::certificate_hold}, {"\x07", CrlReason::unspecified},
      {"\x08", CrlReason::remove_from_crl},  {"\x0a", CrlReason::aa_compromise},
      {"\x0b", CrlReason::unspecified},      {"\xff", CrlReason::unspecified},
      {"\x01\x00"s, CrlReason::unspecified}};
  for (const ReasonRow& row : rows) {
    const std::string text = entry("\x01", extension(id_ce(21), der(0x0a, {row.value})));
    DerReader reader(as_bytes(text));
    CrlEntryRemarks remarks;
    const auto read = read_entry(reader, remarks);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->reason, row.reason);
  }
}

TEST(CrlEntry, RemarksNameUnknownCriticalExtensionsOnce) {
  const std::string text = entry("\x01", extension("\x2a\x03", "a", true)) +
                           entry("\x02", extension("\x2a\x03", "a", true)) +
                           entry("\x03", extension("\x2a\x04", "a", true));
  DerReader reader(as_bytes(text));
  CrlEntryRemarks remarks;
  while (!reader.at_end()) ASSERT_TRUE(read_entry(reader, remarks));
  EXPECT_EQ(remarks.unknown_critical_extensions, (std::vector<std::string>{"1.2.3", "1.2.4"}));
  EXPECT_TRUE(remarks.has_extensions);
}

}  // namespace
}  // namespace revcache::pki
