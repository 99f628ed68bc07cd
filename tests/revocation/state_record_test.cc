#include "revocation/state_record.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "pki/signature.h"
#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using namespace std::string_literals;
using testing::at;
using testing::floor_number;
using testing::hash_number;
using testing::key_number;
using testing::manual_number;
using testing::seen_number;
using testing::serial_number;

std::string text(const std::string& bytes) { return pki::hex(as_bytes(bytes)); }

// A record of each kind and what its decoder says of any bytes under any key.
struct Sample {
  std::string name;
  std::string key;
  std::string record;
  std::function<std::optional<Error>(std::string_view key, std::string_view record)> decode;
};

template <class Decode>
auto error_of(Decode decode) {
  return [decode](std::string_view key, std::string_view record) -> std::optional<Error> {
    const auto decoded = decode(key, record);
    if (decoded) return std::nullopt;
    return decoded.error();
  };
}

std::vector<Sample> samples() {
  const std::string floor = floor_record_key(key_number(1, 2));
  const std::string seen = seen_record_key(key_number(1, 2), serial_number(3));
  const std::string manual = manual_record_key(hash_number(1), serial_number(3));
  const std::string clock = single_key(StateKind::clock_floor);
  const std::string last = single_key(StateKind::last_write);
  const std::string audit = ring_record_key(StateKind::audit, 5);
  return {{"floor", floor, encode_floor(floor, {.floor = floor_number(9), .kind = FloorKind::crl}),
           error_of(decode_floor)},
          {"seen", seen, encode_seen(seen, seen_number(3)), error_of(decode_seen)},
          {"manual", manual, encode_manual(manual, manual_number(3)), error_of(decode_manual)},
          {"clock", clock, encode_time(clock, at(1'800'000'000)), error_of(decode_time)},
          {"last", last, encode_number(last, 42), error_of(decode_number)},
          {"audit", audit, encode_record(audit, "{}"), error_of(decode_record)}};
}

TEST(StateRecord, WhatWasEncodedIsReadAgain) {
  const FloorKey key = key_number(1, 2);
  const std::string floor_key = floor_record_key(key);
  for (const auto kind : {FloorKind::crl, FloorKind::ocsp}) {
    for (const Floor& floor : {floor_number(9), testing::answer_at(-5)}) {
      const auto read = decode_floor(floor_key, encode_floor(floor_key, {floor, kind}));
      ASSERT_TRUE(read) << read.error().detail;
      EXPECT_EQ(read->floor, floor);
      EXPECT_EQ(read->kind, kind);
    }
  }
  const std::string seen_key = seen_record_key(key, serial_number(3));
  const auto seen = decode_seen(seen_key, encode_seen(seen_key, seen_number(3)));
  ASSERT_TRUE(seen);
  EXPECT_EQ(*seen, seen_number(3));
  ManualRevocation manual = manual_number(3);
  manual.note = "any \0 octets\xff"s;
  const std::string manual_key = manual_record_key(manual.issuer, manual.serial);
  EXPECT_EQ(decode_manual(manual_key, encode_manual(manual_key, manual)), manual);
  EXPECT_EQ(decode_time("c", encode_time("c", at(1))), at(1));
  EXPECT_EQ(decode_number("n", encode_number("n", UINT64_MAX)), UINT64_MAX);
}

TEST(StateRecord, TheOctetsAreThoseOfTheDocument) {
  EXPECT_EQ(text(ring_record_key(StateKind::audit, 258)), "610000000000000102");
  EXPECT_EQ(text(ring_record_key(StateKind::decision, 258)), "640000000000000102");
  EXPECT_EQ(text(ocsp_age_key(at(258), {})).substr(0, 18), "748000000000000102");
  EXPECT_EQ(text(seen_record_key(key_number(1, 2), "\x05")),
            "73" + std::string(62, '0') + "01" + std::string(62, '0') + "02" + "05");
  const std::string seen = encode_seen(
      "s", {.serial = {}, .revoked_at = at(258), .reason = pki::CrlReason::certificate_hold});
  EXPECT_EQ(text(seen).substr(0, 20), "01000000000000010206");
  EXPECT_EQ(seen.size(), 18U);
  EXPECT_EQ(text(encode_confirmed(258)).substr(0, 32), "52565354000000010000000000000102");
  EXPECT_EQ(encode_confirmed(258).size(), kConfirmedBytes);
}

TEST(StateRecord, NoFlippedBitPasses) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.name);
    ASSERT_FALSE(sample.decode(sample.key, sample.record));
    for (std::size_t i = 0; i < sample.record.size() * 8; ++i) {
      std::string damaged = sample.record;
      damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
      const auto error = sample.decode(sample.key, damaged);
      ASSERT_TRUE(error) << "bit " << i;
      EXPECT_EQ(error->code, ErrorCode::corrupt);
      EXPECT_NE(error->detail.find(describe_key(sample.key)), std::string::npos) << error->detail;
    }
    for (std::size_t length = 0; length < sample.record.size(); ++length) {
      EXPECT_TRUE(sample.decode(sample.key, sample.record.substr(0, length))) << length;
    }
  }
}

TEST(StateRecord, ARecordInAnotherOnesPlaceDoesNotPass) {
  for (const Sample& sample : samples()) {
    for (const Sample& other : samples()) {
      if (sample.key == other.key) continue;
      const auto error = sample.decode(sample.key, other.record);
      ASSERT_TRUE(error) << sample.name << " read from " << other.name;
      EXPECT_EQ(error->code, ErrorCode::corrupt);
    }
  }
}

// As a newer program would write it: another version, and a checksum that is right.
TEST(StateRecord, ARecordOfANewerVersionIsUnsupportedNotDamaged) {
  for (const Sample& sample : samples()) {
    std::string newer = sample.record.substr(0, sample.record.size() - 8);
    newer[0] = 2;
    const std::uint64_t seed = XXH3_64bits(sample.key.data(), sample.key.size());
    const std::uint64_t checksum = XXH3_64bits_withSeed(newer.data(), newer.size(), seed);
    for (unsigned shift = 64; shift > 0; shift -= 8) {
      newer += static_cast<char>(static_cast<unsigned char>(checksum >> (shift - 8)));
    }
    const auto error = sample.decode(sample.key, newer);
    ASSERT_TRUE(error) << sample.name;
    EXPECT_EQ(error->code, ErrorCode::unsupported) << sample.name;
    EXPECT_NE(error->detail.find("newer revcache"), std::string::npos) << error->detail;
  }
}

TEST(StateRecord, ImpossibleContentIsDamageEvenWithARightChecksum) {
  const std::string floor = floor_record_key(key_number(1, 2));
  const std::string seen = seen_record_key(key_number(1, 2), "\x05");
  const std::string manual = manual_record_key(hash_number(1), "\x05");
  const std::string zeros(7, '\0');
  const std::vector<Sample> cases{
      {"floor too short", floor, std::string(40, '\0'), error_of(decode_floor)},
      {"floor kind", floor, "\x02" + std::string(40, '\0'), error_of(decode_floor)},
      {"floor time", floor, "\0\x7f"s + std::string(39, '\0'), error_of(decode_floor)},
      {"seen too long", seen, zeros + "\x01\x01\x01", error_of(decode_seen)},
      {"seen reason 7", seen, zeros + "\x01\x07", error_of(decode_seen)},
      {"seen time", seen, "\x70" + zeros + "\x01", error_of(decode_seen)},
      {"manual too short", manual, zeros + "\x01", error_of(decode_manual)},
      {"manual reason 11", manual, zeros + "\x01\x0b", error_of(decode_manual)},
      {"manual key too short", "v", zeros + "\x01\x01", error_of(decode_manual)},
      {"clock length", "c", zeros, error_of(decode_time)},
      {"number length", "n", zeros + "\x01\x01", error_of(decode_number)}};
  for (const Sample& sample : cases) {
    const auto error = sample.decode(sample.key, encode_record(sample.key, sample.record));
    ASSERT_TRUE(error) << sample.name;
    EXPECT_EQ(error->code, ErrorCode::corrupt) << sample.name;
  }
}

TEST(StateRecord, AKeySaysWhatItHolds) {
  const FloorKey key = key_number(1, 2);
  EXPECT_EQ(floor_key_of(floor_record_key(key)), key);
  EXPECT_EQ(floor_key_of(ocsp_age_key(at(-1), key)), key);
  EXPECT_EQ(floor_key_of(seen_record_key(key, "abc")), key);
  EXPECT_EQ(serial_of(seen_record_key(key, "abc")), "abc");
  EXPECT_EQ(serial_of(manual_record_key(key.issuer, "abc")), "abc");
  EXPECT_EQ(ring_number_of(ring_record_key(StateKind::audit, UINT64_MAX)), UINT64_MAX);
  EXPECT_EQ(floor_key_of(""), std::nullopt);
  EXPECT_EQ(floor_key_of("f"), std::nullopt);
  EXPECT_EQ(floor_key_of(floor_record_key(key) + "x"), std::nullopt);
  EXPECT_EQ(serial_of("s"), std::nullopt);
  EXPECT_EQ(ring_number_of(ring_record_key(StateKind::decision, 5)), 5U);
  EXPECT_EQ(ring_number_of("a"), std::nullopt);
  EXPECT_EQ(ring_number_of("i12345678"), std::nullopt);
}

TEST(StateRecord, AnErrorNamesTheKeyInWords) {
  const std::string one = std::string(62, '0') + "01";
  const std::string two = std::string(62, '0') + "02";
  EXPECT_EQ(describe_key(seen_record_key(key_number(1, 2), "\x0a\x1b")),
            "revocation seen, issuer " + one + ", scope " + two + ", serial 0a1b");
  EXPECT_EQ(describe_key(manual_record_key(hash_number(1), "\x0a")),
            "manual revocation, issuer " + one + ", serial 0a");
  EXPECT_EQ(describe_key(ring_record_key(StateKind::audit, 7)), "audit entry 7");
  EXPECT_EQ(describe_key(ring_record_key(StateKind::decision, 7)), "decision 7");
  EXPECT_EQ(describe_key(refresh_record_key("http://a/")), "refresher's record of http://a/");
  EXPECT_EQ(describe_key("c"), "clock floor");
  EXPECT_EQ(describe_key(""), "without a key");
}

TEST(StateRecord, AgesSortAsTimesDo) {
  std::vector<std::string> keys;
  for (const std::int64_t seconds : {-62167219200, -1L, 0L, 1L, 256L, 1'800'000'000L}) {
    keys.push_back(ocsp_age_key(at(seconds), {}));
  }
  EXPECT_TRUE(std::ranges::is_sorted(keys));
}

TEST(StateRecord, ConfirmedIsReadAgainAndDamageIsRefused) {
  EXPECT_EQ(decode_confirmed(encode_confirmed(77)), 77U);
  const std::string good = encode_confirmed(77);
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string damaged = good;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(decode_confirmed(damaged)) << "bit " << i;
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(decode_confirmed(good.substr(0, length))) << length;
  }
  EXPECT_FALSE(decode_confirmed(good + "x"));
}

TEST(StateRecord, AConfirmedOfANewerFormatIsUnsupportedNotDamaged) {
  const auto newer = decode_confirmed("RVST\0\0\0\2 whatever it may hold then"s);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, ErrorCode::unsupported);
  EXPECT_NE(newer.error().detail.find("version 2"), std::string::npos) << newer.error().detail;
}

}  // namespace
}  // namespace revcache::revocation
