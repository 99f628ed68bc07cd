#include "proxy/revocation_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "metrics/collector.h"
#include "tests/pki/crl_factory.h"

namespace revcache::proxy {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// 2026-11-21, -28 and -27, as CrlText and the extension below say.
constexpr auto kThisUpdate = "1795219200";
constexpr auto kNextUpdate = "1795824000";
constexpr auto kNextPublish = "1795737600";
const std::string kUrl = "http://cdp.test/root.crl";

class RevocationFigures : public testing::Test {
 protected:
  revocation::HeldCrl held(const std::string& url) {
    revocation::HeldCrl one;
    one.url = url;
    one.complete = crl_;
    one.usable_until = *(*crl_)->next_update;
    return one;
  }
  revocation::Issuer issuer(std::string authority, std::vector<revocation::HeldCrl> crls) {
    revocation::Issuer made;
    made.certificate = root_.certificate();
    made.key = pki::key_hash(*root_.certificate());
    made.authority = std::move(authority);
    made.is_authority = true;
    made.configured_crls = 1;
    made.crls = std::move(crls);
    return made;
  }
  static std::string text(revocation::Issuer issuer, const FetchTimes& fetched_at = {},
                          WallTime now = pki::test_now()) {
    std::vector<revocation::Issuer> issuers;
    issuers.push_back(std::move(issuer));
    const revocation::Snapshot known(std::move(issuers));
    return metrics::to_text(crl_families(known, fetched_at, now));
  }
  static std::string series(const std::string& name, const std::string& label,
                            const std::string& value) {
    return "revcache_crl_" + name + "{ca=\"root\",crl=\"" + label + "\",kind=\"crl\"} " + value +
           "\n";
  }

  [[nodiscard]] pki::VerifiedCrlPtr made_crl() const {
    pki::CrlText text;
    text.entries = pki::entry("\x07") + pki::entry("\x08");
    text.extensions += pki::extension(pki::next_publish_oid(), pki::utc_time("261127000000Z"));
    return pki::verified(root_, text);
  }

  pki::CrlSigner root_;
  pki::VerifiedCrlPtr crl_ = made_crl();
};

TEST_F(RevocationFigures, TellTheDatesAndSizesOfEachCrl) {
  const std::string all = text(issuer("root", {held(kUrl)}), {{kUrl, WallTime(1500ms)}});
  const std::string label = crl_label(kUrl);
  EXPECT_THAT(all, HasSubstr(series("this_update_timestamp_seconds", label, kThisUpdate)));
  EXPECT_THAT(all, HasSubstr(series("next_update_timestamp_seconds", label, kNextUpdate)));
  EXPECT_THAT(all, HasSubstr(series("next_publish_timestamp_seconds", label, kNextPublish)));
  EXPECT_THAT(all, HasSubstr(series("fetched_timestamp_seconds", label, "1.5")));
  EXPECT_THAT(all, HasSubstr(series("entries", label, "2")));
  EXPECT_THAT(all,
              HasSubstr(series("size_bytes", label, std::to_string((*crl_)->der.text().size()))));
  EXPECT_THAT(all, Not(HasSubstr("cdp.test")));
}

TEST_F(RevocationFigures, ALabelIsTheBeginningOfTheUrlsHash) {
  // printf %s http://cdp.test/root.crl | sha256sum
  EXPECT_EQ(crl_label(kUrl), "0a21823a");
}

TEST_F(RevocationFigures, AnAuthorityIsUsableUntilItsLastCrlEnds) {
  const std::string usable = "revcache_crl_usable{ca=\"root\"} ";
  const WallTime end(held(kUrl).usable_until);
  EXPECT_THAT(text(issuer("root", {held(kUrl)}), {}, end - 1ms), HasSubstr(usable + "1\n"));
  EXPECT_THAT(text(issuer("root", {held(kUrl)}), {}, end), HasSubstr(usable + "0\n"));
  EXPECT_THAT(text(issuer("root", {})), HasSubstr(usable + "0\n"));
  auto unconfigured = issuer("root", {});
  unconfigured.configured_crls = 0;
  EXPECT_THAT(text(unconfigured), Not(HasSubstr(usable)));
}

TEST_F(RevocationFigures, CrlsBeyondTheLabelsShareOne) {
  std::vector<revocation::HeldCrl> many;
  for (std::size_t number = 0; number < kCrlLabelsMax + 3; ++number) {
    many.push_back(held("http://cdp.test/" + std::to_string(number)));
  }
  const std::string all = text(issuer("root", std::move(many)));
  EXPECT_THAT(all, HasSubstr(series("entries", "other", "6")));
  EXPECT_THAT(all, HasSubstr(series("next_update_timestamp_seconds", "other", kNextUpdate)));
  EXPECT_THAT(all, HasSubstr(series("entries", crl_label("http://cdp.test/255"), "2")));
  EXPECT_THAT(all, Not(HasSubstr(crl_label("http://cdp.test/256"))));
}

TEST_F(RevocationFigures, ADeltaCrlStandsBesideItsCompleteOne) {
  auto both = held(kUrl);
  both.delta = crl_;
  const std::string all = text(issuer("root", {both}));
  EXPECT_THAT(all, HasSubstr("revcache_crl_entries{ca=\"root\",crl=\"" + crl_label(kUrl) +
                             "\",kind=\"delta_crl\"} 2\n"));
}

}  // namespace
}  // namespace revcache::proxy
