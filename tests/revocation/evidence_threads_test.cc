// Bodies are judged on several threads while authorities are reloaded and snapshots are read: run
// under ThreadSanitizer this finds races, and in every build wrong states.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;

constexpr int kRounds = 12;

TEST(EvidenceThreads, NoReaderEverSeesGoodForWhatIsRevoked) {
  EvidenceWorld world;
  const auto root = make_ca();
  const auto sub = make_ca("Sub");
  const auto sub_certificate =
      issue(root, sub, {.subject = "Sub", .serial = 66, .extensions = ca_extensions()});
  const auto signer = ocsp_signer(root);
  ASSERT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)}));
  world.give(ObjectKind::aia, std::string(sub_certificate->der.text()));
  // 7 is listed by every second CRL only: it disappears, and must stay revoked.
  ASSERT_EQ(world.crl(root, {.number = 1, .made_hours_ago = 30, .entries = {{.serial = 7}}}),
            "verified");
  std::vector<std::string> root_crls;
  std::vector<std::string> sub_crls;
  std::vector<std::string> answers;
  for (int i = 2; i < 2 + kRounds; ++i) {
    CrlWanted wanted{.number = i, .made_hours_ago = 30 - i, .entries = {{.serial = 20 + i}}};
    if (i % 2 == 0) wanted.entries.push_back({.serial = 7});
    root_crls.push_back(crl_of(root, wanted));
    sub_crls.push_back(crl_of(sub, {.number = i, .made_hours_ago = 30 - i, .issuer = "Sub"}));
    answers.push_back(
        answer_of(*signer, *root.certificate(), {.serial = 7, .made_hours_ago = 30 - i}));
  }
  const std::string question = question_of(*root.certificate(), {.serial = 7});
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  const auto judge = [&](ObjectKind kind, const std::vector<std::string>& bodies,
                         std::string_view url) {
    for (const std::string& body : bodies) {
      const auto given = world.give(kind, body, url, kind == ObjectKind::ocsp ? question : "");
      if (kind == ObjectKind::ocsp && given.has_value()) ++wrong;
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
      while (!done) {
        const auto snapshot = world.evidence().snapshot();
        const Issuer* issuer = snapshot->find(pki::key_hash(*root.certificate()));
        const std::string serial = number(7);
        if (issuer == nullptr || !std::holds_alternative<Revoked>(Snapshot::status(
                                     *issuer, as_bytes(serial), {}, world.clock.now))) {
          ++wrong;
        }
        std::this_thread::yield();
      }
    });
    {
      std::vector<std::jthread> judges;
      judges.emplace_back([&] { judge(ObjectKind::crl, root_crls, kUrl); });
      judges.emplace_back(
          [&] { judge(ObjectKind::crl, root_crls, "http://mirror.example/r.crl"); });
      judges.emplace_back([&] { judge(ObjectKind::crl, sub_crls, "http://cdp.example/sub.crl"); });
      judges.emplace_back([&] { judge(ObjectKind::ocsp, answers, "http://ocsp.example/"); });
      judges.emplace_back([&] {
        for (int i = 0; i < kRounds; ++i) {
          if (!world.reload()) ++wrong;
          const bool by_hand =
              world.evidence()
                  .revoke("ca0", number(90), pki::CrlReason::superseded, "t", world.clock.now)
                  .value_or(false);
          const std::string serial = number(90);
          const auto snapshot = world.evidence().snapshot();
          const Issuer* issuer = snapshot->find(pki::key_hash(*root.certificate()));
          if (!by_hand || !std::holds_alternative<Revoked>(
                              Snapshot::status(*issuer, as_bytes(serial), {}, world.clock.now))) {
            ++wrong;
          }
        }
      });
    }
    done = true;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(world.status(*root.certificate(), 7), "seen keyCompromise");  // the last one omits it
  EXPECT_EQ(world.published->issuers().size(), 2U);
  EXPECT_EQ(world.status(*sub_certificate, 8), "good");
}

}  // namespace
}  // namespace revcache::revocation
