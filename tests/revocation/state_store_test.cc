// The state store when nothing goes wrong: what was put in is there, also after a restart.
#include "revocation/state_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
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

const FloorKey kScope = key_number(1, 1);

TEST_F(StateStoreTest, ANewStoreIsEmptyAndItsDirectoryIsForTheServiceAlone) {
  options_.directory = (root_.path() / "deep" / "er" / "state").string();
  open();
  EXPECT_EQ(store_->floor(kScope), std::nullopt);
  EXPECT_TRUE(seen_in(*store_, kScope).empty());
  EXPECT_TRUE(store_->manual_revocations()->empty());
  EXPECT_EQ(store_->clock_floor(), std::nullopt);
  EXPECT_TRUE(store_->audit(10)->empty());
  EXPECT_TRUE(store_->refresh_records()->empty());
  struct stat about{};
  ASSERT_EQ(stat(options_.directory.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0700U);
  EXPECT_EQ(log_.count("state directory is writable by others"), 0U);
}

TEST_F(StateStoreTest, ADirectoryThatOthersMayWriteToIsWarnedAbout) {
  ASSERT_EQ(mkdir(options_.directory.c_str(), 0700), 0);
  ASSERT_EQ(chmod(options_.directory.c_str(), 0770), 0);
  open();
  EXPECT_EQ(log_.count("state directory is writable by others"), 1U);
}

TEST_F(StateStoreTest, EverythingSurvivesARestart) {
  open();
  expect_ok(
      store_->accept_crl(kScope, floor_number(5), std::vector{seen_number(2), seen_number(1)}, {}));
  expect_ok(store_->accept_ocsp(key_number(1, 9), answer_at(100), seen_number(7), std::nullopt));
  expect_ok(store_->revoke(manual_number(3)));
  expect_ok(store_->raise_clock_floor(at(1'800'000'000)));
  expect_ok(store_->append_audit(R"({"n":1})", true));
  expect_ok(store_->append_audit(R"({"n":2})", false));
  expect_ok(store_->put_refresh_record("http://a/x.crl", "what is known\x01"));
  for (int round = 0; round < 3; ++round) {
    open();
    EXPECT_EQ(store_->floor(kScope), floor_number(5));
    EXPECT_EQ(seen_in(*store_, kScope), (std::vector{seen_number(1), seen_number(2)}));
    EXPECT_EQ(store_->floor(key_number(1, 9)), answer_at(100));
    EXPECT_EQ(seen_in(*store_, key_number(1, 9)), std::vector{seen_number(7)});
    EXPECT_EQ(store_->manual_revocations(), std::vector{manual_number(3)});
    EXPECT_EQ(store_->clock_floor(), at(1'800'000'000));
    EXPECT_EQ(store_->audit(10), (std::vector<std::string>{R"({"n":2})", R"({"n":1})"}));
    EXPECT_EQ(store_->refresh_records(), (std::vector<std::pair<std::string, std::string>>{
                                             {"http://a/x.crl", "what is known\x01"}}));
  }
}

TEST_F(StateStoreTest, ANewerCrlReplacesTheFloorAddsAndLifts) {
  open();
  expect_ok(
      store_->accept_crl(kScope, floor_number(1), std::vector{seen_number(1), seen_number(2)}, {}));
  SeenRevocation changed = seen_number(2, pki::CrlReason::ca_compromise);
  expect_ok(store_->accept_crl(kScope, floor_number(2), std::vector{changed, seen_number(3)},
                               std::vector{serial_number(1), serial_number(99)}));
  EXPECT_EQ(store_->floor(kScope), floor_number(2));
  EXPECT_EQ(seen_in(*store_, kScope), (std::vector{changed, seen_number(3)}));
}

TEST_F(StateStoreTest, AFloorIsNeverLoweredAndAnOlderCrlLiftsNothing) {
  open();
  expect_ok(store_->accept_crl(kScope, floor_number(2), std::vector{seen_number(1)}, {}));
  Floor twin = floor_number(2);
  twin.hash = hash_number(1000);
  for (const Floor& older : {floor_number(1), twin}) {
    const auto refused = store_->accept_crl(kScope, older, std::vector{seen_number(2)},
                                            std::vector{serial_number(1)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::untrusted);
    EXPECT_EQ(refused.error().blame, Blame::upstream);
    EXPECT_TRUE(refused.error().detail.starts_with("rolled_back")) << refused.error().detail;
  }
  EXPECT_EQ(store_->floor(kScope), floor_number(2));
  EXPECT_EQ(seen_in(*store_, kScope), std::vector{seen_number(1)});
}

TEST_F(StateStoreTest, TheCrlThatSetTheFloorMayAddMore) {
  open();
  expect_ok(store_->accept_crl(kScope, floor_number(2), std::vector{seen_number(1)}, {}));
  expect_ok(store_->accept_crl(kScope, floor_number(2), std::vector{seen_number(2)},
                               std::vector{serial_number(1)}));
  EXPECT_EQ(seen_in(*store_, kScope), std::vector{seen_number(2)});
}

TEST_F(StateStoreTest, ALargeCrlIsTakenInPiecesAndComesBackInOrder) {
  open();
  std::vector<SeenRevocation> many;
  for (std::uint64_t i = 0; i < 50'000; ++i) many.push_back(seen_number(i));
  std::vector<SeenRevocation> backwards(many.rbegin(), many.rend());
  expect_ok(store_->accept_crl(kScope, floor_number(1), backwards, {}));
  open();
  EXPECT_EQ(store_->floor(kScope), floor_number(1));
  EXPECT_TRUE(seen_in(*store_, kScope) == many);
  std::vector<std::string> all;
  for (const SeenRevocation& seen : many) all.push_back(seen.serial);
  expect_ok(store_->accept_crl(kScope, floor_number(2), {}, all));
  EXPECT_TRUE(seen_in(*store_, kScope).empty());
}

TEST_F(StateStoreTest, OfTwoEntriesOfOneSerialTheLaterStaysAlsoInALargeCrl) {
  open();
  // Alike in their first octets, and one the beginning of another.
  const std::string alike(12, 'x');
  std::vector<SeenRevocation> some;
  for (const char* end : {"b", "", "a", "ab"}) {
    SeenRevocation seen = seen_number(1);
    seen.serial = alike + end;
    some.push_back(seen);
  }
  std::vector<SeenRevocation> many(some);
  for (std::uint64_t i = 1; i < 10'000; ++i) many.push_back(seen_number(10'000 - i));
  for (SeenRevocation& seen : some) seen.reason = pki::CrlReason::superseded;
  many.insert(many.end(), some.begin(), some.end());
  expect_ok(store_->accept_crl(kScope, floor_number(1), many, {}));
  const auto kept = seen_in(*store_, kScope);
  ASSERT_EQ(kept.size(), some.size() + 9'999);
  const auto wrong = std::ranges::count_if(kept, [&](const SeenRevocation& seen) {
    return seen.serial.starts_with(alike) != (seen.reason == pki::CrlReason::superseded);
  });
  EXPECT_EQ(wrong, std::ranges::count(many, pki::CrlReason::superseded, &SeenRevocation::reason) -
                       static_cast<std::ptrdiff_t>(some.size()));
}

TEST_F(StateStoreTest, VisitingStopsWhenTheVisitorHasEnoughAndStaysInItsScope) {
  open();
  for (const std::uint64_t scope : {1U, 2U, 3U}) {
    expect_ok(store_->accept_crl(key_number(1, scope), floor_number(1),
                                 std::vector{seen_number(scope), seen_number(scope + 10)}, {}));
  }
  expect_ok(store_->accept_crl(key_number(2, 2), floor_number(1), std::vector{seen_number(5)}, {}));
  EXPECT_EQ(seen_in(*store_, key_number(1, 2)), (std::vector{seen_number(2), seen_number(12)}));
  int visited = 0;
  expect_ok(store_->for_each_seen(key_number(1, 2), [&](const SeenRevocation&) {
    ++visited;
    return false;
  }));
  EXPECT_EQ(visited, 1);
  std::vector<std::pair<FloorKey, SeenRevocation>> of_issuer;
  expect_ok(store_->for_each_seen_of_issuer(hash_number(1),
                                            [&](const FloorKey& key, const SeenRevocation& seen) {
                                              of_issuer.emplace_back(key, seen);
                                              return of_issuer.size() < 5;
                                            }));
  ASSERT_EQ(of_issuer.size(), 5U);
  EXPECT_EQ(of_issuer[3].first, key_number(1, 2));
  EXPECT_EQ(of_issuer[4].first, key_number(1, 3));
  EXPECT_EQ(of_issuer[4].second, seen_number(3));
}

TEST_F(StateStoreTest, AnOlderOcspAnswerIsRolledBackAndAnEqualOneIsTaken) {
  open();
  expect_ok(store_->accept_ocsp(kScope, answer_at(100), std::nullopt, std::nullopt));
  const auto refused = store_->accept_ocsp(kScope, answer_at(99), seen_number(1), std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::untrusted);
  expect_ok(store_->accept_ocsp(kScope, answer_at(100), seen_number(1), std::nullopt));
  EXPECT_EQ(seen_in(*store_, kScope), std::vector{seen_number(1)});
  expect_ok(store_->accept_ocsp(kScope, answer_at(101), std::nullopt, serial_number(1)));
  EXPECT_TRUE(seen_in(*store_, kScope).empty());
  EXPECT_EQ(store_->floor(kScope), answer_at(101));
}

TEST_F(StateStoreTest, BeyondTheBoundTheOcspFloorsWithTheOldestThisUpdateGo) {
  options_.ocsp_floors_max = 3;
  open();
  // In no order: 50, 20, 40 stay after 10 and then others come and go.
  for (const std::int64_t seconds : {10, 50, 20}) {
    expect_ok(store_->accept_ocsp(key_number(1, static_cast<std::uint64_t>(seconds)),
                                  answer_at(seconds), seen_number(1), std::nullopt));
  }
  expect_ok(store_->accept_crl(kScope, floor_number(1), {}, {}));  // another kind: not counted
  expect_ok(store_->accept_ocsp(key_number(1, 40), answer_at(40), std::nullopt, std::nullopt));
  EXPECT_EQ(store_->floor(key_number(1, 10)), std::nullopt);
  EXPECT_EQ(store_->floor(key_number(1, 20)), answer_at(20));
  // Renewed: no longer the oldest, and nothing else goes for it.
  expect_ok(store_->accept_ocsp(key_number(1, 20), answer_at(60), std::nullopt, std::nullopt));
  EXPECT_EQ(store_->floor(key_number(1, 40)), answer_at(40));
  open();
  expect_ok(store_->accept_ocsp(key_number(1, 30), answer_at(30), std::nullopt, std::nullopt));
  EXPECT_EQ(store_->floor(key_number(1, 40)), std::nullopt);
  EXPECT_EQ(store_->floor(key_number(1, 30)), answer_at(30));
  expect_ok(store_->accept_ocsp(key_number(1, 70), answer_at(70), std::nullopt, std::nullopt));
  EXPECT_EQ(store_->floor(key_number(1, 30)), std::nullopt);
  EXPECT_EQ(store_->floor(key_number(1, 50)), answer_at(50));
  EXPECT_EQ(store_->floor(key_number(1, 20)), answer_at(60));
  EXPECT_EQ(store_->floor(kScope), floor_number(1));
  EXPECT_EQ(seen_in(*store_, key_number(1, 10)), std::vector{seen_number(1)})
      << "a revocation seen is not forgotten with its floor";
}

TEST_F(StateStoreTest, LoweredBoundsHoldFromTheNextStart) {
  open();
  for (std::uint64_t i = 0; i < 20; ++i) {
    expect_ok(store_->accept_ocsp(key_number(1, i), answer_at(static_cast<std::int64_t>(i)),
                                  std::nullopt, std::nullopt));
    expect_ok(store_->append_audit(std::to_string(i), false));
    expect_ok(store_->append_decision(std::to_string(i)));
  }
  options_.ocsp_floors_max = 4;
  options_.audit_entries_max = 3;
  options_.decisions_max = 2;
  open();
  EXPECT_EQ(store_->floor(key_number(1, 15)), std::nullopt);
  EXPECT_EQ(store_->floor(key_number(1, 16)), answer_at(16));
  EXPECT_EQ(store_->audit(100), (std::vector<std::string>{"19", "18", "17"}));
  EXPECT_EQ(store_->decisions(100), (std::vector<std::string>{"19", "18"}));
  open();
  EXPECT_EQ(store_->audit(100), (std::vector<std::string>{"19", "18", "17"}));
  EXPECT_EQ(store_->decisions(100), (std::vector<std::string>{"19", "18"}));
}

TEST_F(StateStoreTest, AResetTakesFloorsAndRevocationsSeenOfOneIssuerOnly) {
  options_.ocsp_floors_max = 2;
  open();
  expect_ok(store_->accept_crl(kScope, floor_number(1), std::vector{seen_number(1)}, {}));
  expect_ok(store_->accept_crl(key_number(2, 1), floor_number(1), std::vector{seen_number(2)}, {}));
  expect_ok(store_->accept_ocsp(key_number(1, 5), answer_at(5), seen_number(5), std::nullopt));
  expect_ok(store_->accept_ocsp(key_number(2, 5), answer_at(6), std::nullopt, std::nullopt));
  expect_ok(store_->revoke(manual_number(3)));
  EXPECT_EQ(store_->reset_floors(hash_number(1)), 2U);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store_->floor(kScope), std::nullopt);
    EXPECT_EQ(store_->floor(key_number(1, 5)), std::nullopt);
    EXPECT_TRUE(seen_in(*store_, kScope).empty());
    EXPECT_TRUE(seen_in(*store_, key_number(1, 5)).empty());
    EXPECT_EQ(store_->floor(key_number(2, 1)), floor_number(1));
    EXPECT_EQ(seen_in(*store_, key_number(2, 1)), std::vector{seen_number(2)});
    EXPECT_EQ(store_->manual_revocations(), std::vector{manual_number(3)});
    open();
  }
  EXPECT_EQ(store_->reset_floors(hash_number(1)), 0U);
  // An older CRL is taken again, as after the CA was restored from a backup.
  expect_ok(store_->accept_crl(kScope, floor_number(0), std::vector{seen_number(9)}, {}));
  EXPECT_EQ(seen_in(*store_, kScope), std::vector{seen_number(9)});
  // The count of OCSP floors went along: there is room for one more beside the other issuer's.
  expect_ok(store_->accept_ocsp(key_number(3, 5), answer_at(7), std::nullopt, std::nullopt));
  EXPECT_EQ(store_->floor(key_number(2, 5)), answer_at(6));
}

TEST_F(StateStoreTest, ManualRevocationsComeAndGo) {
  open();
  expect_ok(store_->revoke(manual_number(2)));
  expect_ok(store_->revoke(manual_number(1)));
  ManualRevocation again = manual_number(2);
  again.note = "another reason";
  expect_ok(store_->revoke(again));
  EXPECT_EQ(store_->manual_revocations(), (std::vector{manual_number(1), again}));
  EXPECT_EQ(store_->unrevoke(hash_number(1), serial_number(1)), true);
  EXPECT_EQ(store_->unrevoke(hash_number(1), serial_number(1)), false);
  EXPECT_EQ(store_->unrevoke(hash_number(2), serial_number(2)), false);
  open();
  EXPECT_EQ(store_->manual_revocations(), std::vector{again});
}

TEST_F(StateStoreTest, LeadingZeroOctetsOfASerialDoNotCount) {
  open();
  SeenRevocation padded = seen_number(1);
  padded.serial = std::string(2, '\0') + padded.serial;
  expect_ok(store_->accept_crl(kScope, floor_number(1), std::vector{padded}, {}));
  EXPECT_EQ(seen_in(*store_, kScope), std::vector{seen_number(1)});
  expect_ok(store_->accept_crl(kScope, floor_number(2), {}, std::vector{padded.serial}));
  EXPECT_TRUE(seen_in(*store_, kScope).empty());
  expect_ok(store_->revoke(manual_number(1)));
  EXPECT_EQ(store_->unrevoke(hash_number(1), std::string(1, '\0') + serial_number(1)), true);
}

TEST_F(StateStoreTest, TheClockFloorRisesAndOnlyAResetLowersIt) {
  open();
  expect_ok(store_->raise_clock_floor(at(100)));
  expect_ok(store_->raise_clock_floor(at(90)));
  EXPECT_EQ(store_->clock_floor(), at(100));
  expect_ok(store_->reset_clock_floor(at(50)));
  open();
  EXPECT_EQ(store_->clock_floor(), at(50));
}

TEST_F(StateStoreTest, TheAuditTrailIsARing) {
  options_.audit_entries_max = 5;
  open();
  for (int i = 0; i < 23; ++i) {
    expect_ok(store_->append_audit(std::to_string(i), i % 2 == 0));
    if (i % 7 == 0) open();
  }
  EXPECT_EQ(store_->audit(100), (std::vector<std::string>{"22", "21", "20", "19", "18"}));
  EXPECT_EQ(store_->audit(2), (std::vector<std::string>{"22", "21"}));
  EXPECT_TRUE(store_->audit(0)->empty());
}

TEST_F(StateStoreTest, DecisionsAreARingApartFromTheAuditTrail) {
  options_.audit_entries_max = 5;
  options_.decisions_max = 3;
  open();
  expect_ok(store_->append_audit("change", false));
  for (int i = 0; i < 23; ++i) {
    expect_ok(store_->append_decision(std::to_string(i)));
    if (i % 7 == 0) open();
  }
  EXPECT_EQ(store_->decisions(100), (std::vector<std::string>{"22", "21", "20"}));
  EXPECT_EQ(store_->decisions(2), (std::vector<std::string>{"22", "21"}));
  EXPECT_TRUE(store_->decisions(0)->empty());
  EXPECT_EQ(store_->audit(100), (std::vector<std::string>{"change"}));
}

TEST_F(StateStoreTest, RefreshRecordsAreReplacedAndErased) {
  open();
  expect_ok(store_->put_refresh_record("http://b/", "1"));
  expect_ok(store_->put_refresh_record("http://a/", "2"));
  expect_ok(store_->put_refresh_record("http://b/", "3"));
  expect_ok(store_->erase_refresh_record("http://a/"));
  expect_ok(store_->erase_refresh_record("http://never/"));
  open();
  EXPECT_EQ(store_->refresh_records(),
            (std::vector<std::pair<std::string, std::string>>{{"http://b/", "3"}}));
}

TEST_F(StateStoreTest, WhatIsOverALimitIsRefusedAndLeavesNothing) {
  open();
  SeenRevocation seen = seen_number(1);
  seen.serial.assign(kSeenSerialBytesMax + 1, 'x');
  ManualRevocation long_serial = manual_number(1);
  long_serial.serial = seen.serial;
  ManualRevocation long_note = manual_number(1);
  long_note.note.assign(kManualNoteBytesMax + 1, 'x');
  const std::string entry(kAuditEntryBytesMax + 1, 'x');
  const std::string decision(kDecisionBytesMax + 1, 'x');
  const std::string url(kRefreshUrlBytesMax + 1, 'x');
  const std::string record(kRefreshRecordBytesMax + 1, 'x');
  const std::vector<Result<void>> refused{
      store_->accept_crl(kScope, floor_number(1), std::vector{seen_number(2), seen}, {}),
      store_->accept_crl(kScope, floor_number(1), {}, std::vector{seen.serial}),
      store_->accept_ocsp(kScope, answer_at(1), seen, std::nullopt),
      store_->revoke(long_serial),
      store_->revoke(long_note),
      store_->append_audit(entry, false),
      store_->append_decision(decision),
      store_->put_refresh_record(url, "x"),
      store_->put_refresh_record("x", record)};
  for (std::size_t i = 0; i < refused.size(); ++i) {
    ASSERT_FALSE(refused[i]) << i;
    EXPECT_EQ(refused[i].error().code, ErrorCode::too_large) << i;
  }
  EXPECT_EQ(store_->floor(kScope), std::nullopt);
  EXPECT_TRUE(seen_in(*store_, kScope).empty());
  EXPECT_TRUE(store_->manual_revocations()->empty());
  EXPECT_TRUE(store_->audit(10)->empty());
  EXPECT_TRUE(store_->decisions(10)->empty());
  EXPECT_TRUE(store_->refresh_records()->empty());
}

TEST_F(StateStoreTest, ADateThatCouldNotBeReadAgainIsRefused) {
  open();
  const WallSeconds never = at(INT64_MAX);
  SeenRevocation seen = seen_number(1);
  seen.revoked_at = never;
  ManualRevocation manual = manual_number(1);
  manual.revoked_at = never;
  Floor floor = floor_number(1);
  floor.this_update = never;
  EXPECT_FALSE(store_->accept_crl(kScope, floor, {}, {}));
  EXPECT_FALSE(store_->accept_crl(kScope, floor_number(1), std::vector{seen}, {}));
  EXPECT_FALSE(store_->revoke(manual));
  EXPECT_FALSE(store_->raise_clock_floor(never));
  EXPECT_FALSE(store_->reset_clock_floor(never));
  EXPECT_EQ(store_->clock_floor(), std::nullopt);
}

}  // namespace
}  // namespace revcache::revocation
