#include "proxy/asked_question.h"

#include <gtest/gtest.h>

#include <string>

#include "base/base64.h"
#include "pki/ocsp_response.h"

namespace revcache::proxy {
namespace {

using Path = AskedQuestion::Path;

// About serial 17 of an issuer whose SHA-1 hashes are all 0xff: its base64 has "/" in it.
std::string request() {
  const std::string hash = "\x04\x14" + std::string(20, '\xff');
  const std::string algorithm = "\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a";
  const std::string content = algorithm + hash + hash + "\x02\x01\x11";
  return pki::encode_ocsp_request("\x30" + std::string(1, static_cast<char>(content.size())) +
                                  content);
}

std::string get_path() { return base64(as_bytes(request())); }

http::UriView uri_of(const std::string& text, std::string& storage) {
  return http::parse_absolute_form(text, storage).value();
}

TEST(AskedQuestion, OwnPaths) {
  struct Row {
    std::string target;
    Path path;
    std::string authority;
    bool has_question;
  };
  const Row rows[] = {
      {"/ocsp", Path::own, "", false},
      {"/ocsp/", Path::own, "", false},
      {"/ocsp?x", Path::own, "", false},
      {"/ocsp/contoso", Path::own, "contoso", false},
      {"/ocsp/contoso/", Path::own, "contoso", false},
      {"/ocsp/" + get_path(), Path::own, "", true},
      {"/ocsp/contoso/" + get_path(), Path::own, "contoso", true},
      {"/ocsp/" + get_path() + "?x=y", Path::own, "", true},
      {"/ocspx", Path::none, "", false},
      {"/crl/contoso.crl", Path::none, "", false},
      {"/x/ocsp", Path::none, "", false},
  };
  AskedQuestion asked;  // reused, as a loop does
  for (const auto& row : rows) {
    asked.read_own(row.target);
    EXPECT_EQ(asked.path, row.path) << row.target;
    EXPECT_EQ(asked.authority, row.authority) << row.target;
    EXPECT_EQ(asked.question.has_value(), row.has_question) << row.target;
    EXPECT_EQ(asked.der, row.has_question ? request() : "") << row.target;
    EXPECT_EQ(asked.cache_key, "") << row.target;
  }
}

TEST(AskedQuestion, AGetOfAnotherHostHasTheKeyOfThePostWithTheSameBody) {
  std::string get_storage;
  std::string post_storage;
  const auto get_uri = uri_of("http://ocsp.test/a/" + get_path(), get_storage);
  const auto post_uri = uri_of("http://ocsp.test/", post_storage);
  AskedQuestion get;
  get.read_get(get_uri);
  EXPECT_EQ(get.path, Path::forwarded);
  ASSERT_TRUE(get.question);
  AskedQuestion post;
  const std::string body = request();
  post.read_post(post_uri, body);
  EXPECT_FALSE(get.cache_key.empty());
  EXPECT_EQ(get.cache_key, post.cache_key);
  EXPECT_EQ(post.der, body);
}

TEST(AskedQuestion, WhatIsNoQuestionLeavesNothingOfTheOneBefore) {
  std::string storage;
  AskedQuestion asked;
  asked.read_get(uri_of("http://ocsp.test/" + get_path(), storage));
  ASSERT_FALSE(asked.cache_key.empty());
  asked.read_get(uri_of("http://cdn.test/crls/MSIssuing.crl", storage));
  EXPECT_EQ(asked.path, Path::none);
  EXPECT_FALSE(asked.question);
  EXPECT_EQ(asked.der, "");
  EXPECT_EQ(asked.cache_key, "");
  asked.read_post(uri_of("http://ocsp.test/", storage), "no DER");
  EXPECT_FALSE(asked.question);
  EXPECT_EQ(asked.cache_key, "");
}

}  // namespace
}  // namespace revcache::proxy
