#include "cache/body_room.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "cache/tier.h"

namespace revcache::cache {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

struct Case {
  const char* description;
  std::uint64_t promised_bytes;
  std::uint64_t body_bytes;
  std::uint64_t bytes_max;
  int moves_max;  // once the body is longer than a piece
};

class BodyRoom : public ::testing::TestWithParam<Case> {};

TEST_P(BodyRoom, IsMadeOnceForALongBody) {
  const std::string piece(64 * 1024, 'x');
  std::string body;
  make_room(body, GetParam().promised_bytes);
  const char* place = nullptr;
  int moves = 0;
  while (body.size() < GetParam().body_bytes) {
    append_piece(body, piece, GetParam().bytes_max);
    if (body.size() <= kPieceBytes) continue;
    if (place != nullptr && place != body.data()) ++moves;
    place = body.data();
  }
  EXPECT_LE(moves, GetParam().moves_max);
  EXPECT_LE(body.capacity(), std::max(GetParam().bytes_max, GetParam().promised_bytes));
}

INSTANTIATE_TEST_SUITE_P(All, BodyRoom,
                         ::testing::Values(Case{"promised", 47 * kMiB, 47 * kMiB, 256 * kMiB, 0},
                                           Case{"unknown", 0, 47 * kMiB, 256 * kMiB, 0},
                                           Case{"longer than unknown ones are thought to be", 0,
                                                100 * kMiB, 256 * kMiB, 1},
                                           Case{"unknown, and may be no longer than this", 0,
                                                8 * kMiB, 8 * kMiB, 0}),
                         [](const auto& tested) { return "Case" + std::to_string(tested.index); });

TEST(BodyRoomBounds, APromiseIsBelievedUpToABound) {
  std::string body;
  make_room(body, std::uint64_t{1} << 50U);
  EXPECT_EQ(body.capacity(), kPromisedRoomBytesMax);
}

}  // namespace
}  // namespace revcache::cache
