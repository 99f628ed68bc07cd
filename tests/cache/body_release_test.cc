#include "cache/body_release.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "cache/tier.h"

namespace revcache::cache {
namespace {

std::string long_body() { return std::string(kPieceBytes + 1, 'x'); }

TEST(BodyRelease, WhoLetsGoLastHandsTheBodyOnAndDoesNotFreeIt) {
  const auto queue = std::make_shared<ReleaseQueue>();
  SharedBytes body = share_through(queue, long_body());
  SharedBytes slice = body.slice(7, 9);
  body = {};
  EXPECT_EQ(queue->waiting(), 0U);
  EXPECT_EQ(slice.text(), "xxxxxxxxx");
  slice = {};
  EXPECT_EQ(queue->waiting(), 1U);
  EXPECT_TRUE(queue->free_waiting());
  EXPECT_EQ(queue->waiting(), 0U);
}

TEST(BodyRelease, AfterTheEndABodyIsFreedWhereItIsLetGoOf) {
  const auto queue = std::make_shared<ReleaseQueue>();
  SharedBytes early = share_through(queue, long_body());
  SharedBytes late = share_through(queue, long_body());
  early = {};
  queue->close();
  late = {};
  EXPECT_EQ(queue->waiting(), 1U);
  EXPECT_TRUE(queue->free_waiting()) << "what waited is freed first";
  EXPECT_FALSE(queue->free_waiting());
}

TEST(BodyRelease, SharesWhereTheBodyLiesAndBodiesMayOutliveIt) {
  SharedBytes outlives;
  {
    BodyRelease bodies;
    std::string body = long_body();
    const char* place = body.data();
    outlives = bodies.share(std::move(body));
    EXPECT_EQ(outlives.text().data(), place);
    EXPECT_EQ(bodies.share("short").text(), "short");
    bodies.release(long_body());
  }
  EXPECT_EQ(outlives.size(), long_body().size());
}

}  // namespace
}  // namespace revcache::cache
