#include "proxy/route_memo.h"

#include <gtest/gtest.h>

#include <string>

namespace revcache::proxy {
namespace {

http::UriView parsed(const std::string& target, std::string& storage) {
  return http::parse_absolute_form(target, storage).value();
}

void remember(RouteMemo& memo, const std::string& target, std::string& storage) {
  const auto uri = parsed(target, storage);
  memo.remember(target, {}, &uri);
}

TEST(RouteMemo, GivesBackWhatWasRememberedAfterItsSourceIsGone) {
  RouteMemo memo(1);
  const std::string target = "http://CDN.test:8080/a/b.crl?x";
  {
    std::string storage;
    remember(memo, target, storage);
    storage.assign(storage.size(), '#');
  }
  const auto* known = memo.find(target, {});
  ASSERT_NE(known, nullptr);
  const auto* uri = &known->uri;
  EXPECT_EQ(uri->text, "http://cdn.test:8080/a/b.crl?x");
  EXPECT_EQ(uri->host, "cdn.test");
  EXPECT_EQ(uri->authority, "cdn.test:8080");
  EXPECT_EQ(uri->path, "/a/b.crl?x");
  EXPECT_EQ(uri->port, 8080);
}

TEST(RouteMemo, KnowsNothingElse) {
  RouteMemo memo(1);
  std::string storage;
  remember(memo, "http://a.test/", storage);
  EXPECT_EQ(memo.find("http://b.test/", {}), nullptr);
  EXPECT_EQ(memo.find("http://A.test/", {}), nullptr) << "another spelling is read anew";
}

TEST(RouteMemo, ManyTargetsShareTheSlotsWithoutMixUp) {
  RouteMemo memo(7);
  std::string storage;
  for (int i = 0; i < 1000; ++i) {
    const auto target = "http://host" + std::to_string(i) + ".test/" + std::to_string(i);
    remember(memo, target, storage);
    ASSERT_NE(memo.find(target, {}), nullptr);
  }
  int known = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto target = "http://host" + std::to_string(i) + ".test/" + std::to_string(i);
    const auto* remembered = memo.find(target, {});
    if (remembered == nullptr) continue;
    ++known;
    EXPECT_EQ(remembered->uri.text, target);
  }
  EXPECT_LE(known, static_cast<int>(RouteMemo::kSlots));
}

TEST(RouteMemo, ForgetsWhenTheRulesChange) {
  RouteMemo memo(1);
  std::string storage;
  remember(memo, "http://a.test/", storage);
  memo.forget();
  EXPECT_EQ(memo.find("http://a.test/", {}), nullptr);
}

TEST(RouteMemo, AnOriginFormIsRememberedForItsHostOnly) {
  RouteMemo memo(1);
  auto* own = memo.remember("/ocsp", "proxy.test:3128", nullptr);
  ASSERT_NE(own, nullptr);
  EXPECT_TRUE(own->is_own);
  EXPECT_EQ(memo.find("/ocsp", "proxy.test:3128"), own);
  EXPECT_EQ(memo.find("/ocsp", "cdn.test"), nullptr);
  EXPECT_EQ(memo.find("/ocsp", {}), nullptr);
  EXPECT_EQ(memo.remember("/ocsp", std::string(RouteMemo::kTargetBytesMax + 1, 'h'), nullptr),
            nullptr);
}

TEST(RouteMemo, AnotherTargetInASlotHasAQuestionOfItsOwn) {
  RouteMemo memo(1);
  memo.remember("/ocsp/name", "a.test", nullptr)->asked.read_own("/ocsp/name");
  ASSERT_EQ(memo.find("/ocsp/name", "a.test")->asked.authority, "name");
  auto* replaced = memo.remember("/ocsp/name", "b.test", nullptr);
  EXPECT_EQ(replaced->asked.path, AskedQuestion::Path::unread);
  EXPECT_EQ(replaced->asked.authority, "");
}

TEST(RouteMemo, LongTargetsAreNotKept) {
  RouteMemo memo(1);
  std::string storage;
  const auto target = "http://a.test/" + std::string(RouteMemo::kTargetBytesMax, 'x');
  remember(memo, target, storage);
  EXPECT_EQ(memo.find(target, {}), nullptr);
}

}  // namespace
}  // namespace revcache::proxy
