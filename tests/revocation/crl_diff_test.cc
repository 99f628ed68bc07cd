#include "revocation/crl_diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "pki/asn1_time.h"
#include "pki/crl.h"
#include "pki/der_writer.h"
#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using namespace std::string_literals;
using pki::CrlReason;
using testing::at;
using testing::serial_number;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::uint8_t kReasonOid[] = {0x55, 0x1d, 0x15};
constexpr std::uint8_t kDeltaOid[] = {0x55, 0x1d, 0x1b};

struct Listed {
  std::string serial;
  std::int64_t revoked_at = 1'700'000'000;
  CrlReason reason = CrlReason::unspecified;
};

void write_time(std::int64_t seconds, pki::DerWriter& writer) {
  const std::string text = pki::generalized_time(at(seconds));
  writer.primitive(pki::kUtcTimeTag, as_bytes(std::string_view(text).substr(2)));  // before 2050
}

void write_entry(const Listed& listed, pki::DerWriter& writer) {
  writer.constructed(pki::kSequenceTag, [&] {
    writer.primitive(pki::kIntegerTag, as_bytes(listed.serial));
    write_time(listed.revoked_at, writer);
    if (listed.reason == CrlReason::unspecified) return;
    writer.constructed(pki::kSequenceTag, [&] {
      writer.constructed(pki::kSequenceTag, [&] {
        writer.primitive(pki::kObjectIdentifierTag, kReasonOid);
        const auto value = static_cast<std::uint8_t>(listed.reason);
        writer.octet_string_of([&] { writer.primitive(pki::kEnumeratedTag, ByteView(&value, 1)); });
      });
    });
  });
}

void write_delta_indicator(pki::DerWriter& writer) {
  constexpr std::uint8_t kBase[] = {1};
  writer.constructed(pki::context_constructed(0), [&] {
    writer.constructed(pki::kSequenceTag, [&] {
      writer.constructed(pki::kSequenceTag, [&] {
        writer.primitive(pki::kObjectIdentifierTag, kDeltaOid);
        writer.boolean(true);
        writer.octet_string_of([&] { writer.primitive(pki::kIntegerTag, kBase); });
      });
    });
  });
}

// Well-formed; nobody signed it.
pki::ParsedCrlPtr make_crl(const std::vector<Listed>& entries, bool delta = false) {
  constexpr std::uint8_t kV2[] = {1};
  constexpr std::uint8_t kEcdsaSha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
  pki::DerWriter writer(entries.size() * 64 + 256);
  const auto algorithm = [&] {
    writer.constructed(pki::kSequenceTag,
                       [&] { writer.primitive(pki::kObjectIdentifierTag, kEcdsaSha256); });
  };
  writer.constructed(pki::kSequenceTag, [&] {
    writer.constructed(pki::kSequenceTag, [&] {
      writer.primitive(pki::kIntegerTag, kV2);
      algorithm();
      writer.constructed(pki::kSequenceTag, [] {});
      write_time(kNow, writer);
      write_time(kNow + 86400, writer);
      if (!entries.empty()) {
        writer.constructed(pki::kSequenceTag, [&] {
          for (const Listed& listed : entries) write_entry(listed, writer);
        });
      }
      if (delta) write_delta_indicator(writer);
    });
    algorithm();
    writer.bit_string(as_bytes("signature"));
  });
  auto parsed = pki::parse_crl(SharedBytes::take(std::move(writer).take()), 7);
  if (!parsed) ADD_FAILURE() << parsed.error().detail;
  return parsed ? *parsed : nullptr;
}

SeenRevocation seen(const std::string& serial, CrlReason reason = CrlReason::unspecified,
                    std::int64_t revoked_at = 1'700'000'000) {
  return {.serial = serial, .revoked_at = at(revoked_at), .reason = reason};
}

CrlDiff diff_of(const std::vector<SeenRevocation>& before, const pki::ParsedCrl& crl,
                CrlDiffer::Options options = {}) {
  CrlDiffer differ(crl, std::move(options));
  for (const SeenRevocation& one : before) differ.saw(one);
  return differ.finish();
}

// One letter a serial, in order: what each list holds.
template <class Items>
std::string letters(const Items& items) {
  std::string out;
  for (const auto& item : items) {
    if constexpr (requires { item.serial; }) {
      out += item.serial;
    } else {
      out += item;
    }
  }
  std::ranges::sort(out);
  return out;
}

struct Case {
  const char* name;
  std::vector<SeenRevocation> before;
  std::vector<Listed> now;
  bool delta;
  const char* added;
  const char* lifted;
  const char* disappeared;
};

TEST(CrlDiff, SaysWhatIsAddedLiftedAndGone) {
  constexpr auto kHold = CrlReason::certificate_hold;
  constexpr auto kRemove = CrlReason::remove_from_crl;
  constexpr auto kKey = CrlReason::key_compromise;
  const std::vector<Case> cases{
      {"nothing at all", {}, {}, false, "", "", ""},
      {"the first CRL", {}, {{"a"}, {"b"}}, false, "ab", "", ""},
      {"nothing new", {seen("a"), seen("b")}, {{"b"}, {"a"}}, false, "", "", ""},
      {"one more", {seen("a")}, {{"a"}, {"b"}}, false, "b", "", ""},
      {"another date", {seen("a")}, {{"a", 1'700'000'001}}, false, "a", "", ""},
      {"another reason", {seen("a")}, {{"a", 1'700'000'000, kKey}}, false, "a", "", ""},
      {"a hold becomes final",
       {seen("a", kHold)},
       {{"a", 1'700'000'000, kKey}},
       false,
       "a",
       "",
       ""},
      {"the end of a hold", {seen("a", kHold), seen("b")}, {{"b"}}, false, "", "a", ""},
      {"one disappears", {seen("a"), seen("b", kKey)}, {{"a"}}, false, "", "", "b"},
      {"all disappear", {seen("a"), seen("b", kHold)}, {}, false, "", "b", "a"},
      {"removeFromCRL in a complete CRL is as good as not listed",
       {seen("a"), seen("b", kHold)},
       {{"a", 1, kRemove}, {"b", 1, kRemove}, {"c", 1, kRemove}},
       false,
       "",
       "b",
       "a"},
      {"a delta's silence says nothing", {seen("a"), seen("b", kHold)}, {{"c"}}, true, "c", "", ""},
      {"an empty delta", {seen("a"), seen("b", kHold)}, {}, true, "", "", ""},
      {"removeFromCRL in a delta",
       {seen("a", kHold), seen("b", kKey), seen("c")},
       {{"a", 1, kRemove}, {"b", 1, kRemove}, {"d", 1, kRemove}},
       true,
       "",
       "ab",
       ""},
      {"a delta changes a reason", {seen("a", kHold)}, {{"a", 1, kKey}}, true, "a", "", ""},
      {"listed twice alike", {}, {{"a"}, {"a"}, {"b"}}, false, "ab", "", ""},
      {"listed twice, seen", {seen("a")}, {{"a"}, {"a", 5}}, false, "", "", ""},
      {"removed and revoked in one delta",
       {seen("a", kHold)},
       {{"a", 1, kRemove}, {"a", 2, kKey}},
       true,
       "a",
       "",
       ""},
      {"a leading zero octet does not count", {seen("\x81")}, {{"\0\x81"s}}, false, "", "", ""}};
  for (const Case& one : cases) {
    const auto crl = make_crl(one.now, one.delta);
    ASSERT_NE(crl, nullptr) << one.name;
    ASSERT_EQ(crl->is_delta(), one.delta);
    const CrlDiff diff = diff_of(one.before, *crl);
    EXPECT_EQ(letters(diff.added), one.added) << one.name;
    EXPECT_EQ(letters(diff.lifted), one.lifted) << one.name;
    EXPECT_EQ(letters(diff.disappeared), one.disappeared) << one.name;
    EXPECT_TRUE(diff.expired.empty()) << one.name;
  }
}

TEST(CrlDiff, WhatIsAddedCarriesSignificantOctetsDateAndReason) {
  const auto crl = make_crl({{"\0\x81"s, 1'700'000'005, CrlReason::superseded}});
  EXPECT_EQ(diff_of({}, *crl).added,
            std::vector{seen("\x81", CrlReason::superseded, 1'700'000'005)});
}

TEST(CrlDiff, AnOlderCompleteCrlSaysNothingByWhatItLacks) {
  const auto crl = make_crl({{"c"}});
  const CrlDiff diff = diff_of({seen("a"), seen("b", CrlReason::certificate_hold)}, *crl,
                               {.previous = nullptr, .absence_counts = false, .expiry = {}});
  EXPECT_EQ(letters(diff.added), "c");
  EXPECT_TRUE(diff.lifted.empty());
  EXPECT_TRUE(diff.disappeared.empty());
}

TEST(CrlDiff, WhatIsKnownToHaveExpiredIsNoAlarm) {
  const auto crl = make_crl({});
  const auto expiry = [](ByteView serial) -> std::optional<WallSeconds> {
    if (as_text(serial) == "a") return at(kNow - 1);
    if (as_text(serial) == "b") return at(kNow);
    return std::nullopt;
  };
  const CrlDiff diff = diff_of({seen("a"), seen("b"), seen("c")}, *crl,
                               {.previous = nullptr, .absence_counts = true, .expiry = expiry});
  EXPECT_EQ(letters(diff.expired), "a");
  EXPECT_EQ(letters(diff.disappeared), "bc");
  EXPECT_EQ(diff.removed, 3U);
  EXPECT_EQ(diff.removed_before_expiry(), 2U);
}

TEST(CrlDiff, WhatDisappearedEarlierIsRememberedButNotCountedAgain) {
  const auto previous = make_crl({{"a"}, {"b"}, {"h", 1'700'000'000, CrlReason::certificate_hold}});
  const auto crl = make_crl({{"b", 1'700'000'001}, {"n"}});
  const CrlDiff diff =
      diff_of({seen("a"), seen("b"), seen("h", CrlReason::certificate_hold), seen("x"), seen("y")},
              *crl, {.previous = previous.get(), .absence_counts = true, .expiry = {}});
  EXPECT_EQ(letters(diff.disappeared), "axy");
  EXPECT_EQ(diff.newly_disappeared, 1U);
  EXPECT_EQ(diff.removed, 2U) << "a, and the hold";
  EXPECT_EQ(diff.removed_before_expiry(), 2U);
  EXPECT_EQ(letters(diff.added), "bn");
  EXPECT_EQ(diff.changed, 1U);
  EXPECT_EQ(diff.added_count(), 1U);
}

TEST(CrlDiff, TheFirstFewSerialsMakeATextForTheLog) {
  EXPECT_EQ(serials_text(std::vector<std::string>{}), "");
  EXPECT_EQ(serials_text(std::vector<std::string>{"\x0a\x1b"}), "0a1b");
  EXPECT_EQ(serials_text(std::vector{seen("\1"), seen("\2"), seen("\3"), seen("\4"), seen("\5")}),
            "01, 02, 03, 04, 05");
  EXPECT_EQ(serials_text(std::vector<std::string>(17, "\xff")), "ff, ff, ff, ff, ff and 12 more");
}

// Against a comparison of two maps, on random lists with many overlaps.
TEST(CrlDiff, AgreesWithACompleteComparison) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<SeenRevocation> before;
    std::vector<Listed> now;
    std::string added;
    std::string lifted;
    std::string disappeared;
    for (char letter = 'A'; letter <= 'z'; ++letter) {
      const bool was = random() % 2 == 0;
      const bool is = random() % 2 == 0;
      const bool held = random() % 2 == 0;
      const bool changes = random() % 4 == 0;
      const std::string serial(1, letter);
      const auto reason = held ? CrlReason::certificate_hold : CrlReason::superseded;
      if (was) before.push_back(seen(serial, reason));
      if (is) now.push_back({serial, 1'700'000'000 + (changes ? 1 : 0), reason});
      if (is && (!was || changes)) added += letter;
      if (was && !is) (held ? lifted : disappeared) += letter;
    }
    std::ranges::shuffle(now, random);
    const auto crl = make_crl(now);
    ASSERT_NE(crl, nullptr);
    const CrlDiff diff = diff_of(before, *crl);
    ASSERT_EQ(letters(diff.added), added);
    ASSERT_EQ(letters(diff.lifted), lifted);
    ASSERT_EQ(letters(diff.disappeared), disappeared);
  }
}

TEST(CrlDiff, AMillionEntriesAreCompared) {
  constexpr std::uint64_t kEntries = 1'000'000;
  std::vector<Listed> now;
  now.reserve(kEntries);
  for (std::uint64_t i = 0; i < kEntries; ++i) now.push_back({.serial = serial_number(i)});
  const auto crl = make_crl(now);
  ASSERT_NE(crl, nullptr);
  CrlDiffer differ(*crl, {});
  // All but ten of them seen, and five that are gone: 16 octets each, as the store gives them.
  for (std::uint64_t i = 10; i < kEntries + 5; ++i) differ.saw(seen(serial_number(i)));
  const CrlDiff diff = differ.finish();
  EXPECT_EQ(diff.added.size(), 10U);
  EXPECT_EQ(diff.disappeared.size(), 5U);
  EXPECT_TRUE(diff.lifted.empty());
}

}  // namespace
}  // namespace revcache::revocation
