#include "net/dns_cache.h"

#include <gtest/gtest.h>

#include "net/address_order.h"
#include "net/hosts_file.h"
#include "test_certificates.h"

namespace revcache::net {
namespace {

using std::chrono::seconds;

class SetClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return {}; }
  [[nodiscard]] MonotonicTime monotonic() const override { return now_; }
  void advance(std::chrono::nanoseconds by) { now_ += by; }

 private:
  MonotonicTime now_{std::chrono::hours(1)};
};

std::vector<IpAddress> addresses(std::initializer_list<const char*> texts) {
  std::vector<IpAddress> parsed;
  for (const char* text : texts) parsed.push_back(*IpAddress::parse(text));
  return parsed;
}

struct TtlCase {
  std::int64_t ttl_s;
  std::int64_t kept_s;
};

class DnsCacheTtl : public testing::TestWithParam<TtlCase> {};

TEST_P(DnsCacheTtl, IsKeptWithinItsBounds) {
  SetClock clock;
  DnsCache cache(clock, {});
  cache.store("a.example", addresses({"192.0.2.1"}), seconds(GetParam().ttl_s));
  const auto at_first = cache.find("a.example");
  ASSERT_TRUE(at_first);
  EXPECT_EQ(at_first->ttl, seconds(GetParam().kept_s));
  EXPECT_EQ(at_first->addresses, addresses({"192.0.2.1"}));
  clock.advance(seconds(GetParam().kept_s) - std::chrono::milliseconds(1));
  const auto at_last = cache.find("a.example");
  ASSERT_TRUE(at_last);
  EXPECT_EQ(at_last->ttl, seconds(1));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(cache.find("a.example"));
}

INSTANTIATE_TEST_SUITE_P(Table, DnsCacheTtl,
                         testing::Values(TtlCase{-1, 1}, TtlCase{0, 1}, TtlCase{1, 1},
                                         TtlCase{300, 300}, TtlCase{3600, 3600},
                                         TtlCase{3601, 3600}, TtlCase{2147483647, 3600}));

TEST(DnsCache, BelievesThatAHostIsAbsentForFiveSeconds) {
  SetClock clock;
  DnsCache cache(clock, {});
  cache.store_absent("gone.example");
  clock.advance(seconds(4));
  const auto found = cache.find("gone.example");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->addresses.empty());
  clock.advance(seconds(1));
  EXPECT_FALSE(cache.find("gone.example"));
  EXPECT_FALSE(cache.revive("gone.example"));
}

TEST(DnsCache, LetsTheLeastRecentlyUsedGo) {
  SetClock clock;
  DnsCache cache(clock, {.entries_max = 2});
  cache.store("a.example", addresses({"192.0.2.1"}), seconds(60));
  cache.store("b.example", addresses({"192.0.2.2"}), seconds(60));
  EXPECT_TRUE(cache.find("a.example"));
  cache.store("c.example", addresses({"192.0.2.3"}), seconds(60));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(cache.find("a.example"));
  EXPECT_FALSE(cache.find("b.example"));
  EXPECT_TRUE(cache.find("c.example"));
}

TEST(DnsCache, ANewAnswerReplacesTheOld) {
  SetClock clock;
  DnsCache cache(clock, {});
  cache.store("a.example", addresses({"192.0.2.1"}), seconds(60));
  cache.store("a.example", addresses({"192.0.2.2"}), seconds(10));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.find("a.example")->addresses, addresses({"192.0.2.2"}));
  cache.store_absent("a.example");
  EXPECT_TRUE(cache.find("a.example")->addresses.empty());
  clock.advance(seconds(20));
  EXPECT_FALSE(cache.has_stale("a.example"));  // the servers said that it is gone
}

// RFC 8767 section 4.
TEST(DnsCache, RevivesAnExpiredEntryForADayAndForAShortTimeEach) {
  SetClock clock;
  DnsCache cache(clock, {});
  cache.store("a.example", addresses({"192.0.2.1"}), seconds(60));
  EXPECT_EQ(cache.revive("a.example")->ttl, seconds(60));  // not expired: not shortened
  clock.advance(seconds(60));
  ASSERT_FALSE(cache.find("a.example"));
  ASSERT_TRUE(cache.has_stale("a.example"));
  const auto revived = cache.revive("a.example");
  ASSERT_TRUE(revived);
  EXPECT_EQ(revived->addresses, addresses({"192.0.2.1"}));
  EXPECT_EQ(revived->ttl, seconds(30));
  clock.advance(seconds(29));
  EXPECT_TRUE(cache.find("a.example"));
  clock.advance(seconds(1));
  EXPECT_FALSE(cache.find("a.example"));

  clock.advance(seconds(86400 - 30 - 10));  // reviving has not lengthened the day
  EXPECT_EQ(cache.revive("a.example")->ttl, seconds(10));
  clock.advance(seconds(10));
  EXPECT_FALSE(cache.revive("a.example"));
  EXPECT_FALSE(cache.revive("never-seen.example"));
}

TEST(DnsCache, RevivesNothingWhenToldNotTo) {
  SetClock clock;
  DnsCache cache(clock, {.stale_max = seconds(0)});
  cache.store("a.example", addresses({"192.0.2.1"}), seconds(60));
  clock.advance(seconds(60));
  EXPECT_FALSE(cache.has_stale("a.example"));
  EXPECT_FALSE(cache.revive("a.example"));
}

struct OrderCase {
  std::vector<IpAddress> given;
  std::vector<IpAddress> ordered;
};

TEST(AddressOrder, AlternatesFamiliesWithIpv6First) {
  const std::vector<OrderCase> table{
      {{}, {}},
      {addresses({"192.0.2.1", "192.0.2.2"}), addresses({"192.0.2.1", "192.0.2.2"})},
      {addresses({"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3"}),
       addresses({"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"})},
      {addresses({"192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"}),
       addresses({"2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"})},
      {addresses({"192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"}), addresses({"192.0.2.1"})},
  };
  for (const auto& row : table) EXPECT_EQ(alternate_families(row.given), row.ordered);
}

struct HostsCase {
  std::string text;
  std::string host;
  std::vector<IpAddress> found;
};

TEST(HostsFile, IsReadAsHosts5Says) {
  const std::vector<HostsCase> table{
      {"", "a", {}},
      {"192.0.2.1 a", "a", addresses({"192.0.2.1"})},
      {"192.0.2.1\ta.example  A\n", "a", addresses({"192.0.2.1"})},
      {"  192.0.2.1 a # b\n", "b", {}},
      {"# 192.0.2.1 a\n", "a", {}},
      {"192.0.2.1 CDN.Example\r\n", "cdn.example", addresses({"192.0.2.1"})},
      {"192.0.2.1 a\n2001:db8::1 a\n", "a", addresses({"192.0.2.1", "2001:db8::1"})},
      {"not-an-address a\n192.0.2.2 a", "a", addresses({"192.0.2.2"})},
      {"fe80::1%eth0 a\n192.0.2.1\n\n\n", "a", {}},
      {"192.0.2.1 a", "192.0.2.1", {}},
  };
  for (const auto& row : table) {
    const HostsTable hosts = parse_hosts(row.text);
    const auto found = hosts.find(row.host);
    EXPECT_EQ(found == hosts.end() ? std::vector<IpAddress>{} : found->second, row.found)
        << row.text;
  }
}

TEST(HostsFile, IsReadAgainAfterAChangeButNotLookedAtAllTheTime) {
  SetClock clock;
  const TestDirectory directory;
  HostsFile hosts(directory.file("hosts", "192.0.2.1 a\n"), clock);
  EXPECT_EQ(hosts.find("a"), addresses({"192.0.2.1"}));
  static_cast<void>(directory.file("hosts", "192.0.2.22 a\n"));
  EXPECT_EQ(hosts.find("a"), addresses({"192.0.2.1"}));
  clock.advance(seconds(5));
  EXPECT_EQ(hosts.find("a"), addresses({"192.0.2.22"}));
}

TEST(HostsFile, MayBeMissing) {
  SetClock clock;
  HostsFile hosts("/nonexistent/hosts", clock);
  EXPECT_TRUE(hosts.find("a").empty());
}

}  // namespace
}  // namespace revcache::net
