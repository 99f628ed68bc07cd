#include "net/uv_resolver.h"

#include <optional>

#include "dns_server.h"
#include "loop_fixture.h"
#include "test_certificates.h"

namespace revcache::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<IpAddress> addresses(std::initializer_list<const char*> texts) {
  std::vector<IpAddress> parsed;
  for (const char* text : texts) parsed.push_back(*IpAddress::parse(text));
  return parsed;
}

class UvResolverTest : public LoopTest {
 protected:
  using Answer = std::optional<Result<ResolvedHost>>;

  void SetUp() override {
    options_.servers.servers = server_.address();
    options_.servers.try_timeout = seconds(10);
    options_.servers.tries = 2;
    options_.hosts_file = files_.file("hosts", "192.0.2.80 listed.example\n::1 listed.example\n");
    reopen();
  }

  void reopen() {
    auto opened = UvResolver::open(loop_, options_);
    ASSERT_TRUE(opened) << opened.error().detail;
    resolver_ = std::move(*opened);
  }

  Answer resolve(const std::string& host, milliseconds timeout = kWatchdog) {
    Answer answer;
    resolver_->resolve(host, timeout, [&](auto got) { answer = std::move(got); });
    EXPECT_FALSE(answer);  // never inside the call
    EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
    return answer;
  }

  // For tests in which the servers are silent: c-ares gives up soon.
  void give_up_soon() {
    options_.servers.try_timeout = milliseconds(50);
    reopen();
  }

  void serve_both(const std::string& host) {
    server_.set(host, kTypeA, {.records = {{kTypeA, 60, "192.0.2.1"}, {kTypeA, 60, "192.0.2.2"}}});
    server_.set(host, kTypeAaaa, {.records = {{kTypeAaaa, 90, "2001:db8::1"}}});
  }

  TestDirectory files_;
  DnsServer server_{loop_};
  UvResolver::Options options_;
  std::unique_ptr<UvResolver> resolver_;
};

// RFC 8305 section 4.
TEST_F(UvResolverTest, AsksForBothFamiliesAndAlternatesThemWithIpv6First) {
  serve_both("cdn.example");
  const auto answer = resolve("cdn.example");
  ASSERT_TRUE(answer->has_value()) << answer->error().detail;
  EXPECT_EQ((*answer)->addresses, addresses({"2001:db8::1", "192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ((*answer)->ttl, seconds(60));
}

TEST_F(UvResolverTest, AnswersFromItsCacheWithinTheTtl) {
  serve_both("cdn.example");
  ASSERT_TRUE(resolve("cdn.example")->has_value());
  server_.set_silent(true);
  const auto again = resolve("cdn.example");
  ASSERT_TRUE(again->has_value());
  EXPECT_EQ((*again)->addresses.size(), 3U);
  EXPECT_LE((*again)->ttl, seconds(60));
  EXPECT_EQ(server_.questions("cdn.example", kTypeA), 1);
  EXPECT_EQ(server_.questions("cdn.example", kTypeAaaa), 1);
}

TEST_F(UvResolverTest, EqualQuestionsShareOneQuery) {
  serve_both("cdn.example");
  int answered = 0;
  for (int i = 0; i < 10; ++i) {
    resolver_->resolve("cdn.example", kWatchdog, [&](auto got) { answered += got ? 1 : 0; });
  }
  ASSERT_TRUE(run_until([&] { return answered == 10; }));
  EXPECT_EQ(server_.questions("cdn.example", kTypeA), 1);
}

TEST_F(UvResolverTest, FollowsAliasesAndTheirSmallestTtlCounts) {
  const DnsServer::Record alias{kTypeCname, 20, "edge.example"};
  server_.set("www.example", kTypeA,
              {.records = {alias, {kTypeA, 300, "192.0.2.9", "edge.example"}}});
  server_.set("www.example", kTypeAaaa, {.records = {alias}});
  const auto answer = resolve("www.example");
  ASSERT_TRUE(answer->has_value()) << answer->error().detail;
  EXPECT_EQ((*answer)->addresses, addresses({"192.0.2.9"}));
  EXPECT_EQ((*answer)->ttl, seconds(20));
}

// RFC 7766: an answer that does not fit into a datagram is fetched again by TCP.
TEST_F(UvResolverTest, AsksAgainByTcpWhenTheAnswerWasCut) {
  DnsServer::Reply large;
  for (int i = 1; i <= 40; ++i) {
    large.records.push_back({kTypeA, 60, "192.0.2." + std::to_string(i)});
  }
  server_.set("many.example", kTypeA, large);
  const auto answer = resolve("many.example");
  ASSERT_TRUE(answer->has_value()) << answer->error().detail;
  EXPECT_EQ((*answer)->addresses.size(), static_cast<std::size_t>(DnsChannel::kAddressesMax));
  EXPECT_EQ((*answer)->addresses[0].to_string(), "192.0.2.1");
  EXPECT_EQ(server_.questions("many.example", kTypeA), 2);
}

TEST_F(UvResolverTest, RemembersThatThereIsNoSuchHost) {
  const auto first = resolve("absent.example");
  ASSERT_FALSE(first->has_value());
  EXPECT_EQ(first->error().code, ErrorCode::unreachable);
  EXPECT_EQ(first->error().blame, Blame::upstream);
  EXPECT_NE(first->error().detail.find("absent.example"), std::string::npos);
  ASSERT_FALSE(resolve("absent.example")->has_value());
  EXPECT_EQ(server_.questions("absent.example", kTypeA), 1);
}

TEST_F(UvResolverTest, ANameWithoutAddressesIsUnreachable) {
  server_.set("mail.example", kTypeA, {});
  server_.set("mail.example", kTypeAaaa, {});
  const auto answer = resolve("mail.example");
  ASSERT_FALSE(answer->has_value());
  EXPECT_EQ(answer->error().code, ErrorCode::unreachable);
}

TEST_F(UvResolverTest, OneFamilyIsEnough) {
  server_.set("v6.example", kTypeAaaa, {.records = {{kTypeAaaa, 60, "2001:db8::6"}}});
  server_.set("v6.example", kTypeA, {});
  EXPECT_EQ((*resolve("v6.example"))->addresses, addresses({"2001:db8::6"}));
  server_.set("v4.example", kTypeA, {.records = {{kTypeA, 60, "192.0.2.4"}}});
  server_.set("v4.example", kTypeAaaa, {.code = kServerFailure});
  EXPECT_EQ((*resolve("v4.example"))->addresses, addresses({"192.0.2.4"}));
}

// RFC 8305 section 3: the resolution delay. With tries of a minute only the delay can end it.
TEST_F(UvResolverTest, SilenceAboutOneFamilyDoesNotHoldUpTheOther) {
  options_.servers.try_timeout = seconds(60);
  reopen();
  server_.set("v4.example", kTypeA, {.records = {{kTypeA, 600, "192.0.2.4"}}});
  server_.set("v4.example", kTypeAaaa, {.silent = true});
  const auto answer = resolve("v4.example");
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((*answer)->addresses, addresses({"192.0.2.4"}));
  EXPECT_LE((*answer)->ttl, seconds(30));  // half an answer is not kept for long
}

TEST_F(UvResolverTest, TimesOutWhenTheServersAreSilent) {
  give_up_soon();
  server_.set_silent(true);
  const auto given_up_by_caller = resolve("cdn.example", milliseconds(5));
  ASSERT_FALSE(given_up_by_caller->has_value());
  EXPECT_EQ(given_up_by_caller->error().code, ErrorCode::timed_out);
  const auto given_up_by_us = resolve("cdn.example");
  ASSERT_FALSE(given_up_by_us->has_value());
  EXPECT_EQ(given_up_by_us->error().code, ErrorCode::timed_out);
  EXPECT_GE(server_.questions("cdn.example", kTypeA), 2);
}

TEST_F(UvResolverTest, ACallersTimeoutLeavesTheOthersWaiting) {
  options_.servers.try_timeout = milliseconds(250);
  reopen();
  serve_both("cdn.example");
  server_.set_silent(true);
  Answer patient;
  resolver_->resolve("cdn.example", kWatchdog, [&](auto got) { patient = std::move(got); });
  EXPECT_FALSE(resolve("cdn.example", milliseconds(1))->has_value());
  server_.set_silent(false);
  ASSERT_TRUE(run_until([&] { return patient.has_value(); }));
  EXPECT_TRUE(patient->has_value());
}

TEST_F(UvResolverTest, AFailureOfTheServersIsNoAnswerAndIsNotRemembered) {
  server_.set("cdn.example", kTypeA, {.code = kServerFailure});
  server_.set("cdn.example", kTypeAaaa, {.code = kServerFailure});
  const auto failed = resolve("cdn.example");
  ASSERT_FALSE(failed->has_value());
  EXPECT_EQ(failed->error().code, ErrorCode::unreachable);
  serve_both("cdn.example");
  EXPECT_TRUE(resolve("cdn.example")->has_value());
}

// RFC 8767: the product is there to survive outages.
class UvResolverOutage : public UvResolverTest {
 protected:
  // Leaves the cache with an expired entry for cdn.example.
  void SetUp() override {
    options_.cache.ttl_min = seconds(0);
    UvResolverTest::SetUp();
    server_.set("cdn.example", kTypeA, {.records = {{kTypeA, 0, "192.0.2.1"}}});
    ASSERT_TRUE(resolve("cdn.example")->has_value());
  }
};

TEST_F(UvResolverOutage, ExpiredAddressesStandInWhileTheServersAreSilent) {
  give_up_soon();
  ASSERT_TRUE(resolve("cdn.example")->has_value());
  server_.set_silent(true);
  const auto stale = resolve("cdn.example");
  ASSERT_TRUE(stale->has_value()) << stale->error().detail;
  EXPECT_EQ((*stale)->addresses, addresses({"192.0.2.1"}));
  const int asked = server_.questions("cdn.example", kTypeA);
  ASSERT_TRUE(resolve("cdn.example")->has_value());
  EXPECT_EQ(server_.questions("cdn.example", kTypeA), asked);  // nobody waits for silence again
}

TEST_F(UvResolverOutage, ExpiredAddressesStandInSoonWhenTheServersAreSlow) {
  options_.servers.try_timeout = seconds(60);
  options_.stale_after = milliseconds(5);
  reopen();
  ASSERT_TRUE(resolve("cdn.example")->has_value());
  server_.set_silent(true);
  EXPECT_TRUE(resolve("cdn.example")->has_value());
}

TEST_F(UvResolverOutage, ExpiredAddressesStandInWhenTheServersFail) {
  server_.set("cdn.example", kTypeA, {.code = kServerFailure});
  server_.set("cdn.example", kTypeAaaa, {.code = kServerFailure});
  EXPECT_TRUE(resolve("cdn.example")->has_value());
}

TEST_F(UvResolverOutage, ExpiredAddressesDoNotStandInWhenTheHostIsGone) {
  server_.set("cdn.example", kTypeA, {.code = kNameError});
  EXPECT_FALSE(resolve("cdn.example")->has_value());
}

TEST_F(UvResolverTest, LocalhostAndTheHostsFileNeedNoServer) {
  for (const char* host : {"localhost", "db.localhost"}) {
    const auto answer = resolve(host);
    ASSERT_TRUE(answer->has_value());
    EXPECT_EQ((*answer)->addresses, addresses({"::1", "127.0.0.1"}));
    EXPECT_EQ(server_.questions(host, kTypeA), 0);
  }
  const auto listed = resolve("listed.example");
  ASSERT_TRUE(listed->has_value());
  EXPECT_EQ((*listed)->addresses, addresses({"::1", "192.0.2.80"}));
  EXPECT_EQ(server_.questions("listed.example", kTypeA), 0);
}

TEST_F(UvResolverTest, RefusesMoreQuestionsThanItsLimit) {
  options_.questions_max = 1;
  reopen();
  serve_both("one.example");
  bool first = false;
  bool joined = false;
  Answer refused;
  resolver_->resolve("one.example", kWatchdog, [&](auto got) { first = got.has_value(); });
  resolver_->resolve("one.example", kWatchdog, [&](auto got) { joined = got.has_value(); });
  resolver_->resolve("two.example", kWatchdog, [&](auto got) { refused = std::move(got); });
  ASSERT_TRUE(run_until([&] { return first && joined && refused; }));
  ASSERT_FALSE(refused->has_value());
  EXPECT_EQ(refused->error().code, ErrorCode::overloaded);
  EXPECT_EQ(refused->error().blame, Blame::local);
}

TEST_F(UvResolverTest, NamesThatDnsCannotCarryAreUnreachable) {
  const std::vector<std::string> hosts{std::string(64, 'a'), "a..example"};
  for (const std::string& host : hosts) {
    const auto answer = resolve(host);
    ASSERT_FALSE(answer->has_value());
    EXPECT_EQ(answer->error().code, ErrorCode::unreachable);
  }
}

TEST_F(UvResolverTest, RefusesAListOfServersThatIsNone) {
  options_.servers.servers = "not a server";
  const auto opened = UvResolver::open(loop_, options_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().blame, Blame::local);
  EXPECT_NE(opened.error().detail.find("not a server"), std::string::npos);
}

TEST_F(UvResolverTest, EndingItDestroysCallbacksUnrun) {
  server_.set_silent(true);
  const auto owned = std::make_shared<int>(0);
  bool ran = false;
  for (const char* host : {"cdn.example", "localhost"}) {
    resolver_->resolve(host, kWatchdog, [&ran, owned](auto) { ran = true; });
  }
  resolver_.reset();
  EXPECT_EQ(owned.use_count(), 1);
  run_rounds();
  EXPECT_FALSE(ran);
}

TEST_F(UvResolverTest, ACallbackMayEndTheResolver) {
  serve_both("cdn.example");
  int ran = 0;
  for (int i = 0; i < 2; ++i) {
    resolver_->resolve("cdn.example", kWatchdog, [&](auto) {
      ++ran;
      resolver_.reset();
    });
  }
  ASSERT_TRUE(run_until([&] { return !resolver_; }));
  run_rounds();
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace revcache::net
