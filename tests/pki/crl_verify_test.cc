// RFC 5280 6.3.3: a CRL that is well-formed and yet no evidence, reason by reason.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "pki/crl.h"
#include "tests/pki/crl_factory.h"
#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::string key_usage(std::string_view bits) {
  return extension(id_ce(15), der(0x03, {bits}), true);
}

const CrlSigner& signer() {
  static const CrlSigner made({.extensions = key_usage("\x01\x06") +  // keyCertSign, cRLSign
                                             extension(id_ce(14), der(0x04, {"root-key"}))});
  return made;
}

std::string reason_of(const Checked<VerifiedCrlPtr>& verdict) {
  return verdict ? "good" : std::string(to_string(verdict.error().reason));
}

std::string verdict_of(const CrlText& text, WallTime now = test_now()) {
  return reason_of(verify_crl(parsed(signer().crl(text)), signer().certificate(), now, {}));
}

std::string verdict_under(const CrlSigner& issuer, const std::string& crl,
                          const SignaturePolicy& policy = {}) {
  return reason_of(verify_crl(parsed(crl), issuer.certificate(), test_now(), policy));
}

struct Row {
  const char* name;
  std::function<void(CrlText&)> change;
  const char* verdict;
};

const Row kRows[] = {
    {"Plain", [](CrlText&) {}, "good"},
    {"Version1WithoutExtensions", [](CrlText& crl) { crl.version = crl.extensions = ""; }, "good"},
    {"Version1WithExtensions", [](CrlText& crl) { crl.version = ""; }, "unsupported_version"},
    {"Version1WithEntryExtensions",
     [](CrlText& crl) {
       crl.version = crl.extensions = "";
       crl.entries = entry("\x01", reason_extension(1));
     },
     "unsupported_version"},
    {"Version3", [](CrlText& crl) { crl.version = integer("\x02"); }, "unsupported_version"},
    {"OtherAlgorithmInside",
     [](CrlText& crl) {
       crl.algorithm = der(0x30, {der(0x06, {"\x2a\x86\x48\xce\x3d\x04\x03\x03"})});
     },
     "algorithm_mismatch"},
    {"OtherName", [](CrlText& crl) { crl.issuer = name("Other"); }, "issuer_unknown"},
    {"KeyIdentifierThatAgrees",
     [](CrlText& crl) {
       crl.extensions += extension(id_ce(35), der(0x30, {der(0x80, {"root-key"})}));
     },
     "good"},
    {"OtherKeyIdentifier",
     [](CrlText& crl) {
       crl.extensions += extension(id_ce(35), der(0x30, {der(0x80, {"other-key"})}));
     },
     "issuer_unknown"},
    {"UnknownExtension", [](CrlText& crl) { crl.extensions += extension("\x2a\x03", "x"); },
     "good"},
    {"UnknownCriticalExtension",
     [](CrlText& crl) { crl.extensions += extension("\x2a\x03", "x", true); },
     "unknown_critical_extension"},
    {"UnknownCriticalExtensionOfAnEntry",
     [](CrlText& crl) { crl.entries = entry("\x01", extension("\x2a\x03", "x", true)); },
     "unknown_critical_extension"},
    {"Indirect", [](CrlText& crl) { crl.extensions += issuing_point(der(0x84, {"\xff"})); },
     "indirect_crl"},
    {"EntryOfAnotherIssuer",
     [](CrlText& crl) {
       crl.entries =
           entry("\x01", extension(id_ce(29), der(0x30, {der(0xa4, {name("Other")})}), true));
     },
     "indirect_crl"},
    {"OnlySomeReasons",
     [](CrlText& crl) { crl.extensions += issuing_point(der(0x83, {"\x01\x40"})); },
     "only_some_reasons"},
    {"Partition",
     [](CrlText& crl) { crl.extensions += issuing_point(point_name("http://a.test/1.crl")); },
     "good"},
    {"Delta", [](CrlText& crl) { crl.extensions += extension(id_ce(27), integer("\x01"), true); },
     "good"},
    {"NoNextUpdate", [](CrlText& crl) { crl.next_update = ""; }, "no_next_update"},
};

class CrlRow : public testing::TestWithParam<Row> {};

TEST_P(CrlRow, HasItsVerdict) {
  CrlText text;
  GetParam().change(text);
  EXPECT_EQ(verdict_of(text), GetParam().verdict);
}

INSTANTIATE_TEST_SUITE_P(Rows, CrlRow, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.name; });

TEST(VerifyCrl, HoldsFromFiveMinutesBeforeThisUpdateUntilNextUpdate) {
  const WallTime this_update = std::chrono::sys_days{std::chrono::year(2026) / 11 / 21};
  const WallTime next_update = std::chrono::sys_days{std::chrono::year(2026) / 11 / 28};
  EXPECT_EQ(verdict_of({}, this_update - 5min - 1ms), "not_yet_valid");
  EXPECT_EQ(verdict_of({}, this_update - 5min), "good");
  EXPECT_EQ(verdict_of({}, next_update - 1ms), "good");
  EXPECT_EQ(verdict_of({}, next_update), "expired");
}

TEST(VerifyCrl, AnyChangedOctetThatLeavesTheFormIsRefused) {
  CrlText text;
  text.entries = entry("\x10", reason_extension(1));
  const std::string whole = signer().crl(text);
  int well_formed = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ 0x01U);
    const auto crl = parse_crl(SharedBytes::take(std::move(changed)), kTestHashSeed);
    if (!crl) continue;
    ++well_formed;
    EXPECT_FALSE(verify_crl(*crl, signer().certificate(), test_now(), {})) << at;
  }
  EXPECT_GT(well_formed, 50);
}

TEST(VerifyCrl, TheKeyDecidesNotTheName) {
  const CrlSigner namesake;
  EXPECT_EQ(verdict_under(namesake, signer().crl({})), "signature_wrong");
}

TEST(VerifyCrl, AnIssuerWithoutCrlSignIsNotEntitled) {
  const CrlSigner certificates_only({.extensions = key_usage("\x02\x04")});
  EXPECT_EQ(verdict_under(certificates_only, certificates_only.crl({})), "issuer_not_entitled");
  const CrlSigner crls_only({.extensions = key_usage("\x01\x02")});
  EXPECT_EQ(verdict_under(crls_only, crls_only.crl({})), "good");
}

TEST(VerifyCrl, AKeyOfAnotherTypeIsAMismatch) {
  const CrlSigner rsa({.kind = CrlKeyKind::rsa});
  EXPECT_EQ(verdict_under(rsa, rsa.crl({})), "good");
  EXPECT_EQ(verdict_under(rsa, CrlSigner().crl({})), "algorithm_mismatch");
  EXPECT_EQ(verdict_under(rsa, rsa.crl({}), {.rsa_bits_min = 3072}), "algorithm_refused");
}

TEST(VerifyCrl, SaysWhoSignedAndWhatWasSeen) {
  const std::string der = signer().crl({});
  const auto crl = verify_crl(parsed(der), signer().certificate(), test_now(), {});
  ASSERT_TRUE(crl);
  EXPECT_EQ((*crl)->hash(), sha256(as_bytes(der)));
  EXPECT_EQ((*crl)->issuer_key(), sha256(signer().certificate()->spki));
  EXPECT_EQ((*crl)->issuer(), signer().certificate());
  EXPECT_EQ(hex((**crl)->number), "05");
}

}  // namespace
}  // namespace revcache::pki
