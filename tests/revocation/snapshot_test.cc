// Snapshot::status as tables: which source speaks, what absence proves.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/revocation/evidence_world.h"

namespace revcache::revocation {
namespace {

using namespace testing;
using pki::CrlReason;

constexpr int kSerial = 7;

std::string user_only() { return pki::issuing_point(pki::der(0x81, {"\xff"})); }
std::string ca_only() { return pki::issuing_point(pki::der(0x82, {"\xff"})); }
std::string partition() { return pki::issuing_point(pki::point_name("http://cdp.example/1.crl")); }

class SnapshotStatus : public ::testing::Test {
 protected:
  HeldCrl held(const CrlWanted& wanted, std::chrono::seconds grace = 0s) const {
    HeldCrl one;
    const auto parsed = pki::parsed(crl_of(root, wanted));
    auto crl = pki::verify_crl(parsed, root.certificate(), WallTime(parsed->this_update), {});
    EXPECT_TRUE(crl.has_value());
    one.complete = *std::move(crl);
    one.key = complete_crl_key(*one.complete);
    one.usable_until = *(*one.complete)->next_update + grace;
    return one;
  }
  Issuer issuer() const {
    Issuer made;
    made.certificate = root.certificate();
    made.key = pki::key_hash(*root.certificate());
    made.is_authority = true;
    return made;
  }
  static std::shared_ptr<const SeenRevocations> seen(CrlReason reason) {
    const SeenRevocation one{
        .serial = number(kSerial), .revoked_at = hours_ago(30), .reason = reason};
    auto made = SeenRevocations::build(std::span(&one, 1), pki::kTestHashSeed);
    EXPECT_TRUE(made.has_value());
    return *made;
  }
  static ManualRevocation manual() {
    return {.issuer = {},
            .serial = number(kSerial),
            .revoked_at = hours_ago(9),
            .reason = CrlReason::superseded,
            .note = {}};
  }
  static std::string ask(const Issuer& issuer, std::optional<bool> is_ca = std::nullopt) {
    const std::string serial = number(kSerial);
    const auto status = Snapshot::status(issuer, as_bytes(serial),
                                         {.certificate = nullptr, .is_ca = is_ca}, pki::test_now());
    if (const auto* revoked = std::get_if<Revoked>(&status)) {
      EXPECT_EQ(revoked->crl != nullptr, revoked->source == RevocationSource::crl);
      return std::string(to_string(revoked->source)) + " " +
             std::string(pki::to_string(revoked->reason));
    }
    if (const auto* unknown = std::get_if<Unknown>(&status)) return std::string(unknown->why);
    return "good";
  }

  pki::CrlSigner root = make_ca();
};

TEST_F(SnapshotStatus, ByHandBeforeCrlOrSeenBeforeAbsence) {
  struct Row {
    bool by_hand;
    std::optional<CrlReason> in_crl;
    std::optional<CrlReason> remembered;
    std::string_view status;
  };
  constexpr auto kHold = CrlReason::certificate_hold;
  constexpr auto kKey = CrlReason::key_compromise;
  const std::vector<Row> rows{
      {true, kKey, kKey, "manual superseded"},
      {true, {}, {}, "manual superseded"},
      {true, kHold, {}, "manual superseded"},
      {false, kKey, {}, "crl keyCompromise"},
      {false, kHold, {}, "crl certificateHold"},
      {false, {}, kKey, "seen keyCompromise"},
      {false, {}, kHold, "seen certificateHold"},
      {false, kKey, kHold, "crl keyCompromise"},
      {false, kHold, kKey, "seen keyCompromise"},  // for good, before a hold
      {false, kHold, kHold, "crl certificateHold"},
      {false, CrlReason::remove_from_crl, {}, "good"},
      {false, {}, {}, "good"},
  };
  for (const Row& row : rows) {
    for (const bool expired : {false, true}) {
      Issuer asked = issuer();
      CrlWanted wanted{.made_hours_ago = 24, .valid_hours = expired ? 24 : 25};
      if (row.in_crl) wanted.entries = {{.serial = kSerial, .reason = *row.in_crl}};
      asked.crls = {held(wanted)};
      if (row.remembered) asked.seen = seen(*row.remembered);
      if (row.by_hand) asked.manual = {manual()};
      const bool was_good = row.status == "good";
      EXPECT_EQ(ask(asked), was_good && expired ? "the CRL has expired" : row.status)
          << row.status << expired;
    }
  }
}

TEST_F(SnapshotStatus, AbsenceIsGoodOnlyWhereWhatIsHeldCertainlyCovers) {
  struct Row {
    std::vector<std::string> scopes;
    std::size_t configured;
    std::optional<bool> is_ca;
    bool good;
  };
  const std::vector<Row> rows{
      {{}, 0, {}, false},
      {{""}, 0, {}, true},
      {{""}, 2, {}, true},  // one that covers all is enough
      {{user_only()}, 0, {}, false},
      {{user_only()}, 0, false, true},
      {{user_only()}, 0, true, false},
      {{user_only()}, 1, true, false},
      {{ca_only()}, 0, true, true},
      {{ca_only()}, 0, false, false},
      {{user_only(), ca_only()}, 0, {}, false},
      {{user_only(), ca_only()}, 2, {}, true},
      {{user_only(), ca_only()}, 3, {}, false},
      {{partition()}, 0, {}, false},
      {{partition()}, 1, {}, true},
      {{partition()}, 2, {}, false},
      {{partition(), ""}, 0, {}, true},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Issuer asked = issuer();
    for (const auto& scope : rows[i].scopes) asked.crls.push_back(held({.scope = scope}));
    asked.configured_crls = rows[i].configured;
    asked.configured_crls_held = rows[i].scopes.size();
    EXPECT_EQ(ask(asked, rows[i].is_ca) == "good", rows[i].good) << "row " << i;
  }
}

TEST_F(SnapshotStatus, ThePartitionThatACertificateNamesIsEnough) {
  Issuer asked = issuer();
  asked.crls = {held({.scope = partition()})};
  const auto leaf_at = [&](std::string_view url) {
    const std::string points = pki::der(0x30, {pki::der(0x30, {pki::point_name(url)})});
    return issue(root, root,
                 {.subject = "Leaf",
                  .serial = kSerial,
                  .extensions = pki::extension(pki::id_ce(31), points)});
  };
  const auto ask_about = [&](const pki::CertificatePtr& leaf) {
    return std::holds_alternative<NotRevoked>(Snapshot::status(
        asked, leaf->serial, {.certificate = leaf.get(), .is_ca = {}}, pki::test_now()));
  };
  EXPECT_TRUE(ask_about(leaf_at("http://cdp.example/1.crl")));
  EXPECT_FALSE(ask_about(leaf_at("http://cdp.example/2.crl")));
}

TEST_F(SnapshotStatus, OfSeveralPartitionsTheFirstToEndAndTheOldestCount) {
  Issuer asked = issuer();
  asked.crls = {held({.made_hours_ago = 9, .valid_hours = 30, .scope = user_only()}),
                held({.made_hours_ago = 3, .valid_hours = 5, .scope = ca_only()})};
  asked.configured_crls = asked.configured_crls_held = 2;
  const std::string serial = number(kSerial);
  const auto status = Snapshot::status(asked, as_bytes(serial), {}, pki::test_now());
  const auto* good = std::get_if<NotRevoked>(&status);
  ASSERT_NE(good, nullptr);
  EXPECT_EQ(good->this_update(), hours_ago(9));
  EXPECT_EQ(good->valid_until(), hours_ago(-2));
  EXPECT_EQ(good->crl(), asked.crls[1].complete);
}

TEST_F(SnapshotStatus, WhatADeltaCrlLiftedIsGoodNoLongerThanThat) {
  Issuer asked = issuer();
  asked.crls = {held({.entries = {{.serial = kSerial, .reason = CrlReason::certificate_hold}}})};
  CrlWanted wanted{.number = 6,
                   .base = 5,
                   .made_hours_ago = 2,
                   .valid_hours = 5,
                   .entries = {{.serial = kSerial, .reason = CrlReason::remove_from_crl}}};
  asked.crls[0].delta = held(wanted).complete;
  asked.crls[0].delta_usable_until = hours_ago(-3);
  const std::string serial = number(kSerial);
  const auto status = Snapshot::status(asked, as_bytes(serial), {}, pki::test_now());
  const auto* good = std::get_if<NotRevoked>(&status);
  ASSERT_NE(good, nullptr);
  EXPECT_EQ(good->valid_until(), hours_ago(-3));
  asked.crls[0].delta_usable_until = hours_ago(0);
  EXPECT_EQ(ask(asked), "crl certificateHold");
}

TEST_F(SnapshotStatus, LeadingZerosOfASerialDoNotCount) {
  Issuer asked = issuer();
  asked.crls = {held({.entries = {{.serial = kSerial}}})};
  asked.manual = {};
  const std::string padded = std::string(1, '\0') + number(kSerial);
  EXPECT_TRUE(std::holds_alternative<Revoked>(
      Snapshot::status(asked, as_bytes(padded), {}, pki::test_now())));
  asked.crls.clear();
  asked.manual = {manual()};
  EXPECT_TRUE(std::holds_alternative<Revoked>(
      Snapshot::status(asked, as_bytes(padded), {}, pki::test_now())));
}

TEST_F(SnapshotStatus, IssuersAreFoundByNameAndKeyWhateverTheHash) {
  Issuer known = issuer();
  known.name_sha1 = pki::sha1(root.certificate()->subject);
  known.key_sha1 = pki::sha1(root.certificate()->public_key);
  const Snapshot snapshot({known});
  const auto other = make_ca();  // the same name, another key
  for (const auto hash : {pki::CertIdHash::sha1, pki::CertIdHash::sha256, pki::CertIdHash::sha384,
                          pki::CertIdHash::sha512}) {
    const std::string mine = pki::encode_cert_id(hash, *root.certificate(), as_bytes(number(1)));
    const std::string alien = pki::encode_cert_id(hash, *other.certificate(), as_bytes(number(1)));
    EXPECT_EQ(snapshot.find(*pki::parse_cert_id(as_bytes(mine))), &snapshot.issuers()[0]);
    EXPECT_EQ(snapshot.find(*pki::parse_cert_id(as_bytes(alien))), nullptr);
  }
}

}  // namespace
}  // namespace revcache::revocation
