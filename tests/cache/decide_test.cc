// RFC 9111 sections 4.2.4 and 5.2.1, RFC 5861, and verified evidence: whether a stored response may
// be used.
#include <gtest/gtest.h>

#include <limits>
#include <ostream>

#include "cache/freshness.h"
#include "tests/cache/messages.h"

namespace revcache::cache {

std::ostream& operator<<(std::ostream& out, Use use) {
  constexpr std::array<std::string_view, 5> kNames{"fresh", "stale", "stale_while_revalidate",
                                                   "validate", "unusable"};
  return out << kNames[static_cast<std::size_t>(use)];
}

namespace testing {
namespace {

http::RequestDirectives asked(const std::string& cache_control) {
  http::Fields fields;
  if (!cache_control.empty()) fields.add("Cache-Control", cache_control);
  return http::parse_request_directives(fields.view());
}

struct Row {
  std::string_view says;
  std::string stored;   // Cache-Control of the response
  std::string request;  // Cache-Control of the request
  int after = 0;        // seconds since arrival
  Use use = Use::validate;
  bool usable_on_error = false;
};

void expect_decisions(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto stored = stored_of({{"Date", at(0)}, {"Cache-Control", row.stored}});
    const auto decision = decide(stored, asked(row.request), kArrival + seconds{row.after});
    EXPECT_EQ(decision.use, row.use) << row.says;
    EXPECT_EQ(decision.usable_on_error, row.usable_on_error) << row.says;
    EXPECT_EQ(decision.age, seconds{row.after}) << row.says;
  }
}

TEST(Decide, UsesWhatIsFreshAndAsksAboutWhatIsStale) {
  expect_decisions({
      {"4.2: fresh at once", "max-age=60", "", 0, Use::fresh},
      {"4.2: fresh in its last second", "max-age=60", "", 59, Use::fresh},
      {"4.2: stale when age equals lifetime", "max-age=60", "", 60, Use::validate},
      {"4.2: stale after it", "max-age=60", "", 61, Use::validate},
      {"4.2: never fresh", "max-age=0", "", 0, Use::validate},
      {"4.2: no lifetime at all", "public", "", 0, Use::validate},
      {"5.2.2.4: no-cache, fresh", "no-cache, max-age=60", "", 1, Use::validate},
      {"5.2.2.2: must-revalidate while fresh", "max-age=60, must-revalidate", "", 1, Use::fresh},
      {"5.2.2.10: s-maxage while fresh", "s-maxage=60", "", 1, Use::fresh},
  });
}

TEST(Decide, ListensToTheDirectivesOfTheRequest) {
  expect_decisions({
      {"5.2.1.4: no-cache", "max-age=60", "no-cache", 1, Use::validate},
      {"5.2.1.4: no-cache beside max-stale", "max-age=60", "no-cache, max-stale", 1, Use::validate},
      {"5.2.1.5: no-store does not forbid reuse", "max-age=60", "no-store", 1, Use::fresh},
      {"5.2.1.7: only-if-cached changes nothing here", "max-age=60", "only-if-cached", 1,
       Use::fresh},
      {"5.2.1.1: young enough", "max-age=60", "max-age=10", 9, Use::fresh},
      {"5.2.1.1: just young enough", "max-age=60", "max-age=10", 10, Use::fresh},
      {"5.2.1.1: too old, and better than nothing", "max-age=60", "max-age=10", 11, Use::validate,
       true},
      {"5.2.1.1: CryptoAPI writes spaces", "max-age=7200", "max-age = 3600", 3601, Use::validate,
       true},
      {"5.2.1.1: CryptoAPI, young enough", "max-age=7200", "max-age = 3600", 3600, Use::fresh},
      {"5.2.1.1: max-age=0 in the first second", "max-age=60", "max-age=0", 0, Use::validate},
      {"5.2.1.1: max-age does not make stale things usable", "max-age=60", "max-age=90", 70,
       Use::validate},
      {"5.2.1.3: fresh for long enough", "max-age=60", "min-fresh=20", 39, Use::fresh},
      {"5.2.1.3: fresh for just long enough", "max-age=60", "min-fresh=20", 40, Use::fresh},
      {"5.2.1.3: not fresh for long enough", "max-age=60", "min-fresh=20", 41, Use::validate, true},
      {"5.2.1.2: any staleness", "max-age=60", "max-stale", 100000, Use::stale},
      {"5.2.1.2: within the limit", "max-age=60", "max-stale=10", 69, Use::stale},
      {"5.2.1.2: at the limit", "max-age=60", "max-stale=10", 70, Use::stale},
      {"5.2.1.2: past the limit", "max-age=60", "max-stale=10", 71, Use::validate},
      {"5.2.1.2: while fresh", "max-age=60", "max-stale=10", 5, Use::fresh},
      {"5.2.1.1: max-stale does not lift max-age", "max-age=60", "max-age=65, max-stale=10", 66,
       Use::validate},
      {"5.2.1.1: max-age and max-stale both hold", "max-age=60", "max-age=65, max-stale=10", 64,
       Use::stale},
      {"5.2.1.3: min-fresh beside max-stale", "max-age=60", "min-fresh=1, max-stale", 61,
       Use::validate},
      {"4.2.4: no-cache beside max-stale", "max-age=60, no-cache", "max-stale", 61, Use::validate},
      {"4.2.4: must-revalidate", "max-age=60, must-revalidate", "max-stale", 61, Use::validate},
      {"4.2.4: proxy-revalidate", "max-age=60, proxy-revalidate", "max-stale", 61, Use::validate},
      {"4.2.4: s-maxage", "s-maxage=60", "max-stale", 61, Use::validate},
  });
}

TEST(Decide, AnswersFirstAndValidatesBehindTheClientsBackWhereTheOriginAllows) {
  const std::string stored = "max-age=60, stale-while-revalidate=30";
  expect_decisions({
      {"RFC 5861 3: while fresh", stored, "", 59, Use::fresh},
      {"RFC 5861 3: from the first stale second", stored, "", 60, Use::stale_while_revalidate},
      {"RFC 5861 3: to the last", stored, "", 90, Use::stale_while_revalidate},
      {"RFC 5861 3: not longer", stored, "", 91, Use::validate},
      {"RFC 5861 3: zero seconds", "max-age=60, stale-while-revalidate=0", "", 60, Use::validate},
      {"4.2.4: must-revalidate", stored + ", must-revalidate", "", 70, Use::validate},
      {"4.2.4: no-cache", stored + ", no-cache", "", 70, Use::validate},
      {"5.2.1.1: a client that wants nothing stale", stored, "max-age=600", 70, Use::validate},
      {"5.2.1.2: within max-stale too", stored, "max-stale=20", 80, Use::stale_while_revalidate},
      {"5.2.1.2: the client accepts less", stored, "max-stale=10", 80, Use::validate},
      {"5.2.1.2: the client accepts more", stored, "max-stale=60", 100, Use::stale},
  });
}

TEST(Decide, TellsWhatMayBeUsedWhenUpstreamFails) {
  const std::string stored = "max-age=60, stale-if-error=30";
  expect_decisions({
      {"RFC 5861 4: within", stored, "", 61, Use::validate, true},
      {"RFC 5861 4: at the limit", stored, "", 90, Use::validate, true},
      {"RFC 5861 4: past it", stored, "", 91, Use::validate, false},
      {"RFC 5861 4: zero", "max-age=60, stale-if-error=0", "", 60, Use::validate, false},
      {"4.2.4: nobody allowed it", "max-age=60", "", 61, Use::validate, false},
      {"RFC 5861 4: the request allows it", "max-age=60", "stale-if-error=30", 80, Use::validate,
       true},
      {"RFC 5861 4: the request allows more", stored, "stale-if-error=60", 110, Use::validate,
       true},
      {"RFC 5861 4: the request allows less", stored, "stale-if-error=5", 80, Use::validate, true},
      {"RFC 5861 4: also for no-cache requests", stored, "no-cache", 70, Use::validate, true},
      {"RFC 5861 4: also for no-cache requests while fresh", stored, "no-cache", 10, Use::validate,
       true},
      {"4.2.4: must-revalidate forbids", stored + ", must-revalidate", "", 61, Use::validate,
       false},
      {"4.2.4: proxy-revalidate forbids", stored + ", proxy-revalidate", "", 61, Use::validate,
       false},
      {"4.2.4: s-maxage forbids", "s-maxage=60, stale-if-error=30", "", 61, Use::validate, false},
      {"5.2.2.4: no-cache forbids", stored + ", no-cache", "", 1, Use::validate, false},
      {"5.2.2.2: must-revalidate speaks of stale responses only", "max-age=60, must-revalidate",
       "max-age=5", 10, Use::validate, true},
      {"what is used needs no permission", stored, "", 10, Use::fresh, false},
  });
}

struct EvidenceRow {
  std::string_view says;
  Trust trust = Trust::verified;
  std::string stored;
  std::string request;
  int after = 0;
  int usable_until = 1000;
  Use use = Use::validate;
  int ttl = 0;
  bool usable_on_error = true;
};

TEST(Decide, HoldsVerifiedEvidenceUntilItsNextUpdateAndNotLonger) {
  const auto is = Trust::verified;
  const auto not_verified = Trust::unverified;
  const std::vector<EvidenceRow> rows{
      {"fresh", is, "max-age=60", "", 10, 1000, Use::fresh, 50, false},
      {"fresh, with ttl cut to usable_until", is, "max-age=60", "", 10, 30, Use::fresh, 20, false},
      {"unverified: cut as well", not_verified, "max-age=60", "", 10, 30, Use::fresh, 20, false},
      {"fresh in the last second", is, "max-age=60", "", 29, 30, Use::fresh, 1, false},
      {"never at usable_until", is, "max-age=60", "", 30, 30, Use::unusable, 0, false},
      {"never past it, though fresh", is, "max-age=60", "", 31, 30, Use::unusable, -1, false},
      {"never past it, though max-stale", is, "max-age=60", "max-stale", 31, 30, Use::unusable, -1,
       false},
      {"never past it, though stale-while-revalidate", is, "max-age=10, stale-while-revalidate=100",
       "", 31, 30, Use::unusable, -21, false},
      {"never past it, though stale-if-error", is, "max-age=10, stale-if-error=100", "", 31, 30,
       Use::unusable, -21, false},
      {"unverified: never past it either", not_verified, "max-age=60", "", 31, 30, Use::unusable,
       -1, false},
      {"stale, and good while upstream is silent", is, "max-age=60", "", 100, 1000, Use::validate,
       -40, true},
      {"the same after must-revalidate", is, "max-age=60, must-revalidate", "", 100, 1000,
       Use::validate, -40, true},
      {"the same after s-maxage", is, "s-maxage=60", "", 100, 1000, Use::validate, -40, true},
      {"the same after no-cache", is, "no-cache", "", 1, 1000, Use::validate, -1, true},
      {"the same when the client insists", is, "max-age=60", "no-cache", 10, 1000, Use::validate,
       50, true},
      {"the same for max-age=0", is, "max-age=60", "max-age=0", 10, 1000, Use::validate, 50, true},
      {"in its last second", is, "max-age=60", "", 999, 1000, Use::validate, -939, true},
      {"unverified is no evidence", not_verified, "max-age=60", "", 100, 1000, Use::validate, -40,
       false},
      {"unverified after must-revalidate", not_verified,
       "max-age=60, must-revalidate, stale-if-error=600", "", 100, 1000, Use::validate, -40, false},
  };
  for (const EvidenceRow& row : rows) {
    auto stored = stored_of({{"Date", at(0)}, {"Cache-Control", row.stored}});
    stored.trust = row.trust;
    stored.freshness.usable_until = kArrival + seconds{row.usable_until};
    const auto decision = decide(stored, asked(row.request), kArrival + seconds{row.after});
    EXPECT_EQ(decision.use, row.use) << row.says;
    EXPECT_EQ(decision.ttl, seconds{row.ttl}) << row.says;
    EXPECT_EQ(decision.usable_on_error, row.usable_on_error) << row.says;
  }
}

TEST(Decide, FollowsHttpAloneForVerifiedBodiesWithoutNextUpdate) {
  auto stored = stored_of({{"Date", at(0)}, {"Cache-Control", "max-age=60, must-revalidate"}});
  stored.trust = Trust::verified;
  EXPECT_FALSE(decide(stored, {}, kArrival + seconds{61}).usable_on_error);
}

TEST(Decide, AsksInTheLastFractionOfASecondAndFallsBackOnTheEvidence) {
  auto stored = stored_of({{"Date", at(0)}, {"Cache-Control", "max-age=60"}});
  stored.trust = Trust::verified;
  stored.freshness.usable_until = WallTime{kArrival} + std::chrono::milliseconds{10500};
  const auto decision = decide(stored, {}, kArrival + seconds{10});
  EXPECT_EQ(decision.use, Use::validate);
  EXPECT_TRUE(decision.usable_on_error);
}

TEST(Decide, CountsNoNegativeAgeAfterTheClockSteppedBack) {
  const auto stored = stored_of({{"Date", at(0)}, {"Age", "5"}, {"Cache-Control", "max-age=60"}});
  const auto decision = decide(stored, {}, kArrival - hours{2});
  EXPECT_EQ(decision.age, seconds{5});
  EXPECT_EQ(decision.ttl, seconds{55});
  EXPECT_EQ(decision.use, Use::fresh);
}

TEST(Decide, TreatsPragmaNoCacheAsNoCacheOnlyWithoutCacheControl) {
  const auto stored = stored_of({{"Date", at(0)}, {"Cache-Control", "max-age=60"}});
  const auto pragma = fields_of({{"Pragma", "no-cache"}});
  EXPECT_EQ(decide(stored, http::parse_request_directives(pragma.view()), kArrival).use,
            Use::validate);
  const auto both = fields_of({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=30"}});
  EXPECT_EQ(decide(stored, http::parse_request_directives(both.view()), kArrival).use, Use::fresh);
}

TEST(Decide, DoesNotOverflowAtTheEdgesOfWhatDirectivesCanSay) {
  auto stored = stored_of({{"Age", "99999999999"}, {"Cache-Control", "max-age=99999999999"}});
  EXPECT_EQ(decide(stored, {}, kArrival).ttl, seconds{0});
  const auto far = asked("max-age=99999999999, min-fresh=99999999999, max-stale=99999999999");
  EXPECT_EQ(decide(stored, far, kArrival).use, Use::validate);
  stored.freshness.date_offset = seconds{0};
  EXPECT_EQ(decide(stored, {}, kArrival + days{365}).use, Use::fresh);
}

}  // namespace
}  // namespace testing
}  // namespace revcache::cache
