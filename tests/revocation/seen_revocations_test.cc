#include "revocation/seen_revocations.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using namespace std::string_literals;
using testing::at;
using testing::seen_number;
using testing::serial_number;
using Entry = SeenRevocations::Entry;
using pki::CrlReason;

constexpr std::uint64_t kSeed = 20261122;

std::shared_ptr<const SeenRevocations> set_of(const std::vector<SeenRevocation>& revocations) {
  auto built = SeenRevocations::build(revocations, kSeed);
  EXPECT_TRUE(built) << built.error().detail;
  return built ? *built : nullptr;
}

TEST(SeenRevocations, AnEmptySetFindsNothing) {
  EXPECT_EQ(SeenRevocations().find(as_bytes("x")), std::nullopt);
  EXPECT_TRUE(SeenRevocations().empty());
  EXPECT_EQ(set_of({})->find(as_bytes("")), std::nullopt);
  EXPECT_EQ(set_of({})->size(), 0U);
}

TEST(SeenRevocations, FindsWhatIsInItAndNothingElse) {
  std::vector<SeenRevocation> all;
  std::map<std::string, Entry> expected;
  std::mt19937_64 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string serial(random() % 21, '\0');
    for (char& octet : serial) octet = static_cast<char>(random() % (i % 3 == 0 ? 3 : 256));
    const SeenRevocation seen{.serial = serial,
                              .revoked_at = at(static_cast<std::int64_t>(random() % 1000) - 500),
                              .reason = CrlReason::superseded};
    const std::string key(as_text(pki::significant_octets(as_bytes(serial))));
    const Entry entry{.revoked_at = seen.revoked_at, .reason = seen.reason};
    const auto [place, is_new] = expected.emplace(key, entry);
    if (!is_new && entry.revoked_at < place->second.revoked_at) place->second = entry;
    all.push_back(seen);
  }
  const auto set = set_of(all);
  EXPECT_EQ(set->size(), expected.size());
  for (const SeenRevocation& seen : all) {
    const std::string key(as_text(pki::significant_octets(as_bytes(seen.serial))));
    EXPECT_EQ(set->find(as_bytes(seen.serial)), expected.at(key));
    EXPECT_EQ(set->find(as_bytes("\0"s + seen.serial)), expected.at(key));
    const std::string other = seen.serial + "\x01";
    EXPECT_EQ(set->find(as_bytes(other)).has_value(),
              expected.contains(std::string(as_text(pki::significant_octets(as_bytes(other))))));
  }
  std::map<std::string, Entry> visited;
  set->for_each([&](ByteView serial, const Entry& entry) {
    EXPECT_TRUE(visited.emplace(as_text(serial), entry).second);
  });
  EXPECT_EQ(visited, expected);
}

struct Twice {
  const char* name;
  Entry first;
  Entry second;
  bool second_wins;
};

TEST(SeenRevocations, OfTwoStatementsAboutOneSerialTheGraverThenTheEarlierIsKept) {
  const std::vector<Twice> cases{
      {"the earlier first", {at(1), CrlReason::superseded}, {at(2), CrlReason::unspecified}, false},
      {"the earlier last", {at(2), CrlReason::superseded}, {at(1), CrlReason::unspecified}, true},
      {"a hold first", {at(1), CrlReason::certificate_hold}, {at(2), CrlReason::superseded}, true},
      {"a hold last", {at(2), CrlReason::superseded}, {at(1), CrlReason::certificate_hold}, false},
      {"two holds",
       {at(2), CrlReason::certificate_hold},
       {at(1), CrlReason::certificate_hold},
       true},
      {"equal", {at(1), CrlReason::superseded}, {at(1), CrlReason::superseded}, false}};
  for (const Twice& twice : cases) {
    SeenRevocations::Builder builder(kSeed);
    EXPECT_TRUE(builder.add(as_bytes("a"), {at(9), CrlReason::unspecified}));
    EXPECT_TRUE(builder.add(as_bytes("b"), twice.first));
    EXPECT_TRUE(builder.add(as_bytes("\0b"s), twice.second));
    EXPECT_TRUE(builder.add(as_bytes("c"), {at(9), CrlReason::unspecified}));
    const SeenRevocations set = std::move(builder).build();
    EXPECT_EQ(set.size(), 3U);
    EXPECT_EQ(set.find(as_bytes("b")), twice.second_wins ? twice.second : twice.first)
        << twice.name;
    EXPECT_TRUE(set.find(as_bytes("c")));
  }
}

TEST(SeenRevocations, ASerialThatIsTooLongIsRefused) {
  SeenRevocations::Builder builder(kSeed);
  EXPECT_TRUE(builder.add(as_bytes(std::string(kSeenSerialBytesMax, 'x')), {}));
  EXPECT_FALSE(builder.add(as_bytes(std::string(kSeenSerialBytesMax + 1, 'x')), {}));
  const SeenRevocations set = std::move(builder).build();
  EXPECT_EQ(set.size(), 1U);
  EXPECT_TRUE(set.find(as_bytes(std::string(kSeenSerialBytesMax, 'x'))));
  EXPECT_FALSE(set.find(as_bytes(std::string(kSeenSerialBytesMax + 1, 'x'))));
  EXPECT_FALSE(SeenRevocations::build(
      std::vector{SeenRevocation{.serial = std::string(300, 'x'), .revoked_at = at(1)}}, kSeed));
}

TEST(SeenRevocations, AnEntryTakesSixteenOctetsBesideItsSerial) {
  constexpr std::size_t kCount = 100'000;
  SeenRevocations::Builder builder(kSeed);
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(builder.add(as_bytes(serial_number(i)), {at(1), CrlReason::unspecified}));
  }
  const SeenRevocations set = std::move(builder).build();
  EXPECT_LE(set.bytes(), kCount * (16 + 16) + 64);
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_TRUE(set.find(as_bytes(serial_number(i))));
  for (std::size_t i = kCount; i < 2 * kCount; ++i) {
    ASSERT_FALSE(set.find(as_bytes(serial_number(i))));
  }
}

}  // namespace
}  // namespace revcache::revocation
