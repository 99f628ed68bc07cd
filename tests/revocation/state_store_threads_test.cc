// The state store under many threads at once; of use with ThreadSanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using testing::answer_at;
using testing::at;
using testing::expect_ok;
using testing::floor_number;
using testing::hash_number;
using testing::key_number;
using testing::manual_number;
using testing::seen_in;
using testing::seen_number;
using testing::serial_number;
using testing::StateStoreTest;

TEST_F(StateStoreTest, CallsOfManyThreadsDoNotDisturbEachOther) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kRounds = 40;
  options_.audit_entries_max = 50;
  options_.ocsp_floors_max = 30;
  open();
  std::vector<std::jthread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      const FloorKey own = key_number(thread, 1);
      for (std::uint64_t i = 1; i <= kRounds; ++i) {
        expect_ok(store_->accept_crl(own, floor_number(i), std::vector{seen_number(i)},
                                     std::vector{serial_number(i - 2)}));
        expect_ok(store_->accept_ocsp(key_number(thread, 100 + i),
                                      answer_at(static_cast<std::int64_t>(i)), std::nullopt,
                                      std::nullopt));
        ManualRevocation manual = manual_number(i);
        manual.issuer = hash_number(thread);
        expect_ok(store_->revoke(manual));
        expect_ok(store_->append_audit(std::to_string(thread), i % 8 == 0));
        expect_ok(store_->raise_clock_floor(at(static_cast<std::int64_t>(i))));
        expect_ok(store_->put_refresh_record("http://" + std::to_string(thread), "x"));
        EXPECT_EQ(store_->floor(own), floor_number(i));
        EXPECT_EQ(seen_in(*store_, own).size(), i == 1 ? 1U : 2U);
        expect_ok(store_->manual_revocations());
        EXPECT_LE(store_->audit(100)->size(), 50U);
        expect_ok(store_->clock_floor());
      }
    });
  }
  threads.clear();
  open();
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    EXPECT_EQ(store_->floor(key_number(thread, 1)), floor_number(kRounds));
  }
  EXPECT_EQ(store_->manual_revocations()->size(), kThreads * kRounds);
  EXPECT_EQ(store_->audit(100)->size(), 50U);
  EXPECT_EQ(store_->clock_floor(), at(kRounds));
}

// Two threads bring CRLs of one scope in any order: whatever wins, the floor is the newest in the
// end, and no older CRL has lifted what the newest lists.
TEST_F(StateStoreTest, OfCrlsThatArriveTogetherTheNewestWins) {
  open();
  const FloorKey key = key_number(1, 1);
  std::atomic<std::uint64_t> next{1};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&] {
      for (std::uint64_t number = next++; number <= 60; number = next++) {
        const auto accepted =
            store_->accept_crl(key, floor_number(number), std::vector{seen_number(number)},
                               std::vector{serial_number(number - 1)});
        if (accepted) continue;
        EXPECT_EQ(accepted.error().code, ErrorCode::untrusted);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(store_->floor(key), floor_number(60));
  const auto seen = seen_in(*store_, key);
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back(), seen_number(60));
}

}  // namespace
}  // namespace revcache::revocation
