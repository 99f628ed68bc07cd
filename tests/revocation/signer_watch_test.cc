#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/revocation/signer_watch_world.h"

namespace revcache::revocation {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SignerWatchTest : public ::testing::Test, public testing::SignerWatchWorld {};

TEST_F(SignerWatchTest, HasAnEmptyTableBeforeAnythingElse) {
  ASSERT_NE(watch.table(), nullptr);
  EXPECT_THAT(watch.table()->authorities, IsEmpty());
}

TEST_F(SignerWatchTest, PublishesWhoeverIsAnsweredFor) {
  const pki::Identity signer = delegated();
  put(signer);
  AnsweredAuthority contoso = answered(authority);
  contoso.responder_hosts = {"ocsp.contoso.example"};
  contoso.policy.validity = 7min;
  ASSERT_TRUE(watch.configure({source()}, {contoso}, now));

  ASSERT_EQ(published.size(), 1U);
  EXPECT_EQ(published.front(), watch.table());
  EXPECT_EQ(only().name, "contoso");
  EXPECT_EQ(only().key, pki::key_hash(*authority.certificate));
  EXPECT_EQ(only().responder_hosts, contoso.responder_hosts);
  EXPECT_EQ(only().policy.validity, 7min);
  EXPECT_EQ(only().signer_name, "ocsp");
  EXPECT_EQ(certificate_in_use(), der(signer));
  EXPECT_TRUE(only().may_sign);
  EXPECT_EQ(only().signer_not_after, pki::kFarAhead);
  EXPECT_EQ(only().signer_hash, pki::sha256(as_bytes(signer.certificate->der.text())));
  ASSERT_EQ(log.count("signer loaded"), 1U);
  EXPECT_EQ(log.of("signer loaded").front().fields["not_after"], "2099-01-01T00:00:00Z");
  EXPECT_EQ(log.of("signer loaded").front().fields["subject"], "CN=OCSP signer");
}

TEST_F(SignerWatchTest, LoadsASignerOfTwoAuthoritiesOnce) {
  const pki::Identity other = pki::make_authority("Other");
  put(pki::make_ocsp_signer(nullptr));
  ASSERT_TRUE(watch.configure({source()}, {answered(authority), answered(other, "fabrikam")}, now));
  const auto table = watch.table();
  ASSERT_EQ(table->authorities.size(), 2U);
  EXPECT_EQ(table->authorities[0].signer, table->authorities[1].signer);
  EXPECT_EQ(table->authorities[1].label, 1U);
  EXPECT_EQ(log.count("signer loaded"), 1U);
  ASSERT_EQ(watch.signers().size(), 1U);
  // Both authorities find the same.
  EXPECT_EQ(watch.signers().front().findings.size(), 1U);
}

TEST_F(SignerWatchTest, DoesNotPublishWhileNothingChanges) {
  begin(delegated());
  for (int look = 0; look < 3; ++look) watch.look_again(now += 10s);
  EXPECT_EQ(published.size(), 1U);
  EXPECT_EQ(log.count("signer loaded"), 1U);
}

TEST_F(SignerWatchTest, TakesAReplacedFileIntoUse) {
  begin(delegated());
  const auto before = only().signer_hash;
  const pki::Identity next = delegated();
  put(next);
  watch.look_again(now += 10s);
  EXPECT_EQ(published.size(), 2U);
  EXPECT_EQ(certificate_in_use(), der(next));
  EXPECT_NE(only().signer_hash, before);
  EXPECT_EQ(log.count("signer loaded"), 2U);
  EXPECT_EQ(log.count("signer not usable"), 0U);
}

TEST_F(SignerWatchTest, ReplacesASignerWhoseKeyComesLaterThanItsCertificate) {
  const pki::Identity first = delegated();
  begin(first);
  const pki::Identity next = delegated();
  put("ocsp.pem", next.certificate_pem);
  watch.look_again(now += 10s);
  EXPECT_EQ(certificate_in_use(), der(first));
  EXPECT_THAT(watch.signers().front().problem, Not(IsEmpty()));
  put("ocsp.key", next.key_pem);
  watch.look_again(now += 10s);
  EXPECT_EQ(certificate_in_use(), der(next));
  EXPECT_THAT(watch.signers().front().problem, IsEmpty());
}

TEST_F(SignerWatchTest, AnotherChainIsAnotherAnswer) {
  const pki::Identity signer = delegated();
  begin(signer);
  const auto before = only().signer_hash;
  put("ocsp.pem", signer.certificate_pem + authority.certificate_pem);
  watch.look_again(now);
  EXPECT_NE(only().signer_hash, before);
}

struct BrokenFile {
  std::string name;
  void (*damage)(const testing::SignerWatchWorld& world);
  std::string problem;
  bool fails_reload = true;
};

class BrokenSignerFile : public SignerWatchTest,
                         public ::testing::WithParamInterface<BrokenFile> {};

TEST_P(BrokenSignerFile, LeavesTheSignerInUseAndIsLoggedOnce) {
  const pki::Identity good = delegated();
  begin(good);
  GetParam().damage(*this);
  for (int look = 0; look < 3; ++look) watch.look_again(now += 10s);
  EXPECT_EQ(certificate_in_use(), der(good));
  EXPECT_TRUE(only().may_sign);
  EXPECT_EQ(published.size(), 1U);
  EXPECT_TRUE(watch.signers().front().usable);
  EXPECT_THAT(watch.signers().front().problem, HasSubstr(GetParam().problem));
  ASSERT_EQ(log.count("signer not usable"), 1U);
  auto logged = log.of("signer not usable").front();
  EXPECT_EQ(logged.level, metrics::LogLevel::error);
  EXPECT_EQ(logged.fields["signer"], "ocsp");
  EXPECT_THAT(logged.fields["detail"], HasSubstr(GetParam().problem));

  put(delegated(), "next");
  std::filesystem::rename(path_of("next.pem"), path_of("ocsp.pem"));
  std::filesystem::rename(path_of("next.key"), path_of("ocsp.key"));
  watch.look_again(now += 10s);
  EXPECT_NE(certificate_in_use(), der(good));
  EXPECT_THAT(watch.signers().front().problem, IsEmpty());
}

TEST_P(BrokenSignerFile, IsNotTakenIntoUseByAReloadEither) {
  const pki::Identity good = delegated();
  begin(good);
  GetParam().damage(*this);
  AnsweredAuthority changed = answered(authority);
  changed.policy.validity = 7min;
  const auto reloaded = watch.configure({source()}, {changed}, now);
  EXPECT_EQ(certificate_in_use(), der(good));
  EXPECT_TRUE(only().may_sign);
  ASSERT_EQ(reloaded.has_value(), !GetParam().fails_reload);
  if (reloaded) {
    watch.look_again(now);
    EXPECT_THAT(watch.signers().front().problem, HasSubstr(GetParam().problem));
    return;
  }
  EXPECT_EQ(reloaded.error().blame, Blame::local);
  EXPECT_THAT(reloaded.error().detail,
              AllOf(HasSubstr("signer \"ocsp\""), HasSubstr(GetParam().problem)));
  EXPECT_EQ(only().policy.validity, 1h);
  EXPECT_EQ(published.size(), 1U);
}

const BrokenFile kBrokenFiles[] = {
    {"Junk", [](const auto& world) { world.put("ocsp.pem", "junk"); }, "ocsp.pem"},
    {"Empty", [](const auto& world) { world.put("ocsp.pem", ""); }, "ocsp.pem"},
    {"NoCertificate", [](const auto& world) { std::filesystem::remove(world.path_of("ocsp.pem")); },
     "ocsp.pem cannot be read"},
    {"NoKey", [](const auto& world) { std::filesystem::remove(world.path_of("ocsp.key")); },
     "ocsp.key cannot be read"},
    {"AnotherKey", [](const auto& world) { world.put("ocsp.key", world.delegated().key_pem); },
     "ocsp.pem"},
    {"KeyForAll", [](const auto& world) { world.put("ocsp.key", world.delegated().key_pem, 0644); },
     "chmod 600"},
    {"NotForOcsp",
     [](const auto& world) {
       world.put(pki::make_identity({.name = "A server",
                                     .issuer = &world.authority,
                                     .extended_key_usage = "serverAuth",
                                     .key_usage = "critical,digitalSignature"}));
     },
     "must not sign for authority \"contoso\": the certificate lacks the extended key usage "
     "id-kp-OCSPSigning"},
    {"Expired",
     [](const auto& world) { world.put(world.delegated(pki::kLongAgo, world.seconds() - 1h)); },
     "2026-11-21T23:00:00Z, which is not now", false},
};

INSTANTIATE_TEST_SUITE_P(Files, BrokenSignerFile, ::testing::ValuesIn(kBrokenFiles),
                         [](const auto& made) { return made.param.name; });

// The old signer is not entitled for the new authority: there is none that may sign before long.
TEST_F(SignerWatchTest, AReloadKeepsNoOldSignerThatMustNotSignForTheNewAuthorities) {
  begin(authority);
  const pki::Identity other = pki::make_authority("Other");
  const pki::Identity next = delegated_by(other, seconds() + 1h);
  put(next);
  ASSERT_TRUE(watch.configure({source()}, {answered(other)}, now));
  EXPECT_EQ(certificate_in_use(), der(next));
  EXPECT_FALSE(only().may_sign);
  watch.look_again(now + 1h);
  EXPECT_TRUE(only().may_sign);
}

TEST_F(SignerWatchTest, ForgetsABrokenFileThatIsTakenBack) {
  begin(delegated());
  std::filesystem::rename(path_of("ocsp.pem"), path_of("kept"));
  watch.look_again(now);
  std::filesystem::rename(path_of("kept"), path_of("ocsp.pem"));
  watch.look_again(now);
  EXPECT_THAT(watch.signers().front().problem, IsEmpty());
  EXPECT_EQ(log.count("signer not usable"), 1U);
}

TEST_F(SignerWatchTest, RefusesASignerWithoutTheExtendedKeyUsageAndSaysWhatToDo) {
  const pki::Identity other = pki::make_authority("Other");
  put(pki::make_identity({.name = "A server",
                          .issuer = &other,
                          .extended_key_usage = "anyExtendedKeyUsage",
                          .key_usage = "critical,digitalSignature"}));
  const auto configured = watch.configure({source()}, {answered(authority)}, now);
  ASSERT_FALSE(configured);
  EXPECT_EQ(configured.error().code, ErrorCode::untrusted);
  EXPECT_THAT(configured.error().detail,
              AllOf(HasSubstr("signer \"ocsp\""), HasSubstr("authority \"contoso\""),
                    HasSubstr("id-kp-OCSPSigning"), HasSubstr(path_of("ocsp.pem")),
                    HasSubstr("revcache signer new")));
  EXPECT_TRUE(published.empty());
  EXPECT_THAT(watch.table()->authorities, IsEmpty());
}

// Its own key may sign for it (RFC 6960 4.2.2.2), and for nobody else.
TEST_F(SignerWatchTest, RefusesASignerThatMaySignForOneOfItsAuthoritiesOnly) {
  put(authority);
  ASSERT_TRUE(watch.configure({source()}, {answered(authority)}, now));
  const pki::Identity other = pki::make_authority("Other");
  const auto configured =
      watch.configure({source()}, {answered(authority), answered(other, "fabrikam")}, now);
  ASSERT_FALSE(configured);
  EXPECT_THAT(configured.error().detail,
              AllOf(HasSubstr("authority \"fabrikam\""), Not(HasSubstr("contoso"))));
  EXPECT_EQ(watch.table()->authorities.size(), 1U);
}

TEST_F(SignerWatchTest, RefusesTheNameOfASignerThatIsNotConfigured) {
  const auto configured = watch.configure({}, {answered(authority)}, now);
  ASSERT_FALSE(configured);
  EXPECT_THAT(configured.error().detail,
              AllOf(HasSubstr("authority \"contoso\""), HasSubstr("signer \"ocsp\"")));
}

TEST_F(SignerWatchTest, MaySignOnlyWithinItsDatesAsOfTheTimeGiven) {
  const WallSeconds from = seconds();
  const WallSeconds until = from + 24h;
  put(delegated(from, until));
  struct Step {
    WallTime at;
    bool may_sign;
  };
  // A start, whatever the clock says, and looks with a clock that steps.
  const Step steps[] = {{from - 1s, false},  {from, true},      {from + 1h, true},
                        {from - 1h, false},  {until, true},     {until + 1s, false},
                        {until + 2s, false}, {until - 1s, true}};
  ASSERT_TRUE(watch.configure({source()}, {answered(authority)}, steps[0].at));
  for (const Step& step : steps) {
    watch.look_again(step.at);
    EXPECT_EQ(only().may_sign, step.may_sign) << (step.at - from).count();
    EXPECT_EQ(watch.signers().front().usable, step.may_sign);
    EXPECT_NE(only().signer, nullptr);
    EXPECT_EQ(only().signer_not_after, until);
  }
  EXPECT_EQ(published.size(), 6U);  // with each change, and no more
  EXPECT_EQ(log.count("signer not usable"), 3U);
  EXPECT_EQ(log.count("signer usable again"), 3U);
  EXPECT_THAT(log.of("signer not usable").back().fields["detail"], HasSubstr("expired"));
}

TEST_F(SignerWatchTest, StartsWithASignerThatIsOverAndTakesItsSuccessor) {
  begin(delegated(pki::kLongAgo, seconds() - 1h));
  EXPECT_FALSE(only().may_sign);
  EXPECT_EQ(log.count("signer not usable"), 1U);
  put(delegated());
  watch.look_again(now);
  EXPECT_TRUE(only().may_sign);
  EXPECT_EQ(log.count("signer usable again"), 1U);
}

TEST_F(SignerWatchTest, UsesASuccessorFromItsFirstSecondOn) {
  const pki::Identity first = delegated();
  begin(first);
  const pki::Identity next = delegated(seconds() + 1h, pki::kFarAhead);
  put(next);
  watch.look_again(now);
  EXPECT_EQ(certificate_in_use(), der(first));
  watch.look_again(now + 1h - 1ms);
  EXPECT_EQ(certificate_in_use(), der(first));
  watch.look_again(now + 1h);
  EXPECT_EQ(certificate_in_use(), der(next));
  EXPECT_TRUE(only().may_sign);
  EXPECT_EQ(log.count("signer not usable"), 1U);
}

TEST_F(SignerWatchTest, TakesASuccessorThatIsNotYetValidWhenTheOldOneIsOver) {
  begin(delegated(pki::kLongAgo, seconds() + 1h));
  const pki::Identity next = delegated(seconds() + 3h, pki::kFarAhead);
  put(next);
  watch.look_again(now + 2h);
  EXPECT_EQ(certificate_in_use(), der(next));
  EXPECT_FALSE(only().may_sign);
  watch.look_again(now + 3h);
  EXPECT_TRUE(only().may_sign);
}

TEST_F(SignerWatchTest, AlarmsOnceADayBeforeASignerExpires) {
  begin(delegated(pki::kLongAgo, seconds() + days(9)));
  EXPECT_EQ(log.count("signer expires soon"), 0U);
  EXPECT_EQ(watch.signers().front().findings.front().id, "signer-expires-soon");
  now += days(2) + 1s;
  for (int look = 0; look < 12; ++look) watch.look_again(now + (look * 2h));
  ASSERT_EQ(log.count("signer expires soon"), 1U);
  EXPECT_EQ(log.of("signer expires soon").front().level, metrics::LogLevel::warning);
  watch.look_again(now + 24h);
  EXPECT_EQ(log.count("signer expires soon"), 2U);
  ASSERT_TRUE(watch.configure({source()}, {answered(authority)}, now + 25h));
  EXPECT_EQ(log.count("signer expires soon"), 2U);
}

TEST_F(SignerWatchTest, AReloadKeepsAnUnchangedSignerAndTakesNewPolicies) {
  begin(delegated());
  const auto before = only().signer;
  AnsweredAuthority renamed = answered(authority, "renamed");
  ASSERT_TRUE(watch.configure({source()}, {renamed}, now));
  EXPECT_EQ(only().signer, before);
  EXPECT_EQ(only().name, "renamed");
  EXPECT_EQ(log.count("signer loaded"), 1U);
  EXPECT_EQ(published.size(), 2U);
  ASSERT_TRUE(watch.configure({}, {}, now));
  EXPECT_THAT(watch.table()->authorities, IsEmpty());
  EXPECT_THAT(watch.signers(), IsEmpty());
}

// Each table is the newest when it is published, and one is published at a time.
TEST_F(SignerWatchTest, PublishesInTheOrderOfMaking) {
  put(delegated(seconds(), pki::kFarAhead));
  ASSERT_TRUE(watch.configure({source()}, {answered(authority)}, now));
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  std::atomic<int> late{0};
  watch.on_change([&](const ResponderTablePtr& table) {
    if (++inside != 1) ++overlaps;
    std::this_thread::yield();
    if (watch.table() != table) ++late;
    published.push_back(table);
    --inside;
  });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 40; ++round) {
        const WallTime at = (round + thread) % 2 == 0 ? now : now - 1h;
        if (thread == 0) {
          EXPECT_TRUE(watch.configure({source()}, {answered(authority)}, at));
        } else {
          watch.look_again(at);
        }
        EXPECT_EQ(watch.signers().size(), 1U);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(late, 0);
  EXPECT_GE(published.size(), 40U);
  EXPECT_EQ(published.back(), watch.table());
}

}  // namespace
}  // namespace revcache::revocation
