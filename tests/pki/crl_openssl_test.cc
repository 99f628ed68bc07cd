// Ours against OpenSSL, on CRLs that OpenSSL makes: the same verdict, date and reason for every
// serial, the same entries, the same opinion on the signature.
#include <gtest/gtest.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "pki/crl.h"
#include "pki/openssl_ptr.h"
#include "tests/pki/crl_factory.h"

namespace revcache::pki {
namespace {

using Asn1IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;
using Asn1TimePtr = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>>;
using Asn1EnumeratedPtr = std::unique_ptr<ASN1_ENUMERATED, FreeWith<ASN1_ENUMERATED_free>>;

const CrlSigner& signer() {
  static const CrlSigner made;
  return made;
}

// Big-endian, 1 to 20 octets, often with zeros in front.
std::string any_serial(std::mt19937_64& random) {
  std::string octets(1 + random() % 20, '\0');
  const std::size_t zeros = random() % 3 == 0 ? random() % octets.size() : 0;
  for (std::size_t i = zeros; i < octets.size(); ++i) octets[i] = static_cast<char>(random());
  return octets;
}

Asn1IntegerPtr asn1_integer(const std::string& octets) {
  const BignumPtr number(
      BN_bin2bn(as_bytes(octets).data(), static_cast<int>(octets.size()), nullptr));
  return Asn1IntegerPtr(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

void add_entry(X509_CRL* crl, const std::string& serial, std::mt19937_64& random) {
  X509_REVOKED* const revoked = X509_REVOKED_new();
  X509_REVOKED_set_serialNumber(revoked, asn1_integer(serial).get());
  // 1970 to 2098: both kinds of time.
  const Asn1TimePtr date(ASN1_TIME_set(nullptr, static_cast<time_t>(random() % 4'070'908'800)));
  X509_REVOKED_set_revocationDate(revoked, date.get());
  constexpr std::array<int, 12> kReasons{-1, -1, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10};
  if (const int reason = kReasons[random() % kReasons.size()]; reason >= 0) {
    const Asn1EnumeratedPtr value(ASN1_ENUMERATED_new());
    ASN1_ENUMERATED_set(value.get(), reason);
    X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value.get(), 0, 0);
  }
  if (random() % 16 == 0) {
    const Asn1TimePtr invalid(ASN1_GENERALIZEDTIME_set(nullptr, 1'700'000'000));
    X509_REVOKED_add1_ext_i2d(revoked, NID_invalidity_date, invalid.get(), 0, 0);
  }
  X509_CRL_add0_revoked(crl, revoked);
}

std::string encoded(X509_CRL* crl) {
  std::uint8_t* octets = nullptr;
  const int length = i2d_X509_CRL(crl, &octets);
  std::string text(as_text({octets, static_cast<std::size_t>(length)}));
  OPENSSL_free(octets);
  return text;
}

std::string made_by_openssl(const std::vector<std::string>& serials, std::mt19937_64& random) {
  const X509CrlPtr crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), 1);
  const auto* at = signer().certificate()->subject.data();
  X509_NAME* issuer =
      d2i_X509_NAME(nullptr, &at, static_cast<long>(signer().certificate()->subject.size()));
  X509_CRL_set_issuer_name(crl.get(), issuer);
  X509_NAME_free(issuer);
  const auto now = std::chrono::floor<std::chrono::seconds>(test_now()).time_since_epoch().count();
  X509_CRL_set1_lastUpdate(crl.get(), Asn1TimePtr(ASN1_TIME_set(nullptr, now)).get());
  X509_CRL_set1_nextUpdate(crl.get(), Asn1TimePtr(ASN1_TIME_set(nullptr, now + 86400)).get());
  for (const std::string& serial : serials) add_entry(crl.get(), serial, random);
  EXPECT_GT(X509_CRL_sign(crl.get(), signer().key(), EVP_sha256()), 0);
  return encoded(crl.get());
}

WallSeconds seconds_of(const ASN1_TIME* time) {
  tm broken{};
  EXPECT_EQ(ASN1_TIME_to_tm(time, &broken), 1);
  return WallSeconds(std::chrono::seconds(timegm(&broken)));
}

int reason_of(const X509_REVOKED* revoked) {
  const Asn1EnumeratedPtr value(static_cast<ASN1_ENUMERATED*>(
      X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, nullptr, nullptr)));
  return value == nullptr ? 0 : static_cast<int>(ASN1_ENUMERATED_get(value.get()));
}

// OpenSSL's answer, as find() gives it.
void expect_same_answer(X509_CRL* theirs, const ParsedCrl& ours, const std::string& serial) {
  X509_REVOKED* revoked = nullptr;
  const int listed = X509_CRL_get0_by_serial(theirs, &revoked, asn1_integer(serial).get());
  const auto found = ours.find(as_bytes(serial));
  ASSERT_EQ(found.has_value(), listed != 0) << hex(as_bytes(serial));
  if (!found) return;
  // OpenSSL: 2 when the entry only says removeFromCRL.
  EXPECT_EQ(found->reason == CrlReason::remove_from_crl, listed == 2);
  EXPECT_EQ(static_cast<int>(found->reason), reason_of(revoked));
  EXPECT_EQ(found->revoked_at, seconds_of(X509_REVOKED_get0_revocationDate(revoked)));
  const Asn1TimePtr invalid(static_cast<ASN1_TIME*>(
      X509_REVOKED_get_ext_d2i(revoked, NID_invalidity_date, nullptr, nullptr)));
  ASSERT_EQ(found->invalidity_date.has_value(), invalid != nullptr);
  if (invalid != nullptr) {
    EXPECT_EQ(*found->invalidity_date, seconds_of(invalid.get()));
  }
}

class AgainstOpenSsl : public testing::TestWithParam<std::size_t> {};

TEST_P(AgainstOpenSsl, EverySerialHasTheSameVerdictDateAndReason) {
  std::mt19937_64 random(GetParam() + 1);
  std::vector<std::string> serials;
  std::set<std::string> seen;
  while (serials.size() < GetParam()) {
    // OpenSSL does not say which of several entries for one serial it finds.
    std::string serial = any_serial(random);
    if (seen.insert(std::string(as_text(significant_octets(as_bytes(serial))))).second) {
      serials.push_back(std::move(serial));
    }
  }
  const std::string der = made_by_openssl(serials, random);
  const auto* at = as_bytes(der).data();
  const X509CrlPtr theirs(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  ASSERT_NE(theirs, nullptr);
  const ParsedCrlPtr ours = parsed(der);
  EXPECT_EQ(ours->entries, GetParam());
  EXPECT_TRUE(verify_crl(ours, signer().certificate(), test_now(), {}));
  for (const std::string& serial : serials) {
    expect_same_answer(theirs.get(), *ours, serial);
    expect_same_answer(theirs.get(), *ours, any_serial(random));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, AgainstOpenSsl,
                         testing::Values(0, 1, 2, 3, 10, 127, 1'000, 20'000, 100'000));

TEST(CrlAndOpenSsl, DamageThatBothReadLeavesTheSameEntries) {
  std::mt19937_64 random(3);
  std::vector<std::string> serials;
  for (int i = 0; i < 8; ++i) serials.push_back(any_serial(random));
  const std::string der = made_by_openssl(serials, random);
  int both = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string damaged = der;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto ours = parse_crl(SharedBytes::copy_of(damaged), kTestHashSeed);
    if (!ours) continue;
    const auto* at = as_bytes(damaged).data();
    const X509CrlPtr theirs(d2i_X509_CRL(nullptr, &at, static_cast<long>(damaged.size())));
    if (theirs == nullptr) continue;
    ++both;
    const STACK_OF(X509_REVOKED)* list = X509_CRL_get_REVOKED(theirs.get());
    EXPECT_EQ((*ours)->entries,
              list == nullptr ? 0U : static_cast<std::size_t>(sk_X509_REVOKED_num(list)));
    const bool theirs_good = X509_CRL_verify(theirs.get(), signer().key()) == 1;
    const bool ours_good = verify_crl(*ours, signer().certificate(), test_now(), {}).has_value();
    EXPECT_TRUE(theirs_good || !ours_good);
  }
  EXPECT_GT(both, 500);
}

// The openssl command as a certification authority.
TEST(CrlAndOpenSsl, ReadsWhatTheCommandMakes) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("crl_openssl_test." + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  const std::string script =
      "cd '" + directory.string() +
      "' && exec >log 2>&1 && touch index && echo 01 >serial && echo 1000 >number && "
      "printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index\\nserial=serial\\ncrlnumber=number\\n"
      "default_md=sha256\\npolicy=p\\nnew_certs_dir=.\\n[p]\\ncommonName=supplied\\n"
      "[e]\\nauthorityKeyIdentifier=keyid:always\\n' >ca.cnf && "
      "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Root -days "
      "30 "
      "&& for i in 1 2 3; do openssl req -newkey rsa:2048 -nodes -keyout u.key -out u.csr "
      "-subj /CN=user$i && openssl ca -batch -config ca.cnf -cert ca.pem -keyfile ca.key -in u.csr "
      "-out u$i.pem -days 10; done && "
      "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -revoke u1.pem "
      "-crl_reason keyCompromise && "
      "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -revoke u2.pem -crl_hold "
      "holdInstructionReject && "
      "openssl ca -config ca.cnf -cert ca.pem -keyfile ca.key -gencrl -crldays 7 -crlexts e "
      "-out crl.pem";
  ASSERT_EQ(std::system(script.c_str()), 0) << directory;
  const auto read = [&](const char* file) {
    std::ifstream stream(directory / file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
  };
  const auto der = crl_der(SharedBytes::take(read("crl.pem")));
  const auto authorities = parse_certificates(read("ca.pem"));
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(der && authorities);
  const ParsedCrlPtr crl = parsed(std::string(der->text()));
  const auto verdict =
      verify_crl(crl, authorities->front(), WallTime(crl->this_update) + std::chrono::hours(1), {});
  EXPECT_TRUE(verdict) << (verdict ? "" : verdict.error().detail);
  EXPECT_EQ(hex(crl->number), "1000");
  EXPECT_EQ(crl->entries, 2U);
  EXPECT_EQ(crl->find(as_bytes("\x01"))->reason, CrlReason::key_compromise);
  EXPECT_EQ(crl->find(as_bytes("\x02"))->reason, CrlReason::certificate_hold);
  EXPECT_FALSE(crl->find(as_bytes("\x03")));
}

}  // namespace
}  // namespace revcache::pki
