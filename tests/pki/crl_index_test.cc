// The index finds what the list holds, and nothing else.
#include "pki/crl_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "pki/crl.h"
#include "pki/serial_hash.h"
#include "tests/pki/crl_factory.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

const CrlSigner& signer() {
  static const CrlSigner made;
  return made;
}

ParsedCrlPtr crl_of(std::string entries, std::uint64_t seed = kTestHashSeed) {
  CrlText text;
  text.entries = std::move(entries);
  auto crl = parse_crl(SharedBytes::take(signer().crl(text)), seed);
  EXPECT_TRUE(crl);
  return *crl;
}

// Content of an INTEGER that is minimal and not negative.
std::string serial_of(std::uint64_t number) {
  std::string octets;
  for (; number > 0; number >>= 8U) {
    octets.insert(octets.begin(), static_cast<char>(number & 0xffU));
  }
  if (octets.empty() || (static_cast<unsigned char>(octets[0]) & 0x80U) != 0) {
    octets.insert(octets.begin(), '\0');
  }
  return octets;
}

TEST(CrlIndex, FindsEverySerialAndNoOther) {
  for (const std::size_t entries : {1U, 2U, 3U, 100U, 40'000U}) {
    std::string list;
    for (std::size_t i = 0; i < entries; ++i) list += entry(serial_of(2 * i), reason_extension(1));
    const ParsedCrlPtr crl = crl_of(std::move(list));
    EXPECT_EQ(crl->entries, entries);
    for (std::size_t i = 0; i < entries; ++i) {
      const auto found = crl->find(as_bytes(serial_of(2 * i)));
      ASSERT_TRUE(found) << i;
      EXPECT_EQ(as_text(found->serial), serial_of(2 * i));
      ASSERT_FALSE(crl->find(as_bytes(serial_of(2 * i + 1)))) << i;
    }
  }
}

TEST(CrlIndex, LeadingZerosOfASerialDoNotCount) {
  const ParsedCrlPtr crl = crl_of(entry("\x00"s) + entry("\x00\xff"s) + entry("\x01\x00"s));
  EXPECT_TRUE(crl->find({}));
  EXPECT_TRUE(crl->find(as_bytes("\x00\x00"s)));
  EXPECT_TRUE(crl->find(as_bytes("\xff")));
  EXPECT_TRUE(crl->find(as_bytes("\x00\x00\xff"s)));
  EXPECT_TRUE(crl->find(as_bytes("\x01\x00"s)));
  EXPECT_FALSE(crl->find(as_bytes("\x01")));
  EXPECT_FALSE(crl->find(as_bytes("\x01\x00\x00"s)));
  // Longer than any serial in a CRL can be.
  EXPECT_FALSE(crl->find(as_bytes(std::string(500, 'a'))));
}

TEST(CrlIndex, OfSeveralEntriesForASerialTheFirstThatRevokesCounts) {
  const std::string removed = entry("\x07", reason_extension(8));
  const std::string held = entry("\x07", reason_extension(6));
  const std::string compromised = entry("\x07", reason_extension(1));
  const auto reason = [](const std::string& list) {
    return to_string(crl_of(list)->find(as_bytes("\x07"))->reason);
  };
  EXPECT_EQ(reason(removed), "removeFromCRL");
  EXPECT_EQ(reason(removed + held), "certificateHold");
  EXPECT_EQ(reason(held + removed), "certificateHold");
  EXPECT_EQ(reason(removed + compromised + removed + held), "keyCompromise");
  EXPECT_EQ(reason(entry("\x06") + removed + removed), "removeFromCRL");
}

TEST(CrlIndex, AnEntryOfAnyShapeIsFound) {
  const std::string long_form =
      entry("\x09", extension("\x2a\x03", std::string(300, 'x')) + reason_extension(1));
  const std::string generalized = entry("\x0a", "", generalized_time_element("20261120101112Z"));
  const ParsedCrlPtr crl = crl_of(long_form + entry("\x08") + generalized);
  EXPECT_EQ(crl->find(as_bytes("\x09"))->reason, CrlReason::key_compromise);
  EXPECT_EQ(crl->find(as_bytes("\x0a"))->revoked_at, crl->find(as_bytes("\x08"))->revoked_at);
}

// Lines that are full pass entries on; with many keys that happens to any of them.
TEST(CrlIndex, EntriesThatFindNoRoomInTheirLineAreFoundBehindIt) {
  std::string list;
  for (std::size_t i = 0; i < 40; ++i) list += entry(serial_of(2 * i), reason_extension(1));
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const ParsedCrlPtr crl = crl_of(list, seed);
    for (std::size_t i = 0; i < 40; ++i) {
      ASSERT_TRUE(crl->find(as_bytes(serial_of(2 * i)))) << seed << ' ' << i;
      ASSERT_FALSE(crl->find(as_bytes(serial_of(2 * i + 1)))) << seed << ' ' << i;
    }
  }
}

// What find() decodes is what the parser read, for every date that there is.
TEST(CrlIndex, GivesTheDateThatTheEntryHas) {
  struct Case {
    const char* text;
    WallSeconds date;
  };
  using namespace std::chrono;
  const auto at = [](int year, unsigned month, unsigned day, seconds of_day) {
    return WallSeconds(sys_days{year_month_day(std::chrono::year(year), std::chrono::month(month),
                                               std::chrono::day(day))}) +
           of_day;
  };
  std::vector<Case> cases{{"500101000000Z", at(1950, 1, 1, 0s)},
                          {"991231235959Z", at(1999, 12, 31, 86399s)},
                          {"000229120000Z", at(2000, 2, 29, 12h)},
                          {"240229010203Z", at(2024, 2, 29, 1h + 2min + 3s)},
                          {"491231235959Z", at(2049, 12, 31, 86399s)}};
  for (const Case& one : cases) {
    const ParsedCrlPtr crl = crl_of(entry("\x05", reason_extension(4), utc_time(one.text)));
    const auto found = crl->find(as_bytes("\x05"));
    ASSERT_TRUE(found) << one.text;
    EXPECT_EQ(found->revoked_at, one.date) << one.text;
    EXPECT_EQ(found->reason, CrlReason::superseded);
    EXPECT_FALSE(found->invalidity_date);
  }
}

// Two serials that only the comparison tells apart: they share what the index keeps of their
// hashes, the 8 bits of a tag and, in a CRL of 4 MiB, 9 in a slot beside the offset (crl_index.h).
// That is little enough to find such pairs by trying.
class SerialsThatCollide : public ::testing::Test {
 protected:
  static constexpr std::size_t kPaddingBytes = std::size_t{4} << 20U;

  // Of `first` and what `other_of` makes of it; `first` is counted on until they do.
  template <class OtherOf>
  static std::string until_they_collide(std::string& first, const OtherOf& other_of) {
    for (std::uint64_t count = 0;; ++count) {
      for (std::size_t i = 0; i < 4; ++i) first[1 + i] = static_cast<char>(count >> (8U * i));
      std::string other = other_of(first);
      if (kept_of(first) == kept_of(other)) return other;
    }
  }

  static ParsedCrlPtr padded_crl(const std::string& serial) {
    CrlText text;
    text.entries = entry(serial);
    text.extensions += extension("\x2a\x03", std::string(kPaddingBytes, 'x'));
    auto crl = parse_crl(SharedBytes::take(signer().crl(text)), kTestHashSeed);
    EXPECT_TRUE(crl);
    return *crl;
  }

 private:
  static std::uint64_t kept_of(const std::string& serial) {
    static const SerialHash hash(kTestHashSeed);
    return hash(as_bytes(serial)) >> 23U & 0x1ffffU;
  }
};

TEST_F(SerialsThatCollide, AreToldApartWhereverTheyDiffer) {
  for (const std::size_t size : {7U, 8U, 9U, 15U, 16U, 17U, 20U, 64U}) {
    for (const std::size_t place : {std::size_t{0}, size / 2, size - 1}) {
      std::string listed(size, '\x11');
      const std::string other = until_they_collide(listed, [&](std::string serial) {
        serial[place] = static_cast<char>(serial[place] ^ 0x22);
        return serial;
      });
      const ParsedCrlPtr crl = padded_crl(listed);
      EXPECT_TRUE(crl->find(as_bytes(listed))) << size << ' ' << place;
      EXPECT_FALSE(crl->find(as_bytes(other))) << size << ' ' << place;
    }
  }
}

TEST_F(SerialsThatCollide, AreToldApartWhereOneIsTheEndOfTheOther) {
  for (const std::size_t size : {8U, 16U, 19U}) {
    std::string shorter(size, '\x11');
    const std::string longer =
        until_they_collide(shorter, [](const std::string& serial) { return "\x05" + serial; });
    EXPECT_FALSE(padded_crl(longer)->find(as_bytes(shorter))) << size;
    EXPECT_FALSE(padded_crl(shorter)->find(as_bytes(longer))) << size;
    EXPECT_TRUE(padded_crl(longer)->find(as_bytes(longer))) << size;
  }
}

TEST(CrlIndex, TakesLessThanEightBytesAnEntry) {
  std::string list;
  for (std::size_t i = 0; i < 10'000; ++i) list += entry(serial_of(i));
  EXPECT_LE(crl_of(std::move(list))->index_bytes(), 10'000 * 7 + 200U);
}

TEST(CrlIndex, TheSameSerialAHundredThousandTimesTakesNoTime) {
  std::string list;
  for (std::size_t i = 0; i < 100'000; ++i) list += entry("\x01");
  const ParsedCrlPtr crl = crl_of(std::move(list));
  EXPECT_TRUE(crl->find(as_bytes("\x01")));
  EXPECT_FALSE(crl->find(as_bytes("\x02")));
}

TEST(CrlIndex, AnyKeyGivesTheSameAnswers) {
  const std::string list = entry("\x01") + entry("\x02") + entry("\x03");
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const ParsedCrlPtr crl = crl_of(list, seed);
    for (const char* serial : {"\x01", "\x02", "\x03"}) {
      EXPECT_TRUE(crl->find(as_bytes(serial))) << seed;
    }
    EXPECT_FALSE(crl->find(as_bytes("\x04"))) << seed;
  }
}

// Serials that collide under one key do not under another: nobody can choose them beforehand.
TEST(SerialHashTest, CollisionsDependOnTheKey) {
  const auto cell = [](const SerialHash& hash, std::uint64_t number) {
    return hash(as_bytes(serial_of(number))) >> 52U;
  };
  const SerialHash known(1);
  std::vector<std::uint64_t> crafted;
  for (std::uint64_t number = 1; crafted.size() < 200; ++number) {
    if (cell(known, number) == 7) crafted.push_back(number);
  }
  std::set<std::uint64_t> cells;
  for (const std::uint64_t number : crafted) cells.insert(cell(SerialHash(2), number));
  EXPECT_GT(cells.size(), 180U);
}

TEST(SerialHashTest, EveryOctetAndTheLengthCount) {
  const SerialHash hash(42);
  std::set<std::uint64_t> seen;
  std::size_t inputs = 0;
  for (std::size_t size = 0; size <= 64; ++size) {
    std::string octets(size, '\0');
    seen.insert(hash(as_bytes(octets)));
    ++inputs;
    for (std::size_t at = 0; at < size; ++at) {
      std::string changed = octets;
      changed[at] = '\x01';
      seen.insert(hash(as_bytes(changed)));
      ++inputs;
    }
  }
  EXPECT_EQ(seen.size(), inputs);
}

// Nothing bounds the serial that a client asks about.
TEST(SerialHashTest, TakesSerialsOfAnyLength) {
  const SerialHash hash(42);
  for (const std::size_t size : {65U, 100U, 4096U}) {
    const std::string octets(size, '\x05');
    EXPECT_EQ(hash(as_bytes(octets)), hash(as_bytes(octets)));
    EXPECT_NE(hash(as_bytes(octets)), hash(as_bytes(std::string(64, '\x05'))));
  }
}

// Many CAs count: 100 of such serials to a cell, within five standard deviations.
TEST(SerialHashTest, ConsecutiveSerialsSpread) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const SerialHash hash(seed);
    std::vector<unsigned> cells(256);
    for (std::uint64_t number = 0; number < 25'600; ++number) {
      ++cells[hash(as_bytes(serial_of(number))) >> 56U];
    }
    EXPECT_LT(std::ranges::max(cells), 150U) << seed;
    EXPECT_GT(std::ranges::min(cells), 50U) << seed;
  }
}

TEST(CrlReasonTest, HasTheStandardsNamesAndNumbers) {
  int known = 0;
  for (unsigned value = 0; value < 256; ++value) {
    const auto reason = crl_reason(static_cast<std::uint8_t>(value));
    EXPECT_EQ(reason.has_value(), value <= 10 && value != 7) << value;
    if (!reason) continue;
    ++known;
    EXPECT_EQ(crl_reason(to_string(*reason)), reason);
  }
  EXPECT_EQ(known, 10);
  EXPECT_EQ(to_string(CrlReason::ca_compromise), "cACompromise");
  EXPECT_FALSE(crl_reason("keycompromise"));
}

}  // namespace
}  // namespace revcache::pki
