#include "revocation/floor.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/revocation/state_fixture.h"

namespace revcache::revocation {
namespace {

using namespace std::string_literals;
using pki::OcspCertStatus;
using testing::at;
using testing::hash_number;

TEST(FloorKeys, KindAndDistributionPointMakeScopesOfTheirOwn) {
  const pki::KeyHash issuer = hash_number(1);
  const std::vector<FloorKey> keys{crl_key(issuer, CrlKind::complete, {}),
                                   crl_key(issuer, CrlKind::delta, {}),
                                   crl_key(issuer, CrlKind::complete, as_bytes("a")),
                                   crl_key(issuer, CrlKind::complete, as_bytes("b")),
                                   crl_key(issuer, CrlKind::delta, as_bytes("a")),
                                   crl_key(hash_number(2), CrlKind::complete, {}),
                                   ocsp_floor_key(issuer, {})};
  EXPECT_EQ(std::set<FloorKey>(keys.begin(), keys.end()).size(), keys.size());
  EXPECT_EQ(crl_key(issuer, CrlKind::delta, as_bytes("a")), keys[4]);
}

TEST(FloorKeys, TheScopeOfACompleteCrlIsTheHashOfTheDocument) {
  EXPECT_EQ(crl_key(hash_number(1), CrlKind::complete, as_bytes("xyz")).scope,
            pki::sha256(as_bytes("crl\0xyz"s)));
  EXPECT_EQ(crl_key(hash_number(1), CrlKind::delta, {}).scope, pki::sha256(as_bytes("delta\0"s)));
}

TEST(FloorKeys, EachPartOfACertIdCountsButLeadingZerosDoNot) {
  const std::string serial = "\x01\x02";
  const std::string padded = "\0\x01\x02"s;
  const pki::CertId base{.der = {},
                         .hash = pki::CertIdHash::sha1,
                         .issuer_name_hash = as_bytes("ab"),
                         .issuer_key_hash = as_bytes("cd"),
                         .serial = as_bytes(serial)};
  const auto key = [](const pki::CertId& cert_id) { return ocsp_floor_key({}, cert_id); };
  pki::CertId other = base;
  other.der = as_bytes("with NULL parameters");
  other.serial = as_bytes(padded);
  EXPECT_EQ(key(other), key(base));
  std::vector<pki::CertId> different(5, base);
  different[0].hash = pki::CertIdHash::sha256;
  different[1].issuer_name_hash = as_bytes("ax");
  different[2].issuer_key_hash = as_bytes("cx");
  different[3].serial = as_bytes("\x01\x03");
  different[4].issuer_name_hash = as_bytes("abc");  // the same octets, divided otherwise
  different[4].issuer_key_hash = as_bytes("d");
  for (const pki::CertId& one : different) EXPECT_NE(key(one), key(base));
}

struct CrlCase {
  const char* name;
  Floor candidate;
  std::optional<Floor> floor;
  FloorOrder order;
};

Floor crl(const std::string& number, std::int64_t this_update, std::uint64_t hash) {
  return {.number = number, .this_update = at(this_update), .hash = hash_number(hash)};
}

TEST(FloorOrder, OfCrls) {
  using enum FloorOrder;
  const std::vector<CrlCase> cases{
      {"the first", crl("\5", 100, 1), std::nullopt, newer},
      {"itself", crl("\5", 100, 1), crl("\5", 100, 1), same},
      {"the next", crl("\6", 200, 2), crl("\5", 100, 1), newer},
      {"the one before", crl("\4", 50, 2), crl("\5", 100, 1), rolled_back},
      {"a lower number, newer date", crl("\4", 200, 2), crl("\5", 100, 1), rolled_back},
      {"a higher number, older date", crl("\6", 99, 2), crl("\5", 100, 1), rolled_back},
      {"a higher number of the same second", crl("\6", 100, 2), crl("\5", 100, 1), newer},
      {"the same number, newer date", crl("\5", 101, 2), crl("\5", 100, 1), newer},
      {"the same number, older date", crl("\5", 99, 2), crl("\5", 100, 1), rolled_back},
      {"a twin with other content", crl("\5", 100, 2), crl("\5", 100, 1), rolled_back},
      {"numbers are numbers, not text", crl("\x01\x00"s, 200, 2), crl("\x7f", 100, 1), newer},
      {"leading zeros do not count", crl("\0\x80"s, 100, 1), crl("\x80", 100, 1), same},
      {"no number, newer date", crl("", 200, 2), crl("\5", 100, 1), newer},
      {"no number, older date", crl("", 99, 2), crl("\5", 100, 1), rolled_back},
      {"no number, same date", crl("", 100, 2), crl("\5", 100, 1), rolled_back},
      {"a number for the first time", crl("\5", 200, 2), crl("", 100, 1), newer},
      {"neither has a number", crl("", 100, 1), crl("", 100, 1), same}};
  for (const CrlCase& one : cases) {
    EXPECT_EQ(to_string(compare(one.candidate, one.floor)), to_string(one.order)) << one.name;
  }
}

pki::SingleResponse answer(OcspCertStatus status, std::int64_t this_update,
                           std::int64_t revoked_at = 0) {
  pki::SingleResponse single;
  single.status = status;
  single.this_update = at(this_update);
  single.revoked_at = at(revoked_at);
  return single;
}

struct OcspCase {
  const char* name;
  pki::SingleResponse candidate;
  std::optional<pki::SingleResponse> newest;
  FloorOrder order;
};

TEST(FloorOrder, OfOcspAnswersRevokedWinsWithinOneThisUpdate) {
  using enum FloorOrder;
  using enum OcspCertStatus;
  const std::vector<OcspCase> cases{
      {"the first", answer(good, 100), std::nullopt, newer},
      {"signed again", answer(good, 100), answer(good, 100), same},
      {"newer", answer(good, 101), answer(revoked, 100), newer},
      {"older", answer(good, 99), answer(good, 100), rolled_back},
      {"older, though it revokes", answer(revoked, 99), answer(good, 100), rolled_back},
      {"revoked now", answer(revoked, 100), answer(good, 100), newer},
      {"revoked still", answer(revoked, 100, 5), answer(revoked, 100, 5), same},
      {"revoked with another date", answer(revoked, 100, 6), answer(revoked, 100, 5), newer},
      {"good after revoked", answer(good, 100), answer(revoked, 100), rolled_back},
      {"unknown after revoked", answer(unknown, 100), answer(revoked, 100), rolled_back},
      {"good after unknown", answer(good, 100), answer(unknown, 100), newer}};
  for (const OcspCase& one : cases) {
    const auto floor = one.newest ? std::optional(floor_of(*one.newest)) : std::nullopt;
    EXPECT_EQ(to_string(compare(one.candidate, floor)), to_string(one.order)) << one.name;
  }
}

}  // namespace
}  // namespace revcache::revocation
