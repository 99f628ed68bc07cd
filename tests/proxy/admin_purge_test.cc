// What of the cache a URL or an authority stands for.
#include "proxy/admin_purge.h"

#include <gtest/gtest.h>

#include <string>

#include "cache/cache_key.h"

namespace revcache::proxy {
namespace {

std::string ocsp_key(std::string_view origin) {
  std::string key;
  cache::make_ocsp_key(key, origin, as_bytes("cert id"), {});
  return key;
}

TEST(PurgeScopeOfUrl, ACrlOrCertificateTakesNoOcspAnswersWithIt) {
  for (const char* url : {"http://pki.test/a.crl", "http://pki.test/ca.cer"}) {
    const auto scope = purge_scope_of_url(url);
    EXPECT_TRUE(scope.covers(url));
    EXPECT_FALSE(scope.covers(ocsp_key("http://pki.test"))) << url;
  }
}

TEST(PurgeScopeOfUrl, AResponderTakesTheAnswersOfItsHostAndPort) {
  const auto scope = purge_scope_of_url("http://pki.test:8080/ocsp");
  EXPECT_TRUE(scope.covers("http://pki.test:8080/ocsp"));
  EXPECT_TRUE(scope.covers(ocsp_key("http://pki.test:8080")));
  EXPECT_FALSE(scope.covers(ocsp_key("http://pki.test")));
  EXPECT_FALSE(scope.covers("http://pki.test:8080/other"));
}

TEST(PurgeScopeOfAuthority, TakesItsUrlsAndNoAnswersOfUnknownIssuers) {
  const auto scope = purge_scope_of_authority({"http://pki.test/a.crl"},
                                              std::make_shared<revocation::Snapshot>(), "root");
  EXPECT_TRUE(scope.covers("http://pki.test/a.crl"));
  EXPECT_FALSE(scope.covers("http://pki.test/b.crl"));
  EXPECT_FALSE(scope.covers(ocsp_key("http://pki.test")));
}

}  // namespace
}  // namespace revcache::proxy
