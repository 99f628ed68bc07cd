// What is held of good answers: the newest of a serial, while it lasts, up to a bound.
#include "revocation/held_answer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;

HeldAnswer about(std::string serial, int made_hours_ago, int valid_hours) {
  HeldAnswer made;
  made.serial = std::move(serial);
  made.this_update = hours_ago(made_hours_ago);
  made.next_update = made.this_update + std::chrono::hours(valid_hours);
  return made;
}

HeldAnswers all_of(const std::vector<HeldAnswer>& answers, std::size_t answers_max = 8) {
  HeldAnswers held;
  for (const HeldAnswer& answer : answers) held = held.with(answer, answers_max, pki::test_now());
  return held;
}

std::string serials_of(const HeldAnswers& held) {
  std::string all;
  for (const auto& answer : held.all()) all += answer->serial;
  return all;
}

TEST(HeldAnswers, AreFoundBySerialWhateverZerosLeadIt) {
  const HeldAnswers held = all_of({about("c", 1, 9), about("a", 1, 9), about("b", 1, 9)});
  EXPECT_EQ(serials_of(held), "abc");
  ASSERT_NE(held.find(as_bytes("b")), nullptr);
  EXPECT_EQ(held.find(as_bytes("b"))->serial, "b");
  EXPECT_NE(held.find(as_bytes(std::string(2, '\0') + "a")), nullptr);
  EXPECT_EQ(held.find(as_bytes("d")), nullptr);
  EXPECT_EQ(held.find(as_bytes("ab")), nullptr);
  EXPECT_EQ(HeldAnswers{}.find(as_bytes("a")), nullptr);
}

TEST(HeldAnswers, OfOneSerialTheNewestIsHeld) {
  const auto end_of = [](const HeldAnswers& held) { return held.find(as_bytes("a"))->next_update; };
  EXPECT_EQ(end_of(all_of({about("a", 3, 9), about("a", 1, 4)})), hours_ago(-3));
  EXPECT_EQ(end_of(all_of({about("a", 1, 4), about("a", 3, 9)})), hours_ago(-3));
  // As new: what was said last.
  EXPECT_EQ(end_of(all_of({about("a", 1, 9), about("a", 1, 4)})), hours_ago(-3));
  EXPECT_EQ(all_of({about("a", 3, 9), about("a", 1, 4)}).size(), 1U);
}

TEST(HeldAnswers, WhatIsOverGoes) {
  const HeldAnswers held = all_of({about("a", 1, 2), about("b", 1, 9)});
  const WallTime end = WallTime(hours_ago(-1));
  EXPECT_EQ(serials_of(held.with(about("c", 1, 9), 8, end - 1ms)), "abc");
  EXPECT_EQ(serials_of(held.with(about("c", 1, 9), 8, end)), "bc");
  EXPECT_EQ(serials_of(held.with(about("c", 1, 2), 8, end)), "b");
}

TEST(HeldAnswers, PastTheBoundTheOneThatEndsFirstGoes) {
  const HeldAnswers held = all_of({about("a", 1, 5), about("b", 1, 3), about("c", 1, 9)}, 3);
  EXPECT_EQ(serials_of(held.with(about("d", 1, 4), 3, pki::test_now())), "acd");
  EXPECT_EQ(serials_of(held.with(about("d", 1, 2), 3, pki::test_now())), "abc");
  EXPECT_EQ(serials_of(held.with(about("b", 0, 1), 3, pki::test_now())), "abc");
}

TEST(HeldAnswers, WithoutASerialTheOthersStayAndTheOriginalIsAsItWas) {
  const HeldAnswers held = all_of({about("a", 1, 5), about("b", 1, 3)});
  EXPECT_EQ(serials_of(held.without(as_bytes("a"))), "b");
  EXPECT_EQ(serials_of(held.without(as_bytes(std::string(1, '\0') + "b"))), "a");
  EXPECT_EQ(serials_of(held.without(as_bytes("x"))), "ab");
  EXPECT_EQ(serials_of(held), "ab");
}

}  // namespace
}  // namespace revcache::revocation
