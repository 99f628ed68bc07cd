#include "proxy/route_memo.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::proxy {
namespace {

http::UriView parsed(const std::string& target, std::string& storage) {
  return http::parse_absolute_form(target, storage).value();
}

TEST(RouteMemo, GivesBackWhatWasRememberedAfterItsSourceIsGone) {
  RouteMemo memo(1);
  const std::string target = "http://CDN.test:8080/a/b.crl?x";
  {
    std::string storage;
    memo.remember(target, parsed(target, storage));
    storage.assign(storage.size(), '#');
  }
  const auto* uri = memo.find(target);
  ASSERT_NE(uri, nullptr);
  EXPECT_EQ(uri->text, "http://cdn.test:8080/a/b.crl?x");
  EXPECT_EQ(uri->host, "cdn.test");
  EXPECT_EQ(uri->authority, "cdn.test:8080");
  EXPECT_EQ(uri->path, "/a/b.crl?x");
  EXPECT_EQ(uri->port, 8080);
}

TEST(RouteMemo, KnowsNothingElse) {
  RouteMemo memo(1);
  std::string storage;
  memo.remember("http://a.test/", parsed("http://a.test/", storage));
  EXPECT_EQ(memo.find("http://b.test/"), nullptr);
  EXPECT_EQ(memo.find("http://A.test/"), nullptr) << "another spelling is read anew";
}

TEST(RouteMemo, ManyTargetsShareTheSlotsWithoutMixUp) {
  RouteMemo memo(7);
  std::string storage;
  for (int i = 0; i < 1000; ++i) {
    const auto target = "http://host" + std::to_string(i) + ".test/" + std::to_string(i);
    memo.remember(target, parsed(target, storage));
    ASSERT_NE(memo.find(target), nullptr);
  }
  int known = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto target = "http://host" + std::to_string(i) + ".test/" + std::to_string(i);
    const auto* uri = memo.find(target);
    if (uri == nullptr) continue;
    ++known;
    EXPECT_EQ(uri->text, target);
  }
  EXPECT_LE(known, static_cast<int>(RouteMemo::kSlots));
}

TEST(RouteMemo, ForgetsWhenTheRulesChange) {
  RouteMemo memo(1);
  std::string storage;
  memo.remember("http://a.test/", parsed("http://a.test/", storage));
  memo.forget();
  EXPECT_EQ(memo.find("http://a.test/"), nullptr);
}

TEST(RouteMemo, LongTargetsAreNotKept) {
  RouteMemo memo(1);
  std::string storage;
  const auto target = "http://a.test/" + std::string(RouteMemo::kTargetBytesMax, 'x');
  memo.remember(target, parsed(target, storage));
  EXPECT_EQ(memo.find(target), nullptr);
}

}  // namespace
}  // namespace revcache::proxy
