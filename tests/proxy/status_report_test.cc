#include "proxy/status_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/patterns.h"
#include "proxy/status_figures.h"
#include "tests/pki/crl_factory.h"

namespace revcache::proxy {
namespace {

using namespace std::chrono_literals;
using admin::EvidenceKind;
using admin::StatusReport;
using testing::HasSubstr;

const std::string kUrl = "http://cdp.test/root.crl";
const std::string kOther = "http://cdp.test/other.crl";

RefreshFigures::UrlStates::value_type url_state(const std::string& url, WallTime next_attempt,
                                                std::uint32_t failures = 0,
                                                std::string detail = {}) {
  RefreshFigures::UrlStates::value_type state;
  state.url = url;
  state.next_attempt = next_attempt;
  state.consecutive_failures = failures;
  state.last_detail = std::move(detail);
  return state;
}

class StatusEvidence : public testing::Test {
 protected:
  StatusEvidence() {
    authority_.name = "root";
    authority_.crls = {*config::parse_url(kUrl)};
    root_issuer_.certificate = root_.certificate();
    root_issuer_.key = pki::key_hash(*root_.certificate());
    root_issuer_.authority = "root";
    root_issuer_.is_authority = true;
    root_issuer_.configured_crls = root_issuer_.configured_crls_held = 1;
  }

  revocation::HeldCrl held(const std::string& url = kUrl) {
    revocation::HeldCrl one;
    one.url = url;
    one.complete = crl_;
    one.usable_until = *(*crl_)->next_update;
    return one;
  }

  StatusReport report(WallTime now = pki::test_now()) {
    StatusReport report;
    report.now = now;
    config::Config config;
    config.authorities = {authority_};
    std::vector<revocation::Issuer> issuers{root_issuer_};
    add_evidence(revocation::Snapshot(std::move(issuers)), urls_, config, report);
    return report;
  }

  pki::CrlSigner root_;
  pki::VerifiedCrlPtr crl_ = pki::verified(root_, {});
  config::Authority authority_;
  revocation::Issuer root_issuer_;
  RefreshFigures::UrlStates urls_;
};

TEST_F(StatusEvidence, OfACrlIsItsDatesAndWhenItWasFetched) {
  root_issuer_.crls = {held()};
  urls_ = {url_state(kUrl, pki::test_now() + 10min, 2, "timed out")};
  urls_[0].dates = revocation::EvidenceDates{};
  urls_[0].last_success = pki::test_now() - 5min;
  const StatusReport got = report();
  ASSERT_EQ(got.crls.size(), 1U);
  EXPECT_EQ(got.crls[0].label, "0a21823a");
  EXPECT_TRUE(got.crls[0].own);
  EXPECT_EQ(got.crls[0].kind, admin::CrlKind::full);
  EXPECT_EQ(got.crls[0].fetched_at, pki::test_now() - 5min);
  EXPECT_EQ(got.crls[0].consecutive_failures, 2U);
  const auto& root = got.authorities.at(0);
  EXPECT_EQ(root.key, pki::hex(pki::key_hash(*root_.certificate())));
  EXPECT_EQ(root.evidence.kind, EvidenceKind::crl);
  EXPECT_TRUE(root.evidence.usable);
  EXPECT_EQ(root.evidence.next_update, (*crl_)->next_update);
  EXPECT_EQ(root.evidence.fetched_at, pki::test_now() - 5min);
  EXPECT_EQ(root.refresh.urls, 1U);
  EXPECT_EQ(root.refresh.consecutive_failures, 2U);
  EXPECT_EQ(root.refresh.failing_url, kUrl);
  EXPECT_TRUE(got.not_held.empty());
}

TEST_F(StatusEvidence, EndsWithTheCrl) {
  root_issuer_.crls = {held()};
  const WallTime end(held().usable_until);
  EXPECT_TRUE(report(end - 1s).authorities[0].evidence.usable);
  EXPECT_FALSE(report(end).authorities[0].evidence.usable);
}

TEST_F(StatusEvidence, OfAConfiguredUrlThatGaveNothingIsNone) {
  root_issuer_.configured_crls_held = 0;
  urls_ = {url_state(kUrl, pki::test_now() + 15s, 1, "connection refused"),
           url_state(kOther, pki::test_now() + 20s)};
  const StatusReport got = report();
  EXPECT_EQ(got.authorities[0].evidence.kind, EvidenceKind::none);
  EXPECT_TRUE(got.authorities[0].evidence.needed);
  ASSERT_EQ(got.not_held.size(), 2U);
  EXPECT_EQ(got.not_held[0].authority, "root");
  EXPECT_EQ(got.not_held[0].detail, "connection refused");
  EXPECT_EQ(got.not_held[1].authority, "");
  EXPECT_EQ(got.others.urls, 1U) << "a URL that is nobody's";
}

TEST_F(StatusEvidence, OfSeveralCrlsIsTheUsableOneThatEndsFirst) {
  auto first = held("http://cdp.test/1");
  auto second = held("http://cdp.test/2");
  auto over = held("http://cdp.test/3");
  const auto now = floor<std::chrono::seconds>(pki::test_now());
  first.usable_until = now + 2h;
  second.usable_until = now + 1h;
  over.usable_until = now - 1h;
  root_issuer_.crls = {first, over, second};
  urls_ = {url_state(second.url, pki::test_now())};
  urls_[0].last_success = pki::test_now() - 7min;
  const auto evidence = report().authorities[0].evidence;
  EXPECT_TRUE(evidence.usable);
  EXPECT_EQ(evidence.crls, 3U);
  EXPECT_EQ(evidence.fetched_at, pki::test_now() - 7min);
}

TEST_F(StatusEvidence, OfAnAttestationLastsUntilItsDay) {
  authority_.crls.clear();
  authority_.signer = "ocsp";
  const auto day = floor<std::chrono::days>(pki::test_now()) + std::chrono::days(1);
  authority_.attest = {{.certificate = "x.cer", .until = day, .reason = "ticket"}};
  EXPECT_EQ(report().authorities[0].evidence.kind, EvidenceKind::attestation);
  EXPECT_TRUE(report(WallTime(day) - 1ms).authorities[0].evidence.usable);
  EXPECT_FALSE(report(WallTime(day)).authorities[0].evidence.usable);
}

TEST_F(StatusEvidence, OfACaBelowStandsForAnAuthorityThatNeedsNone) {
  authority_.crls.clear();
  root_issuer_.is_authority = false;
  root_issuer_.crls = {held()};
  const auto got = report();
  EXPECT_FALSE(got.crls.at(0).own);
  EXPECT_EQ(got.authorities[0].evidence.kind, EvidenceKind::crl);
  EXPECT_FALSE(got.authorities[0].evidence.needed);
  authority_.signer = "ocsp";
  EXPECT_EQ(report().authorities[0].evidence.kind, EvidenceKind::none)
      << "it says nothing of what the authority itself issued";
}

TEST_F(StatusEvidence, OfARespondersAnswersIsTheOneThatEndsFirst) {
  authority_.crls.clear();
  const auto now = floor<std::chrono::seconds>(pki::test_now());
  revocation::HeldAnswer answer;
  answer.serial = "\x0a";
  answer.this_update = now;
  answer.next_update = now + 1h;
  answer.url = "http://ocsp.test/";
  root_issuer_.answers = std::make_shared<const revocation::HeldAnswers>(
      revocation::HeldAnswers{}.with(answer, 8, now));
  const auto got = report();
  ASSERT_EQ(got.answers.size(), 1U);
  EXPECT_EQ(got.answers[0].serial, "0a");
  EXPECT_EQ(got.authorities[0].evidence.kind, EvidenceKind::ocsp);
  EXPECT_EQ(got.authorities[0].evidence.next_update, now + 1h);
}

TEST_F(StatusEvidence, HasTheSignerOfWhomIsAnsweredFor) {
  authority_.signer = "ocsp";
  StatusReport got = report();
  config::Config config;
  config.authorities = {authority_};
  add_signers({}, {}, config, got);
  EXPECT_FALSE(got.authorities[0].signer->usable) << "nobody signs for it yet";
  revocation::ResponderTable table;
  auto& signing = table.authorities.emplace_back();
  signing.name = "root";
  signing.signer_name = "ocsp";
  signing.may_sign = true;
  signing.signer_not_after = WallSeconds(10s);
  revocation::SignerWatch::SignerStatus usable;
  usable.name = "ocsp";
  usable.usable = true;
  add_signers(table, {usable}, config, got);
  EXPECT_TRUE(got.authorities[0].signer->usable);
  EXPECT_EQ(got.authorities[0].signer->problem, "");
  EXPECT_EQ(got.authorities[0].signer->not_after, WallSeconds(10s));
  auto silent = usable;
  silent.usable = false;
  silent.problem = "the token is silent";
  add_signers(table, {silent}, config, got);
  EXPECT_FALSE(got.authorities[0].signer->usable);
  EXPECT_EQ(got.authorities[0].signer->problem, "the token is silent");
}

prometheus::MetricFamily family(std::string name, prometheus::MetricType type) {
  return {.name = std::move(name), .help = {}, .type = type, .metric = {}};
}

prometheus::ClientMetric metric(std::vector<prometheus::ClientMetric::Label> labels, double gauge,
                                double counter = 0) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = gauge;
  metric.counter.value = counter;
  return metric;
}

TEST(StatusFiguresOf, MetricsAreTheirSumsByLabel) {
  auto bytes = family("revcache_cache_bytes", prometheus::MetricType::Gauge);
  bytes.metric = {metric({{"kind", "crl"}, {"tier", "memory"}}, 5),
                  metric({{"kind", "ocsp"}, {"tier", "memory"}}, 7), metric({{"tier", "disk"}}, 9)};
  auto up = family("revcache_upstream_up", prometheus::MetricType::Gauge);
  up.metric = {metric({{"upstream", "*.test"}}, 0)};
  auto requests = family("revcache_upstream_requests_total", prometheus::MetricType::Counter);
  requests.metric = {metric({{"upstream", "*.test"}, {"outcome", "ok"}}, 0, 3),
                     metric({{"upstream", "other"}, {"outcome", "ok"}}, 0, 0)};
  auto success =
      family("revcache_upstream_last_success_timestamp_seconds", prometheus::MetricType::Gauge);
  success.metric = {metric({{"upstream", "*.test"}}, 12.5)};
  const StatusFigures figures({bytes, up, requests, success});
  EXPECT_EQ(figures.tier("memory", 100).bytes, 12U);
  EXPECT_EQ(figures.tier("disk", 100).bytes, 9U);
  EXPECT_EQ(figures.tier("disk", 100).bytes_max, 100U);
  EXPECT_EQ(figures.sum("revcache_cache_bytes"), 21U);
  EXPECT_EQ(figures.sum("nothing"), 0U);
  const auto upstreams = figures.upstreams();
  ASSERT_EQ(upstreams.size(), 2U);
  EXPECT_EQ(upstreams[0].name, "*.test");
  EXPECT_EQ(upstreams[0].up, false);
  EXPECT_EQ(upstreams[0].answered, WallTime(12500ms));
  EXPECT_EQ(upstreams[0].requests.at("ok"), 3U);
  EXPECT_EQ(upstreams[0].p50, std::nullopt);
  EXPECT_EQ(upstreams[1].up, std::nullopt);
}

TEST(StatusQuantile, IsInterpolatedWithinItsBucket) {
  prometheus::ClientMetric::Histogram histogram;
  EXPECT_EQ(quantile(histogram, 0.5), std::nullopt);
  histogram.sample_count = 10;
  histogram.bucket = {
      {0, 0.001}, {8, 0.002}, {8, 0.005}, {9, 0.01}, {10, std::numeric_limits<double>::infinity()}};
  EXPECT_DOUBLE_EQ(*quantile(histogram, 0.4), 0.0015);
  EXPECT_DOUBLE_EQ(*quantile(histogram, 0.8), 0.002);
  EXPECT_DOUBLE_EQ(*quantile(histogram, 0.85), 0.0075);
  EXPECT_DOUBLE_EQ(*quantile(histogram, 0.99), 0.01) << "above all bounds: at least the last one";
}

}  // namespace
}  // namespace revcache::proxy
