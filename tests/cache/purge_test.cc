// What a purge takes from memory and disk, what it leaves, and what cannot come back after it.
#include "cache/purge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cache/cache_key.h"
#include "cache/vary.h"
#include "tests/cache/disk_fixture.h"
#include "tests/cache/tier_entries.h"

namespace revcache::cache {
namespace {

using testing::entry_of;

const std::string kUrl = "http://crl.test/a.crl";
const std::string kLonger = "http://crl.test/a.crl2";
const std::string kOther = "http://crl.test/b.crl";

std::string ocsp_key(std::string_view origin, std::string_view cert_id) {
  std::string key;
  make_ocsp_key(key, origin, as_bytes(cert_id), {});
  return key;
}

std::string variant_of(const std::string& key) {
  return variant_key(key + "\x1f" + "1700000000", {{"accept", "text/plain"}});
}

std::shared_ptr<PurgeScope> url_scope(const std::string& url) {
  auto scope = std::make_shared<PurgeScope>();
  scope->urls.insert(url);
  return scope;
}

TEST(PurgeScope, CoversAUrlWithItsVariantsAndNothingElse) {
  const auto scope = url_scope(kUrl);
  EXPECT_TRUE(scope->covers(kUrl));
  EXPECT_TRUE(scope->covers(variant_of(kUrl)));
  EXPECT_FALSE(scope->covers(kLonger));
  EXPECT_FALSE(scope->covers(variant_of(kLonger)));
  EXPECT_FALSE(scope->covers(kOther));
  EXPECT_FALSE(scope->covers(ocsp_key("http://crl.test", "id")));
}

TEST(PurgeScope, CoversTheAnswersOfAResponderAndNotOfItsNamesake) {
  PurgeScope scope;
  scope.responders.insert("http://ocsp.test");
  EXPECT_TRUE(scope.covers(ocsp_key("http://ocsp.test", "id")));
  EXPECT_TRUE(scope.covers(variant_of(ocsp_key("http://ocsp.test", "id"))));
  EXPECT_FALSE(scope.covers(ocsp_key("http://ocsp.test:8080", "id")));
  EXPECT_FALSE(scope.covers(ocsp_key("http://ocsp.tes", "id")));
  EXPECT_FALSE(scope.covers("http://ocsp.test"));
}

TEST(PurgeScope, CoversOneQuestionAtOneResponder) {
  PurgeScope scope;
  scope.ocsp_keys.insert(ocsp_key("http://ocsp.test", "id"));
  EXPECT_TRUE(scope.covers(ocsp_key("http://ocsp.test", "id")));
  EXPECT_TRUE(scope.covers(variant_of(ocsp_key("http://ocsp.test", "id"))));
  EXPECT_FALSE(scope.covers(ocsp_key("http://ocsp.test", "ie")));
}

TEST(PurgeScope, CoversAnswersByTheirCertIdWhoeverGaveThem) {
  PurgeScope scope;
  scope.certificates = [](ByteView id) { return as_text(id).starts_with("ours"); };
  EXPECT_TRUE(scope.covers(ocsp_key("http://one.test", "ours-1")));
  EXPECT_TRUE(scope.covers(ocsp_key("http://two.test", "ours-2")));
  EXPECT_FALSE(scope.covers(ocsp_key("http://one.test", "theirs")));
  EXPECT_FALSE(scope.covers("http://one.test/ours"));
}

TEST(PurgeScope, WhatItCoversBeginsWithOneOfItsPrefixes) {
  PurgeScope scope;
  scope.urls.insert(kUrl);
  scope.responders.insert("http://ocsp.test");
  const auto begins = [](const std::set<std::string>& prefixes, const std::string& key) {
    return std::ranges::any_of(prefixes, [&](const auto& one) { return key.starts_with(one); });
  };
  EXPECT_TRUE(begins(scope.prefixes(), variant_of(kUrl)));
  EXPECT_TRUE(begins(scope.prefixes(), ocsp_key("http://ocsp.test", "id")));
  EXPECT_FALSE(begins(scope.prefixes(), ocsp_key("http://ocsp.test:81", "id")));
  scope.certificates = [](ByteView) { return true; };
  EXPECT_TRUE(begins(scope.prefixes(), ocsp_key("http://ocsp.test:81", "id")));
}

TEST(UrlOfKey, IsWhatAnAdministratorKnows) {
  EXPECT_EQ(url_of_key(kUrl), kUrl);
  EXPECT_EQ(url_of_key(variant_of(kUrl)), kUrl);
  EXPECT_EQ(url_of_key(ocsp_key("http://ocsp.test:81", "id")), "http://ocsp.test:81");
}

TEST(PurgeLog, ForbidsWhatWasAskedForBeforeThePurgeEnded) {
  PurgeLog log;
  const auto before = log.mark();
  EXPECT_FALSE(log.forbids(kUrl, before));
  const auto scope = url_scope(kUrl);
  log.begin(scope);
  const auto during = log.mark();
  EXPECT_TRUE(log.forbids(kUrl, before));
  EXPECT_TRUE(log.forbids(kUrl, during));
  EXPECT_FALSE(log.forbids(kOther, before));
  log.end(scope);
  EXPECT_TRUE(log.forbids(kUrl, before));
  EXPECT_TRUE(log.forbids(kUrl, during));
  EXPECT_FALSE(log.forbids(kUrl, log.mark()));
  EXPECT_FALSE(log.forbids(kOther, before));
}

TEST(PurgeLog, ForbidsEverythingOfRequestsOlderThanThePurgesItKnows) {
  PurgeLog log;
  const auto oldest = log.mark();
  for (std::size_t i = 0; i <= PurgeLog::kPurgesMax; ++i) {
    const auto scope = url_scope(kUrl);
    log.begin(scope);
    log.end(scope);
  }
  EXPECT_TRUE(log.forbids(kOther, oldest));
  EXPECT_FALSE(log.forbids(kOther, log.mark()));
  EXPECT_FALSE(log.forbids(kOther, 2));
}

class PurgeTest : public testing::DiskStoreTest {
 protected:
  void SetUp() override {
    options_.purges = &shared_.purges;
    open();
  }
  void keep_in_memory(const std::string& key) { shared_.memory.put(entry_of(key, "body")); }
  void keep_on_disk(const std::string& key) {
    StoredResponse entry(*entry_of(key, "body"));
    entry.purge_mark = shared_.purges.mark();
    write(std::make_shared<const StoredResponse>(std::move(entry)));
  }
  void keep_in_both(const std::string& key) {
    keep_in_memory(key);
    keep_on_disk(key);
  }
  bool is_stored(const std::string& key) {
    return shared_.memory.find(key) != nullptr || read(key) != nullptr;
  }
  PurgeReport purge_now(const std::shared_ptr<PurgeScope>& scope) {
    auto report = purge(shared_, store_.get(), scope);
    EXPECT_TRUE(report) << report.error().detail;
    return report.value_or(PurgeReport{});
  }

  SharedCache shared_{{.memory_bytes = 16 * kMebibyte}, 7};
};

TEST_F(PurgeTest, TakesAUrlFromBothTiersAndCountsItOnce) {
  keep_in_both(kUrl);
  keep_in_memory(variant_of(kUrl));
  keep_on_disk(variant_of(kUrl) + "2");
  keep_in_both(kLonger);
  keep_in_both(ocsp_key("http://crl.test", "id"));
  shared_.remembered.note_stored(kUrl);
  const auto report = purge_now(url_scope(kUrl));
  EXPECT_EQ(report.entries, 3U);
  EXPECT_GT(report.bytes, 0U);
  EXPECT_EQ(report.urls, std::vector{kUrl});
  EXPECT_EQ(report.more, 0U);
  EXPECT_FALSE(is_stored(kUrl));
  EXPECT_FALSE(is_stored(variant_of(kUrl)));
  EXPECT_FALSE(is_stored(variant_of(kUrl) + "2"));
  EXPECT_TRUE(is_stored(kLonger));
  EXPECT_TRUE(is_stored(ocsp_key("http://crl.test", "id")));
  EXPECT_EQ(shared_.remembered.fate_of(kUrl), RememberedKeys::Fate::removed);
  open();
  EXPECT_EQ(read(kUrl), nullptr) << "a new life must not find it";
  EXPECT_NE(read(kLonger), nullptr);
}

TEST_F(PurgeTest, ADryRunSaysTheSameAndChangesNothing) {
  keep_in_both(kUrl);
  keep_on_disk(variant_of(kUrl));
  keep_in_memory(kOther);
  for (const bool everything : {false, true}) {
    auto scope = url_scope(kUrl);
    scope->everything = everything;
    const auto found = find_purgeable(shared_, store_.get(), *scope);
    ASSERT_TRUE(found);
    EXPECT_TRUE(is_stored(kUrl));
    EXPECT_EQ(found->entries, everything ? 3U : 2U);
    const auto report = purge_now(scope);
    EXPECT_EQ(report.entries, found->entries);
    EXPECT_EQ(report.bytes, found->bytes);
    EXPECT_EQ(report.urls, found->urls);
    EXPECT_FALSE(is_stored(kUrl));
    keep_in_both(kUrl);
    keep_on_disk(variant_of(kUrl));
  }
}

TEST_F(PurgeTest, EverythingGoesAndOnlyTheFirstUrlsAreListed) {
  for (std::uint64_t i = 0; i < 150; ++i) {
    const auto key = "http://crl.test/" + std::to_string(1000 + i);
    if (i % 2 == 0) keep_on_disk(key);
    if (i % 3 == 0 || i % 2 == 1) keep_in_memory(key);
  }
  keep_in_both(ocsp_key("http://ocsp.test", "one"));
  keep_in_both(ocsp_key("http://ocsp.test", "two"));
  auto scope = std::make_shared<PurgeScope>();
  scope->everything = true;
  const auto report = purge_now(scope);
  EXPECT_EQ(report.entries, 152U);
  ASSERT_EQ(report.urls.size(), kPurgedUrlsListed);
  EXPECT_EQ(report.urls.front(), "http://crl.test/1000");
  EXPECT_EQ(report.urls.back(), "http://crl.test/1099");
  EXPECT_EQ(report.more, 51U) << "fifty more, and the responder";
  EXPECT_EQ(shared_.memory.stats().by_kind[0].entries, 0U);
  open();
  EXPECT_EQ(read("http://crl.test/1000"), nullptr);
}

TEST_F(PurgeTest, AnswersAboutAnIssuerGoFromEveryResponder) {
  keep_in_both(ocsp_key("http://one.test", "ours-1"));
  keep_on_disk(ocsp_key("http://two.test", "ours-2"));
  keep_on_disk(ocsp_key("http://two.test", "theirs"));
  auto scope = std::make_shared<PurgeScope>();
  scope->certificates = [](ByteView id) { return as_text(id).starts_with("ours"); };
  const auto report = purge_now(scope);
  EXPECT_EQ(report.entries, 2U);
  EXPECT_EQ(report.urls, (std::vector<std::string>{"http://one.test", "http://two.test"}));
  EXPECT_FALSE(is_stored(ocsp_key("http://two.test", "ours-2")));
  EXPECT_TRUE(is_stored(ocsp_key("http://two.test", "theirs")));
}

TEST_F(PurgeTest, WhatWasAskedForBeforeIsNotWrittenAfter) {
  StoredResponse late(*entry_of(kUrl, "older"));
  late.purge_mark = shared_.purges.mark();
  purge_now(url_scope(kUrl));
  const auto refused = store_->write(late);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::refused);
  EXPECT_EQ(read(kUrl), nullptr);
  late.purge_mark = shared_.purges.mark();
  EXPECT_TRUE(store_->write(late));
  EXPECT_NE(read(kUrl), nullptr);
}

TEST_F(PurgeTest, FailuresThatAreRememberedGoToo) {
  const MonotonicTime now = clock_.monotonic();
  const NegativeAnswer failure{.error = Error{ErrorCode::timed_out, Blame::upstream, "silent"},
                               .response = nullptr};
  shared_.negative.put(kUrl, failure, now);
  shared_.negative.put(kOther, failure, now);
  ASSERT_TRUE(shared_.negative.find(kUrl, now));
  const auto report = purge_now(url_scope(kUrl));
  EXPECT_EQ(report.entries, 0U);
  EXPECT_FALSE(shared_.negative.find(kUrl, now));
  EXPECT_TRUE(shared_.negative.find(kOther, now));
}

TEST_F(PurgeTest, WorksWithoutADisk) {
  keep_in_memory(kUrl);
  const auto report = purge(shared_, nullptr, url_scope(kUrl));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->entries, 1U);
  EXPECT_EQ(shared_.memory.find(kUrl), nullptr);
}

}  // namespace
}  // namespace revcache::cache
