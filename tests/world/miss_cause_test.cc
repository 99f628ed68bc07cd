// revcache_misses_total: which cause a miss of a CRL gets.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/revocation/evidence_world.h"
#include "tests/world/world.h"

namespace revcache::sim {
namespace {

using metrics::MissCause;
using std::chrono::seconds;

class MissCauses : public testing::Test {
 protected:
  using Counts = std::array<std::uint64_t, metrics::kMissCauses>;

  void begin(bool ca_is_known) {
    world_ = std::make_unique<World>(
        Seed{1},
        WorldOptions{.authority = ca_is_known ? ca_.certificate() : nullptr, .crl_paths = {}});
    world_->scheduler().set_wall(pki::test_now());
    world_->origin().set_body([this](const std::string&, std::uint64_t) { return ca_.crl({}); });
  }
  [[nodiscard]] Counts misses() const {
    Counts counts{};
    for (std::size_t cause = 0; cause < counts.size(); ++cause) {
      for (const auto& of_kind : world_->metrics().misses) counts[cause] += of_kind[cause].value();
    }
    return counts;
  }
  static Counts of(MissCause cause, std::uint64_t count) {
    Counts counts{};
    counts[metrics::index(cause)] = count;
    return counts;
  }

  static constexpr const char* kPath = "/crls/current.crl";
  pki::CrlSigner ca_ = revocation::testing::make_ca();
  std::unique_ptr<World> world_;
};

TEST_F(MissCauses, ACrlOfAKnownCaThatWasNeverStoredIsCold) {
  begin(true);
  EXPECT_EQ(world_->get_now(kPath).status, 200);
  EXPECT_EQ(misses(), of(MissCause::cold, 1));
  EXPECT_EQ(world_->get_now(kPath).status, 200);
  EXPECT_EQ(misses(), of(MissCause::cold, 1)) << "a hit";
  world_->drain_and_check();
}

TEST_F(MissCauses, ACrlOfACaThatNobodyKnowsIsToldApart) {
  begin(false);
  EXPECT_EQ(world_->get_now(kPath).status, 200);
  EXPECT_EQ(misses(), of(MissCause::unknown_ca, 1));
  world_->drain_and_check();
}

TEST_F(MissCauses, EachOneThatWaitsForTheSameFetchIsCountedOnce) {
  begin(false);
  int answers = 0;
  for (int i = 0; i < 5; ++i) {
    world_->get(kPath, [&answers](const ClientAnswer&) { ++answers; });
  }
  world_->scheduler().run_for(seconds(10));
  EXPECT_EQ(answers, 5);
  EXPECT_EQ(misses(), of(MissCause::unknown_ca, 5));
  world_->drain_and_check();
}

TEST_F(MissCauses, WithoutAnAnswerNothingIsKnownOfItsCa) {
  begin(false);
  world_->origin().behaviour().error_probability = 1;
  EXPECT_EQ(world_->get_now(kPath).status, 503);
  EXPECT_EQ(misses(), of(MissCause::cold, 1));
  world_->drain_and_check();
}

}  // namespace
}  // namespace revcache::sim
