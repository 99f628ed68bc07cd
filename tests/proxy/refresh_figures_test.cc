#include "proxy/refresh_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "metrics/collector.h"

namespace revcache::proxy {
namespace {

using namespace std::chrono_literals;
using revocation::RefreshOutcome;
using testing::HasSubstr;
using testing::Not;

const std::string kRoot = "http://cdp.test/root.crl";
const std::string kLearned = "http://cdp.test/issuing.crl";

revocation::Refresher::UrlState state(const std::string& url, std::chrono::seconds next,
                                      std::uint32_t failures) {
  revocation::Refresher::UrlState state;
  state.url = url;
  state.next_attempt = WallTime(next);
  state.consecutive_failures = failures;
  return state;
}

class RefreshFiguresTest : public testing::Test {
 protected:
  // An issuer below the authority "root", whose CRL a client's fetch brought.
  static revocation::Snapshot known() {
    revocation::Issuer issuer;
    issuer.authority = "root";
    issuer.crls.push_back({});
    issuer.crls.front().url = kLearned;
    // A snapshot indexes its issuers by name and key; this one is only walked.
    std::vector<revocation::Issuer> issuers;
    issuers.push_back(std::move(issuer));
    return revocation::Snapshot(std::move(issuers));
  }
  [[nodiscard]] std::string text() const { return metrics::to_text(figures_.families(known())); }

  RefreshFigures figures_;
};

TEST_F(RefreshFiguresTest, AConfiguredAuthorityCountsFromZero) {
  figures_.configure({{kRoot, "root"}});
  for (const auto* outcome : {"changed", "unchanged", "failed", "refused"}) {
    EXPECT_THAT(text(), HasSubstr("revcache_prefetch_runs_total{ca=\"root\",outcome=\"" +
                                  std::string(outcome) + "\"} 0\n"));
  }
}

TEST_F(RefreshFiguresTest, RunsCountForTheAuthorityThatIsConfiguredOrKnownForTheUrl) {
  figures_.configure({{kRoot, "root"}});
  figures_.count(kRoot, RefreshOutcome::changed, known());
  figures_.count(kLearned, RefreshOutcome::changed, known());
  figures_.count("http://nobody.test/x.crl", RefreshOutcome::refused, known());
  EXPECT_THAT(text(),
              HasSubstr("revcache_prefetch_runs_total{ca=\"root\",outcome=\"changed\"} 2\n"));
  EXPECT_THAT(text(),
              HasSubstr("revcache_prefetch_runs_total{ca=\"other\",outcome=\"refused\"} 1\n"));
}

TEST_F(RefreshFiguresTest, TheNextUrlAndTheWorstUrlStandForTheirAuthority) {
  figures_.configure({{kRoot, "root"}});
  figures_.publish({state(kLearned, 1000s, 3), state("http://nobody.test/x.crl", 500s, 9),
                    state(kRoot, 2000s, 1)});
  EXPECT_THAT(text(),
              HasSubstr("revcache_prefetch_next_run_timestamp_seconds{ca=\"root\"} 1000\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_prefetch_consecutive_failures{ca=\"root\"} 3\n"));
  EXPECT_THAT(text(), HasSubstr("revcache_prefetch_consecutive_failures{ca=\"other\"} 9\n"));
  figures_.publish({state(kRoot, 2000s, 0)});
  EXPECT_THAT(text(), HasSubstr("revcache_prefetch_consecutive_failures{ca=\"root\"} 0\n"));
  EXPECT_THAT(text(), Not(HasSubstr("ca=\"other\"")));
}

TEST_F(RefreshFiguresTest, AReloadDoesNotTakeBackWhatWasCounted) {
  figures_.configure({{kRoot, "root"}});
  figures_.count(kRoot, RefreshOutcome::failed, known());
  figures_.configure({{kRoot, "renamed"}});
  figures_.count(kRoot, RefreshOutcome::failed, known());
  EXPECT_THAT(text(),
              HasSubstr("revcache_prefetch_runs_total{ca=\"root\",outcome=\"failed\"} 1\n"));
  EXPECT_THAT(text(),
              HasSubstr("revcache_prefetch_runs_total{ca=\"renamed\",outcome=\"failed\"} 1\n"));
}

}  // namespace
}  // namespace revcache::proxy
