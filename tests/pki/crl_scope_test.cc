// RFC 5280 5.2.4, 5.2.5, 6.3.3: whom a CRL speaks of, and what a delta CRL changes.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "pki/crl.h"
#include "tests/pki/crl_factory.h"
#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

const CrlSigner& signer() {
  static const CrlSigner made;
  return made;
}

struct CoverageRow {
  const char* name;
  CrlScope scope;
  // Of a user certificate and a CA certificate that name http://a.test/1.crl, of one without
  // distribution points, and of serials: of a user's, a CA's, unknown.
  Coverage user, ca, bare, user_serial, ca_serial, any_serial;
};

constexpr Coverage kCertain = Coverage::certain;
constexpr Coverage kUncertain = Coverage::uncertain;
constexpr Coverage kNone = Coverage::none;

CrlScope partition(std::vector<std::string> urls) {
  CrlScope scope;
  scope.has_distribution_point = true;
  scope.urls = std::move(urls);
  return scope;
}

CrlScope flagged(bool CrlScope::* flag) {
  CrlScope scope;
  scope.*flag = true;
  return scope;
}

CrlScope user_partition() {
  CrlScope scope = partition({"http://a.test/1.crl"});
  scope.only_user_certificates = true;
  return scope;
}

const CoverageRow kCoverage[] = {
    {"Full", {}, kCertain, kCertain, kCertain, kCertain, kCertain, kCertain},
    {"OnlyUser", flagged(&CrlScope::only_user_certificates), kCertain, kNone, kCertain, kCertain,
     kNone, kUncertain},
    {"OnlyCa", flagged(&CrlScope::only_ca_certificates), kNone, kCertain, kNone, kNone, kCertain,
     kUncertain},
    {"OnlyAttribute", flagged(&CrlScope::only_attribute_certificates), kNone, kNone, kNone, kNone,
     kNone, kNone},
    {"OnlySomeReasons", flagged(&CrlScope::only_some_reasons), kUncertain, kUncertain, kUncertain,
     kUncertain, kUncertain, kUncertain},
    {"Indirect", flagged(&CrlScope::indirect), kUncertain, kUncertain, kUncertain, kUncertain,
     kUncertain, kUncertain},
    {"Partition", partition({"ldap://x", "http://a.test/1.crl"}), kCertain, kCertain, kUncertain,
     kUncertain, kUncertain, kUncertain},
    {"PartitionOfAnotherCase", partition({"HTTP://A.test/1.crl"}), kCertain, kCertain, kUncertain,
     kUncertain, kUncertain, kUncertain},
    {"PartitionOfAnotherPath", partition({"http://a.test/1.CRL"}), kUncertain, kUncertain,
     kUncertain, kUncertain, kUncertain, kUncertain},
    {"PartitionOfAnotherHost", partition({"http://b.test/1.crl"}), kUncertain, kUncertain,
     kUncertain, kUncertain, kUncertain, kUncertain},
    {"PartitionWithoutUrl", partition({}), kUncertain, kUncertain, kUncertain, kUncertain,
     kUncertain, kUncertain},
    {"PartitionOfUsers", user_partition(), kCertain, kNone, kUncertain, kUncertain, kNone,
     kUncertain},
};

Certificate certificate(bool is_ca, const char* url) {
  Certificate made;
  made.is_ca = is_ca;
  if (url != nullptr) made.crl_distribution_points.push_back({.urls = {"ldap://y", url}});
  return made;
}

TEST(Coverage, FollowsKindAndDistributionPoint) {
  constexpr const char* kUrl = "http://a.test/1.crl";
  for (const CoverageRow& row : kCoverage) {
    EXPECT_EQ(coverage(row.scope, certificate(false, kUrl)), row.user) << row.name;
    EXPECT_EQ(coverage(row.scope, certificate(true, kUrl)), row.ca) << row.name;
    EXPECT_EQ(coverage(row.scope, certificate(false, nullptr)), row.bare) << row.name;
    EXPECT_EQ(coverage(row.scope, std::optional<bool>(false)), row.user_serial) << row.name;
    EXPECT_EQ(coverage(row.scope, std::optional<bool>(true)), row.ca_serial) << row.name;
    EXPECT_EQ(coverage(row.scope, std::optional<bool>()), row.any_serial) << row.name;
  }
}

TEST(Coverage, APointForSomeReasonsOrOfAnotherIssuerProvesNothingByAbsence) {
  const CrlScope scope = partition({"http://a.test/1.crl"});
  Certificate some_reasons = certificate(false, "http://a.test/1.crl");
  some_reasons.crl_distribution_points[0].has_reasons = true;
  EXPECT_EQ(coverage(scope, some_reasons), Coverage::uncertain);
  Certificate other_issuer = certificate(false, "http://a.test/1.crl");
  other_issuer.crl_distribution_points[0].has_crl_issuer = true;
  EXPECT_EQ(coverage(scope, other_issuer), Coverage::uncertain);
}

TEST(CrlNumber, IsComparedAsANumber) {
  const std::string rows[] = {"",          "\x00"s,     "\x01",         "\x7f",
                              "\x00\x80"s, "\x01\x00"s, "\x7f\xff\xff", std::string(20, '\x10')};
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    for (std::size_t j = 0; j < std::size(rows); ++j) {
      const int expected = int{i > j} - int{i < j};
      EXPECT_EQ(compare_numbers(as_bytes(rows[i]), as_bytes(rows[j])), expected) << i << " " << j;
    }
  }
  EXPECT_EQ(compare_numbers(as_bytes("\x00\x01"s), as_bytes("\x01")), 0);
}

CrlText complete(std::string_view number) {
  CrlText text;
  text.extensions = extension(id_ce(20), integer(number));
  return text;
}

CrlText delta(std::string_view base, std::string_view number, std::string_view entries = {}) {
  CrlText text = complete(number);
  text.extensions += extension(id_ce(27), integer(base), true);
  text.entries = entries;
  return text;
}

std::string verdict_of(const CrlText& base, const CrlText& change,
                       const CrlSigner& other = signer()) {
  const auto refused = may_combine(*verified(signer(), base), *verified(other, change));
  return refused ? std::string(to_string(refused->reason)) : "fits";
}

TEST(DeltaCrl, FitsACompleteOneFromItsBaseOnAndBelowItself) {
  EXPECT_EQ(verdict_of(complete("\x05"), delta("\x05", "\x06")), "fits");
  EXPECT_EQ(verdict_of(complete("\x05"), delta("\x01", "\x06")), "fits");
  EXPECT_EQ(verdict_of(complete("\x00\xff"s), delta("\x05", "\x01\x00"s)), "fits");
  EXPECT_EQ(verdict_of(complete("\x05"), delta("\x06", "\x07")), "base_mismatch");
  EXPECT_EQ(verdict_of(complete("\x05"), delta("\x05", "\x05")), "base_mismatch");
  EXPECT_EQ(verdict_of(complete("\x06"), delta("\x04", "\x05")), "base_mismatch");
}

TEST(DeltaCrl, FitsOnlyACompleteOneWithANumber) {
  CrlText without_number = complete("\x05");
  without_number.extensions = "";
  EXPECT_EQ(verdict_of(without_number, delta("\x05", "\x06")), "base_mismatch");
  CrlText delta_without_number;
  delta_without_number.extensions = extension(id_ce(27), integer("\x01"), true);
  EXPECT_EQ(verdict_of(complete("\x05"), delta_without_number), "base_mismatch");
  EXPECT_EQ(verdict_of(delta("\x01", "\x05"), delta("\x05", "\x06")), "base_mismatch");
  EXPECT_EQ(verdict_of(complete("\x05"), complete("\x06")), "base_mismatch");
}

TEST(DeltaCrl, FitsOnlyTheSameScopeAndKey) {
  CrlText users = delta("\x05", "\x06");
  users.extensions += issuing_point(der(0x81, {"\xff"}));
  EXPECT_EQ(verdict_of(complete("\x05"), users), "scope_mismatch");
  CrlText of_users = complete("\x05");
  of_users.extensions += issuing_point(der(0x81, {"\xff"}));
  EXPECT_EQ(verdict_of(of_users, users), "fits");
  EXPECT_EQ(verdict_of(complete("\x05"), delta("\x05", "\x06"), CrlSigner()), "scope_mismatch");
}

TEST(DeltaCrl, ItsEntryWinsAndMayLiftARevocation) {
  CrlText base = complete("\x05");
  base.entries = entry("\x01", reason_extension(6)) + entry("\x02", reason_extension(6)) +
                 entry("\x03", reason_extension(1)) + entry("\x05", reason_extension(8));
  const auto whole = verified(signer(), base);
  const auto change =
      verified(signer(), delta("\x05", "\x06",
                               entry("\x01", reason_extension(8)) +
                                   entry("\x02", reason_extension(1)) + entry("\x04")));
  const auto reason = [&](const VerifiedCrl* with, const char* serial) {
    const auto found = find_combined(*whole, with, as_bytes(serial));
    return found ? std::string(to_string(found->reason)) : "none";
  };
  EXPECT_EQ(reason(nullptr, "\x01"), "certificateHold");
  EXPECT_EQ(reason(change.get(), "\x01"), "none");
  EXPECT_EQ(reason(change.get(), "\x02"), "keyCompromise");
  EXPECT_EQ(reason(change.get(), "\x03"), "keyCompromise");
  EXPECT_EQ(reason(nullptr, "\x04"), "none");
  EXPECT_EQ(reason(change.get(), "\x04"), "unspecified");
  EXPECT_EQ(reason(nullptr, "\x05"), "none");
  EXPECT_EQ(reason(change.get(), "\x06"), "none");
}

}  // namespace
}  // namespace revcache::pki
