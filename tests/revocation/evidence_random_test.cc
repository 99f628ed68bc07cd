// A CA makes complete CRLs, delta CRLs and OCSP answers over time; they arrive in any order, some
// twice, some never, with forged ones and restarts among them. A simple model says what each serial
// must not be.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;
using pki::OcspCertStatus;

constexpr int kSerials = 6;  // 1 to 6
constexpr int kHours = 20;

enum class Truth : std::uint8_t { good, held, revoked };

// Something that the CA signed, and what it says.
struct Signed {
  ObjectKind kind = ObjectKind::crl;
  std::string body;
  std::string question;
  int made_hours_ago = 0;
  bool delta = false;
  std::map<int, CrlReason> lists;  // remove_from_crl: no longer revoked
  std::optional<int> good;         // an OCSP answer's
};

class Story {
 public:
  explicit Story(unsigned seed) : random_(seed) {}

  // What the CA does hour by hour, and signs. A revocation for good is never taken back.
  std::vector<Signed> write(const pki::CrlSigner& root, const pki::Signer& signer) {
    std::vector<Signed> all;
    for (int hour = kHours; hour > 0; --hour) {
      change();
      const unsigned what = random_() % 4;
      if (what == 0 || hour == kHours) {
        all.push_back(complete(root, hour));
      } else if (what == 1) {
        all.push_back(delta(root, hour));
      } else {
        all.push_back(answer(root, signer, hour));
      }
    }
    return all;
  }
  // A complete CRL of this moment, newer than all else.
  Signed last(const pki::CrlSigner& root) { return complete(root, 0); }
  bool is_good(int serial) { return truth_[serial] == Truth::good; }
  std::mt19937& random() { return random_; }

 private:
  void change() {
    const int serial = 1 + static_cast<int>(random_() % kSerials);
    Truth& now = truth_[serial];
    if (now == Truth::revoked || random_() % 2 == 0) return;
    if (now == Truth::held) {
      now = random_() % 2 == 0 ? Truth::good : Truth::revoked;
    } else {
      now = random_() % 3 == 0 ? Truth::revoked : Truth::held;
    }
  }
  static CrlReason reason_of(Truth truth) {
    return truth == Truth::held ? CrlReason::certificate_hold : CrlReason::key_compromise;
  }
  Signed complete(const pki::CrlSigner& root, int hour) {
    Signed made;
    for (const auto& [serial, truth] : truth_) {
      if (truth != Truth::good) made.lists[serial] = reason_of(truth);
    }
    finish_crl(made, root, hour, std::nullopt);
    base_ = number_;
    at_base_ = truth_;
    return made;
  }
  // Cumulative since the last complete CRL.
  Signed delta(const pki::CrlSigner& root, int hour) {
    Signed made;
    made.delta = true;
    for (const auto& [serial, truth] : truth_) {
      if (truth == at_base_[serial]) continue;
      made.lists[serial] = truth == Truth::good ? CrlReason::remove_from_crl : reason_of(truth);
    }
    finish_crl(made, root, hour, base_);
    return made;
  }
  void finish_crl(Signed& made, const pki::CrlSigner& root, int hour, std::optional<int> base) {
    CrlWanted wanted{.number = ++number_, .base = base, .made_hours_ago = hour};
    for (const auto& [serial, reason] : made.lists) {
      wanted.entries.push_back({.serial = serial, .reason = reason});
    }
    made.body = crl_of(root, wanted);
    made.made_hours_ago = hour;
  }
  Signed answer(const pki::CrlSigner& root, const pki::Signer& signer, int hour) {
    const int serial = 1 + static_cast<int>(random_() % kSerials);
    const Truth truth = truth_[serial];
    AnswerWanted wanted{.serial = serial, .made_hours_ago = hour};
    wanted.hash = random_() % 2 == 0 ? pki::CertIdHash::sha1 : pki::CertIdHash::sha256;
    Signed made;
    made.kind = ObjectKind::ocsp;
    made.made_hours_ago = hour;
    if (truth == Truth::good) {
      made.good = serial;
    } else {
      wanted.status = OcspCertStatus::revoked;
      wanted.reason = reason_of(truth);
      made.lists[serial] = wanted.reason;
    }
    made.body = answer_of(signer, *root.certificate(), wanted);
    made.question = question_of(*root.certificate(), wanted);
    return made;
  }

  std::mt19937 random_;
  std::map<int, Truth> truth_;
  std::map<int, Truth> at_base_;
  int number_ = 0;
  int base_ = 0;
};

// What was accepted of each serial: whoever revoked it for good, and since when it may be good.
class Model {
 public:
  void accepted(const Signed& what) {
    for (const auto& [serial, reason] : what.lists) {
      Known& known = of_[serial];
      if (reason == CrlReason::key_compromise) known.for_good = true;
      if (reason == CrlReason::certificate_hold) {
        known.held_hours_ago = std::min(known.held_hours_ago.value_or(99), what.made_hours_ago);
      }
      if (reason == CrlReason::remove_from_crl) note_good(serial, what.made_hours_ago);
    }
    if (what.good) note_good(*what.good, what.made_hours_ago);
    if (what.kind != ObjectKind::crl || what.delta) return;
    for (int serial = 1; serial <= kSerials; ++serial) {
      if (!what.lists.contains(serial)) note_good(serial, what.made_hours_ago);
    }
  }
  // Good would contradict what was accepted: revoked for good, or on hold by the newest that speaks
  // of it.
  bool must_be_revoked(int serial) const {
    const auto found = of_.find(serial);
    if (found == of_.end()) return false;
    const Known& known = found->second;
    if (known.for_good) return true;
    if (!known.held_hours_ago) return false;
    return !known.good_hours_ago || *known.good_hours_ago > *known.held_hours_ago;
  }
  // Nothing that was accepted ever revoked it.
  bool was_never_revoked(int serial) const {
    const auto found = of_.find(serial);
    return found == of_.end() || (!found->second.for_good && !found->second.held_hours_ago);
  }

 private:
  struct Known {
    bool for_good = false;
    std::optional<int> held_hours_ago;  // the newest statement
    std::optional<int> good_hours_ago;
  };
  void note_good(int serial, int hours_ago) {
    auto& newest = of_[serial].good_hours_ago;
    newest = std::min(newest.value_or(99), hours_ago);
  }
  std::map<int, Known> of_;
};

void check(const EvidenceWorld& world, const Model& model, const pki::Certificate& ca) {
  for (int serial = 1; serial <= kSerials; ++serial) {
    const std::string status = world.status(ca, serial);
    const bool revoked = status != "good" && status != "unknown";
    EXPECT_TRUE(revoked || !model.must_be_revoked(serial)) << serial << ": " << status;
    EXPECT_TRUE(!revoked || !model.was_never_revoked(serial)) << serial << ": " << status;
  }
}

void give(EvidenceWorld& world, Model& model, const Signed& what) {
  const std::string url = what.kind == ObjectKind::ocsp ? "http://ocsp.example/"
                          : what.delta                  ? "http://cdp.example/root+.crl"
                                                        : std::string(kUrl);
  const auto given = world.give(what.kind, what.body, url, what.question);
  if (given) {
    EXPECT_EQ(given->trust, cache::Trust::verified);
    model.accepted(what);
    // Nor is a good answer handed on for it.
    EXPECT_TRUE(!what.good || !model.must_be_revoked(*what.good));
  }
}

TEST(EvidenceStories, NoOrderOfArrivalsMakesGoodOfWhatASourceRevokes) {
  const auto root = make_ca();
  const auto stranger = make_ca();  // the same name, another key
  const auto signer = ocsp_signer(root);
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story story(seed);
    auto all = story.write(root, *signer);
    for (std::size_t i = 0; i < 4; ++i) all.push_back(all[story.random()() % all.size()]);
    if (seed % 3 != 0) std::shuffle(all.begin(), all.end(), story.random());
    EvidenceWorld world;
    ASSERT_TRUE(world.trust({root.certificate()}, {std::string(kUrl)}));
    Model model;
    for (const Signed& what : all) {
      give(world, model, what);
      check(world, model, *root.certificate());
      if (story.random()() % 8 == 0) {
        EXPECT_EQ(world.crl(stranger, {.number = 99, .made_hours_ago = 0}), "signature_wrong");
      }
      if (story.random()() % 6 == 0) world.restart();
      check(world, model, *root.certificate());
    }
    // And whatever was held once: a newer complete CRL without it makes it good.
    give(world, model, story.last(root));
    for (int serial = 1; serial <= kSerials; ++serial) {
      EXPECT_EQ(world.status(*root.certificate(), serial) == "good", story.is_good(serial))
          << serial << ": " << world.status(*root.certificate(), serial);
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace revcache::revocation
