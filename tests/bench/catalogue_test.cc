#include "bench/generator/catalogue.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "pki/ocsp_request.h"

namespace revcache::bench {
namespace {

const std::string kQuestion = std::string(REVCACHE_TESTDATA) + "/ocsp_request/good_sha1.der";

class CatalogueTest : public testing::Test {
 protected:
  Catalogue open(const Object& object, const Route& route = {}) {
    scenario_.objects.push_back(object);
    auto catalogue = Catalogue::open(scenario_, route);
    if (!catalogue) throw std::runtime_error(catalogue.error());
    return *std::move(catalogue);
  }

  static std::string request(const Catalogue& catalogue, const Wanted& wanted) {
    std::string text;
    catalogue.write_request(wanted, text);
    return text;
  }

  Scenario scenario_;
};

std::string content_of(const std::string& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(content).str();
}

Object crl() { return {.name = "crl", .url = "http://cdn.test/a/current.crl"}; }
Object ocsp() {
  return {.name = "ocsp", .url = "http://ocsp.test/ocsp", .question = kQuestion, .responder = true};
}

Route through_proxy() { return {.proxy = Address{.host = "proxy.test", .port = 3128}}; }

TEST_F(CatalogueTest, WritesAColdGetAsCryptoApiDoesThroughAProxy) {
  const Catalogue catalogue = open(crl(), through_proxy());
  EXPECT_EQ(request(catalogue, {}),
            "GET http://cdn.test/a/current.crl HTTP/1.1\r\nProxy-Connection: Keep-Alive\r\n"
            "Accept: */*\r\nUser-Agent: Microsoft-CryptoAPI/10.0\r\nHost: cdn.test\r\n\r\n");
  EXPECT_EQ(catalogue.address_of(0), (Address{.host = "proxy.test", .port = 3128}));
}

TEST_F(CatalogueTest, WritesOriginFormWithoutAProxy) {
  const Catalogue catalogue = open(crl());
  EXPECT_EQ(request(catalogue, {.connection = Connections::fresh}),
            "GET /a/current.crl HTTP/1.1\r\nConnection: close\r\n"
            "Accept: */*\r\nUser-Agent: Microsoft-CryptoAPI/10.0\r\nHost: cdn.test\r\n\r\n");
  EXPECT_EQ(catalogue.address_of(0), (Address{.host = "cdn.test", .port = 80}));
}

struct FormCase {
  Form form;
  const char* has;
  const char* has_not;
};

class Forms : public CatalogueTest, public testing::WithParamInterface<FormCase> {};

TEST_P(Forms, SayWhatCryptoApiSays) {
  Catalogue catalogue = open(crl());
  Answer answer;
  answer.status = 200;
  answer.etag = "\"v\"";
  answer.last_modified = "Sun, 22 Nov 2026 20:00:00 GMT";
  const auto checked = catalogue.check(0, 0, answer);
  const std::string text =
      request(catalogue, {.form = GetParam().form, .version = checked.version});
  EXPECT_NE(text.find(GetParam().has), std::string::npos) << text;
  EXPECT_EQ(text.find(GetParam().has_not), std::string::npos) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Forms,
    testing::Values(
        FormCase{Form::cold, "GET ", "Cache-Control"}, FormCase{Form::cold, "GET ", "If-"},
        FormCase{Form::revalidate, "If-None-Match: \"v\"\r\n", "Pragma"},
        FormCase{Form::revalidate, "If-Modified-Since: Sun, 22 Nov", "Pragma"},
        FormCase{Form::revalidate, "Cache-Control: max-age = 3600\r\n", "Pragma"},
        FormCase{Form::revalidate_etag, "If-None-Match: \"v\"\r\n", "If-Modified-Since"},
        FormCase{Form::revalidate_date, "If-Modified-Since: Sun, 22 Nov", "If-None-Match"},
        FormCase{Form::no_cache, "Cache-Control: no-cache\r\nPragma: no-cache\r\n", "If-"},
        FormCase{Form::max_age_0, "Cache-Control: max-age = 0\r\n", "Pragma"}));

TEST_F(CatalogueTest, PutsAnOcspQuestionIntoThePathOrTheBody) {
  const Catalogue catalogue = open(ocsp());
  const std::string get = request(catalogue, {});
  const std::string der = content_of(kQuestion);
  const std::string path = get.substr(4, get.find(" HTTP/1.1") - 4);
  std::string decoded;
  ASSERT_TRUE(pki::decode_ocsp_get_path(path, decoded).has_value());
  EXPECT_EQ(decoded, der);
  EXPECT_EQ(path.find_first_of("+="), std::string::npos);  // escaped, as CryptoAPI does
  const std::string post = request(catalogue, {.method = Method::post});
  EXPECT_TRUE(post.starts_with("POST /ocsp HTTP/1.1\r\n"));
  EXPECT_NE(post.find("Content-Length: " + std::to_string(der.size()) + "\r\n"), std::string::npos);
  EXPECT_TRUE(post.ends_with("\r\n\r\n" + der));
}

TEST_F(CatalogueTest, CountsSerialsOnAndKeepsTheRestOfTheQuestion) {
  Object many = ocsp();
  many.serials = 1000;
  const Catalogue catalogue = open(many);
  std::set<std::string> serials;
  for (std::uint64_t variant = 0; variant < 1000; ++variant) {
    const std::string post = request(catalogue, {.variant = variant, .method = Method::post});
    const std::string der = post.substr(post.find("\r\n\r\n") + 4);
    const auto parsed = pki::parse_ocsp_request(as_bytes(der));
    ASSERT_TRUE(parsed.has_value());
    serials.insert(std::string(as_text(parsed->requests.front().serial)));
  }
  EXPECT_EQ(serials.size(), 1000U);
}

TEST_F(CatalogueTest, AsksTheResponderOfTheCommandLineDirectly) {
  Route route = through_proxy();
  route.responder = "http://responder.test:8888/ocsp/contoso";
  const Catalogue catalogue = open(ocsp(), route);
  EXPECT_TRUE(request(catalogue, {}).starts_with("GET /ocsp/contoso/M"));
  EXPECT_EQ(catalogue.address_of(0), (Address{.host = "responder.test", .port = 8888}));
}

TEST_F(CatalogueTest, NumbersTheCopiesOfAnObject) {
  const Catalogue catalogue = open({.name = "any", .url = "http://cdn.test/{n}.crl", .copies = 10});
  EXPECT_TRUE(request(catalogue, {.variant = 7}).starts_with("GET /7.crl "));
}

Answer answer_with(std::uint64_t hash) {
  Answer answer;
  answer.status = 200;
  answer.body_hash = hash;
  return answer;
}

TEST_F(CatalogueTest, ExpectsTheBodyOfTheFirstAnswerOfEachCopy) {
  Catalogue catalogue = open({.name = "any", .url = "http://cdn.test/{n}.crl", .copies = 10});
  EXPECT_TRUE(catalogue.check(0, 1, answer_with(100)).right);
  EXPECT_TRUE(catalogue.check(0, 2, answer_with(200)).right);
  EXPECT_TRUE(catalogue.check(0, 1, answer_with(100)).right);
  EXPECT_FALSE(catalogue.check(0, 1, answer_with(200)).right);
}

TEST_F(CatalogueTest, RemembersTheVersionsOfWhatMayChange) {
  Object object = crl();
  object.may_change = true;
  Catalogue catalogue = open(object);
  EXPECT_EQ(catalogue.check(0, 0, answer_with(1)).version, 0U);
  EXPECT_EQ(catalogue.check(0, 0, answer_with(2)).version, 1U);
  EXPECT_EQ(catalogue.check(0, 0, answer_with(1)).version, 0U);
  EXPECT_EQ(catalogue.versions(0).size(), 2U);
  EXPECT_EQ(catalogue.versions(0).front().seen, 2U);
  for (std::uint64_t hash = 3; hash < 1000; ++hash) {
    EXPECT_TRUE(catalogue.check(0, 0, answer_with(hash)).right);
  }
  EXPECT_EQ(catalogue.versions(0).size(), kVersionsMax);
}

TEST_F(CatalogueTest, TakesOnlyBodiesThatAreListed) {
  const std::string file = testing::TempDir() + "revcache-bench-body";
  std::ofstream(file, std::ios::binary) << "right";
  Object object = crl();
  object.bodies = {file};
  Catalogue catalogue = open(object);
  EXPECT_TRUE(catalogue.check(0, 0, answer_with(XXH3_64bits("right", 5))).right);
  EXPECT_FALSE(catalogue.check(0, 0, answer_with(XXH3_64bits("wrong", 5))).right);
}

TEST(ParseProxy, TakesHttpUrlsOnly) {
  EXPECT_EQ(*parse_proxy("http://127.0.0.1:3128"), (Address{.host = "127.0.0.1", .port = 3128}));
  EXPECT_EQ(*parse_proxy("http://proxy.test/"), (Address{.host = "proxy.test", .port = 80}));
  EXPECT_FALSE(parse_proxy("proxy:3128"));
  EXPECT_FALSE(parse_proxy("https://proxy:3128"));
}

}  // namespace
}  // namespace revcache::bench
