// Thirty virtual days of a whole worker: a CA like Cloud PKI's behind a CDN that fails for hours
// and days, 10,000 logins a day.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pki/asn1_time.h"
#include "revocation/refresh_schedule.h"
#include "revocation/snapshot.h"
#include "tests/pki/crl_factory.h"
#include "tests/world/world.h"

namespace revcache::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kPath = "/region/crls/current.crl";
constexpr seconds kInterval{900};
constexpr auto kLoginEvery = milliseconds(days(1)) / 10'000;
// From a fetch that falls due to its evidence: the network's and the pool's delays.
constexpr seconds kDelivery{2};

// A CRL and what is to be remembered of it.
struct Published {
  std::string body;
  WallTime at;
  WallSeconds next_update;
  std::vector<std::string> revoked;
};

class Month {
 public:
  explicit Month(std::uint64_t seed)
      : signer_({.kind = pki::CrlKeyKind::ec, .common_name = "Root", .extensions = {}}),
        world_(Seed{seed}, {.authority = signer_.certificate(), .crl_paths = {}}) {
    world_.scheduler().set_wall(pki::test_now());
    world_.origin().set_body(
        [this](const std::string&, std::uint64_t version) { return published_.at(version).body; });
    // A lifetime far below refresh.interval: HTTP alone would have clients wait all the time.
    world_.origin().behaviour().max_age = seconds(300);
    world_.origin().behaviour().delay_min = milliseconds(20);
    world_.origin().behaviour().delay_max = milliseconds(500);
    published_.emplace(0, make_crl());
    plan_publication();
    plan_revocation();
    plan_outage();
  }

  void run() {
    // The first fetch of the URL is the only one that a client waits for.
    check_login(world_.get_now(kPath), true);
    const auto end = world_.scheduler().elapsed() + days(30);
    while (world_.scheduler().elapsed() < end) {
      world_.scheduler().run_for(kLoginEvery);
      world_.get(kPath, [this](const ClientAnswer& answer) { check_login(answer, false); });
      if (++logins_ % 100 == 0) check_revocations();
    }
    world_.origin().behaviour().hang_up_probability = 0;
    world_.drain_and_check();
    EXPECT_GE(logins_, 299'000U);
    EXPECT_GE(revocations_, 10U);
    EXPECT_GE(outages_, 3U);
    // A connection that dies unused may be tried twice.
    EXPECT_LE(world_.origin().requests(kPath),
              2 * revocation::attempts_max(kInterval, days(30), disturbances()));
  }

 private:
  [[nodiscard]] WallTime now() { return world_.scheduler().wall(); }

  Published make_crl() {
    const WallTime at = now();
    const auto made = std::chrono::floor<seconds>(at);
    pki::CrlText text;
    text.this_update = pki::generalized_time_element(pki::generalized_time(made));
    text.next_update = pki::generalized_time_element(pki::generalized_time(made + days(7)));
    for (const std::string& serial : revoked_) text.entries += pki::entry(serial);
    text.has_list = !revoked_.empty();
    // Two octets; the first bit is the sign.
    const auto number = 0x100U + static_cast<unsigned>(published_.size());
    const std::string octets{static_cast<char>(number >> 8U), static_cast<char>(number & 0xFFU)};
    text.extensions = pki::extension(pki::id_ce(20), pki::integer(octets));
    return {
        .body = signer_.crl(text), .at = at, .next_update = made + days(7), .revoked = revoked_};
  }

  void publish() {
    world_.origin().publish(kPath);
    published_.emplace(world_.origin().version(kPath), make_crl());
  }

  void plan_publication() {
    world_.scheduler().after(hours(84), [this] {
      publish();
      plan_publication();
    });
  }

  void plan_revocation() {
    world_.scheduler().after(world_.scheduler().uniform(hours(1), hours(40)), [this] {
      const auto serial = static_cast<char>(++revocations_);
      revoked_.emplace_back(std::string(1, '\x01') + serial);
      publish();
      plan_revocation();
    });
  }

  void plan_outage() {
    world_.scheduler().after(world_.scheduler().uniform(hours(6), hours(120)), [this] {
      ++outages_;
      down_ = true;
      auto& behaviour = world_.origin().behaviour();
      // Some outages answer, with errors or a web page; some do not.
      behaviour.hang_up_probability = 1;
      if (outages_ % 3 == 1) {
        behaviour.hang_up_probability = 0;
        behaviour.error_probability = 1;
      } else if (outages_ % 3 == 2) {
        behaviour.hang_up_probability = 0;
        behaviour.web_page_probability = 1;
      }
      const auto length = world_.scheduler().uniform(minutes(10), hours(60));
      world_.scheduler().after(length, [this] {
        auto& ended = world_.origin().behaviour();
        ended.hang_up_probability = ended.error_probability = ended.web_page_probability = 0;
        down_ = false;
        up_since_ = now();
        plan_outage();
      });
    });
  }

  // The version whose bytes these are.
  [[nodiscard]] const Published* find(const std::string& body) const {
    for (auto version = published_.rbegin(); version != published_.rend(); ++version) {
      if (version->second.body == body) return &version->second;
    }
    return nullptr;
  }

  // The newest CRL that must have got here: the CDN was up for an interval after its publication.
  [[nodiscard]] bool must_have_arrived(const Published& crl) {
    return !down_ && now() - std::max(crl.at, up_since_) > kInterval + kDelivery;
  }

  void check_login(const ClientAnswer& answer, bool may_wait) {
    ASSERT_EQ(answer.status, 200) << answer.cache_status << " at " << pki::rfc3339(seconds_now());
    const Published* crl = find(answer.body);
    ASSERT_NE(crl, nullptr) << "not what the CA published";
    EXPECT_LT(now(), WallTime(crl->next_update)) << "served past nextUpdate";
    if (!may_wait) {
      EXPECT_TRUE(answer.cache_status.starts_with("revcache; hit"))
          << answer.cache_status << " at " << pki::rfc3339(seconds_now());
    }
    const Published& newest = published_.rbegin()->second;
    if (must_have_arrived(newest)) {
      EXPECT_EQ(answer.body, newest.body) << "an old CRL at " << pki::rfc3339(seconds_now());
    }
  }

  // What a client is told and what the proxy itself would say agree.
  void check_revocations() {
    const auto known = world_.evidence().snapshot();
    ASSERT_EQ(known->issuers().size(), 1U);
    const auto& issuer = known->issuers().front();
    for (const auto& [version, crl] : published_) {
      if (!must_have_arrived(crl)) continue;
      for (const std::string& serial : crl.revoked) {
        const auto status = revocation::Snapshot::status(issuer, as_bytes(serial), {}, now());
        EXPECT_TRUE(std::holds_alternative<revocation::Revoked>(status));
      }
    }
    const auto other = revocation::Snapshot::status(issuer, as_bytes("\x02\x01"), {}, now());
    EXPECT_TRUE(std::holds_alternative<revocation::NotRevoked>(other));
  }

  [[nodiscard]] WallSeconds seconds_now() { return std::chrono::floor<seconds>(now()); }

  // At most: each publication and each outage, one after another.
  [[nodiscard]] revocation::Disturbances disturbances() const {
    return {.publications = published_.size(),
            .failure_runs = outages_,
            .pressing_spells = outages_,
            .pressing = hours(60) * static_cast<int>(outages_)};
  }

  pki::CrlSigner signer_;
  World world_;
  std::map<std::uint64_t, Published> published_;
  std::vector<std::string> revoked_;
  std::uint64_t logins_ = 0;
  std::uint64_t revocations_ = 0;
  std::uint64_t outages_ = 0;
  bool down_ = false;
  WallTime up_since_{};
};

class WorldMonth : public testing::TestWithParam<std::uint64_t> {};

TEST_P(WorldMonth, NoLoginWaitsNothingIsServedTooLongAndRevocationsArrive) {
  Month month(GetParam());
  month.run();
}

INSTANTIATE_TEST_SUITE_P(Seeds, WorldMonth, testing::Values(1, 2));

}  // namespace
}  // namespace revcache::sim
