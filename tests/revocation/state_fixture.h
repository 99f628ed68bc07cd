// A state store in a directory of its own, which is deleted in the end, and evidence by number.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "revocation/state_store.h"
#include "tests/cache/disk_fixture.h"

namespace revcache::revocation::testing {

inline WallSeconds at(std::int64_t seconds) { return WallSeconds(std::chrono::seconds(seconds)); }

inline pki::Sha256 hash_number(std::uint64_t number) {
  pki::Sha256 hash{};
  for (std::size_t i = 0; i < 8; ++i) hash[31 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return hash;
}

inline FloorKey key_number(std::uint64_t issuer, std::uint64_t scope) {
  return {.issuer = hash_number(issuer), .scope = hash_number(scope)};
}

// The n-th CRL of a scope: number, thisUpdate and hash go up together.
inline Floor floor_number(std::uint64_t number) {
  return {.number = {static_cast<char>(1 + (number >> 8U)), static_cast<char>(number)},
          .this_update = at(1'800'000'000 + static_cast<std::int64_t>(number)),
          .hash = hash_number(number)};
}

// An OCSP answer with this thisUpdate.
inline Floor answer_at(std::int64_t seconds) {
  return {.number = {}, .this_update = at(seconds), .hash = hash_number(7)};
}

// 16 octets, none of them a leading zero; in the order of their numbers.
inline std::string serial_number(std::uint64_t number) {
  std::string serial("\x5a", 1);
  serial.append(7, '\0');
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    serial += static_cast<char>(static_cast<unsigned char>(number >> (shift - 8)));
  }
  return serial;
}

inline SeenRevocation seen_number(std::uint64_t number,
                                  pki::CrlReason reason = pki::CrlReason::key_compromise) {
  return {.serial = serial_number(number),
          .revoked_at = at(1'700'000'000 + static_cast<std::int64_t>(number % 1'000'000)),
          .reason = reason};
}

inline ManualRevocation manual_number(std::uint64_t number) {
  return {.issuer = hash_number(1),
          .serial = serial_number(number),
          .revoked_at = at(1'750'000'000),
          .reason = pki::CrlReason::superseded,
          .note = "ticket " + std::to_string(number)};
}

inline std::vector<SeenRevocation> seen_in(StateStore& store, const FloorKey& key) {
  std::vector<SeenRevocation> all;
  const auto read = store.for_each_seen(key, [&](const SeenRevocation& seen) {
    all.push_back(seen);
    return true;
  });
  EXPECT_TRUE(read) << read.error().detail;
  return all;
}

class StateStoreTest : public ::testing::Test {
 protected:
  StateStoreTest() { options_.directory = (root_.path() / "state").string(); }

  void open() {
    store_.reset();
    auto opened = StateStore::open(options_, log_);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

  // What opening says; the store is closed afterwards.
  Error refusal() {
    store_.reset();
    auto opened = StateStore::open(options_, log_);
    EXPECT_FALSE(opened) << "it opened";
    return opened ? Error{} : opened.error();
  }

  // The directory's path, before what stands on it.
  cache::testing::TempDirectory root_;
  cache::testing::RecordingLog log_;
  StateStore::Options options_;
  std::unique_ptr<StateStore> store_;
};

// For results without a value or whose value does not matter.
template <class T>
void expect_ok(const Result<T>& result) {
  EXPECT_TRUE(result) << result.error().detail;
}

}  // namespace revcache::revocation::testing
