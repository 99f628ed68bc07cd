// What a CA does and signs over two days: revocations, holds that end or last, complete and delta
// CRLs and OCSP answers, now and then with a mistake. The same seed, the same story.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/revocation/policy_fixture.h"

namespace revcache::revocation::testing {

inline constexpr int kSerials = 8;  // 2 to 9: 1 is the root's own, kAskedSerial a pinned one
inline constexpr int kFirstHour = -20;
inline constexpr int kLastHour = 28;

// What the CA's CRLs are for: with which kind of evidence "good" can be said at all.
enum class Crls : std::uint8_t { for_all, for_users, none };

// Something that the CA signed, and what it says.
struct Statement {
  ObjectKind kind = ObjectKind::crl;
  bool delta = false;
  int hour = 0;  // when it was made, from pki::test_now()
  int end = 0;
  std::map<int, pki::CrlReason> lists;  // remove_from_crl: no longer revoked
  std::optional<int> good;              // an OCSP answer's
  std::optional<int> unknown;
  std::string body;
  std::string question;
};

// Whoever revokes may err and leave a serial out of a later CRL, but means what it once said.
class Authority {
 public:
  Authority(const PolicyFixture& world, Crls crls, std::mt19937& random)
      : world_(world), crls_(crls), random_(random) {}

  std::vector<Statement> write() {
    std::vector<Statement> all;
    for (int hour = kFirstHour; hour <= kLastHour; ++hour) {
      change();
      const unsigned what = random_() % 4;
      if (crls_ == Crls::none || what > 1) {
        all.push_back(answer(hour));
      } else if (what == 0 || number_ == 0) {
        all.push_back(complete(hour));
      } else {
        all.push_back(delta(hour));
      }
    }
    return all;
  }

 private:
  void change() {
    const int serial = 2 + static_cast<int>(random_() % kSerials);
    const auto now = truth_.find(serial);
    if (now == truth_.end()) {
      if (random_() % 3 == 0) truth_[serial] = pki::CrlReason::certificate_hold;
      if (random_() % 8 == 0) truth_[serial] = pki::CrlReason::key_compromise;
    } else if (now->second == pki::CrlReason::certificate_hold) {
      if (random_() % 3 == 0) {
        now->second = pki::CrlReason::key_compromise;
      } else {
        truth_.erase(now);
      }
    }
  }
  Statement complete(int hour) {
    Statement made;
    made.lists = truth_;
    // By mistake.
    if (!made.lists.empty() && random_() % 6 == 0) {
      const auto lost = made.lists.begin();
      if (lost->second == pki::CrlReason::key_compromise) made.lists.erase(lost);
    }
    sign(made, hour, std::nullopt);
    base_ = number_;
    at_base_ = truth_;
    return made;
  }
  Statement delta(int hour) {
    Statement made;
    made.delta = true;
    for (const auto& [serial, reason] : truth_) {
      const auto before = at_base_.find(serial);
      if (before == at_base_.end() || before->second != reason) made.lists[serial] = reason;
    }
    for (const auto& [serial, reason] : at_base_) {
      if (!truth_.contains(serial)) made.lists[serial] = pki::CrlReason::remove_from_crl;
    }
    sign(made, hour, base_);
    return made;
  }
  void sign(Statement& made, int hour, std::optional<int> base) {
    CrlWanted wanted{.number = ++number_, .base = base, .made_hours_ago = -hour};
    wanted.valid_hours = 2 + static_cast<int>(random_() % 20);
    if (crls_ == Crls::for_users) wanted.scope = pki::issuing_point(pki::der(0x81, {"\xff"}));
    for (const auto& [serial, reason] : made.lists) {
      wanted.entries.push_back({.serial = serial, .reason = reason});
    }
    made.body = crl_of(world_.root, wanted);
    made.hour = hour;
    made.end = hour + wanted.valid_hours;
  }
  Statement answer(int hour) {
    AnswerWanted wanted{.serial = 2 + static_cast<int>(random_() % kSerials),
                        .made_hours_ago = -hour};
    wanted.valid_hours = 2 + static_cast<int>(random_() % 20);
    wanted.hash = random_() % 2 == 0 ? pki::CertIdHash::sha1 : pki::CertIdHash::sha256;
    Statement made;
    made.kind = ObjectKind::ocsp;
    made.hour = hour;
    made.end = hour + wanted.valid_hours;
    if (const auto revoked = truth_.find(wanted.serial); revoked != truth_.end()) {
      wanted.status = pki::OcspCertStatus::revoked;
      wanted.reason = revoked->second;
      made.lists[wanted.serial] = revoked->second;
    } else if (random_() % 8 == 0) {
      wanted.status = pki::OcspCertStatus::unknown;
      made.unknown = wanted.serial;
    } else {
      made.good = wanted.serial;
    }
    made.body = answer_of(*signer_, *world_.root.certificate(), wanted);
    made.question = question_of(*world_.root.certificate(), wanted);
    return made;
  }

  const PolicyFixture& world_;
  Crls crls_;
  std::mt19937& random_;
  pki::SignerPtr signer_ = ocsp_signer(world_.root);
  std::map<int, pki::CrlReason> truth_;
  std::map<int, pki::CrlReason> at_base_;
  int number_ = 0;
  int base_ = 0;
};

}  // namespace revcache::revocation::testing
