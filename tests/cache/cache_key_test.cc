#include "cache/cache_key.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace revcache::cache {
namespace {

std::string ocsp_key(std::string_view origin, std::string_view cert_id,
                     std::string_view algorithms) {
  std::string key = "left over";
  make_ocsp_key(key, origin, as_bytes(cert_id), as_bytes(algorithms));
  return key;
}

TEST(OcspKey, DiffersWhereverItsPartsDiffer) {
  const std::string zero(1, '\0');
  const std::set<std::string> keys{
      ocsp_key("http://a.test", "id", ""),        ocsp_key("http://b.test", "id", ""),
      ocsp_key("http://a.test:81", "id", ""),     ocsp_key("http://a.test", "ie", ""),
      ocsp_key("http://a.test", "id" + zero, ""), ocsp_key("http://a.test", "i", "d"),
      ocsp_key("http://a.test", "", "id"),        ocsp_key("http://a.test", "id", "x"),
      ocsp_key("http://a.test", "", ""),          ocsp_key("http://a.testid", "", ""),
  };
  EXPECT_EQ(keys.size(), 10U);
}

TEST(OcspKey, IsAFunctionOfItsPartsAlone) {
  EXPECT_EQ(ocsp_key("http://a.test", "id", "x"), ocsp_key("http://a.test", "id", "x"));
}

TEST(OcspKey, CannotBeMistakenForAUri) {
  const auto key = ocsp_key("http://a.test", "/ocsp", "");
  EXPECT_FALSE(key.starts_with("http"));
  EXPECT_LT(static_cast<unsigned char>(key.front()), 0x20U);
}

TEST(OcspKey, IsNeverTheBeginningOfAnotherOne) {
  const std::array<std::string, 4> keys{
      ocsp_key("http://a.test", "i", ""), ocsp_key("http://a.test", "id", ""),
      ocsp_key("http://a.test", "id", "a"), ocsp_key("http://a.test", "id", "ab")};
  for (const auto& left : keys) {
    for (const auto& right : keys) {
      EXPECT_EQ(left.starts_with(right), left == right);
    }
  }
}

TEST(OcspKey, ReusesTheStorageItIsGiven) {
  std::string key;
  key.reserve(512);
  const char* storage = key.data();
  make_ocsp_key(key, "http://ocsp.test", as_bytes(std::string(80, 'x')), {});
  EXPECT_EQ(key.data(), storage);
}

TEST(KeyHasher, DependsOnSeedAndEveryOctet) {
  const KeyHasher hash(1);
  const KeyHasher other(2);
  const std::string key(300, 'k');
  EXPECT_EQ(hash(key), hash(key));
  EXPECT_NE(hash(key), other(key)) << "nobody can prepare collisions without the seed";
  std::set<std::uint64_t> values{hash(key)};
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::string changed = key;
    changed[i] = 'j';
    values.insert(hash(changed));
    values.insert(hash(key.substr(0, i)));
  }
  EXPECT_EQ(values.size(), 1 + 2 * key.size());
}

}  // namespace
}  // namespace revcache::cache
