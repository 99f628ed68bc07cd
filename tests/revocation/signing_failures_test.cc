// Why answers are not signed, as revcache_signing_failures_total tells it.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <memory>
#include <shared_mutex>
#include <string>
#include <utility>

#include "base/check.h"
#include "pki/openssl_ptr.h"
#include "revocation/ocsp_signature.h"
#include "tests/pki/signer_identities.h"
#include "tests/revocation/ocsp_world.h"

namespace revcache::revocation::testing {
namespace {

using metrics::SigningFailure;
using namespace std::chrono_literals;

class SigningFailures : public OcspWorld {
 protected:
  using Counts = std::array<std::uint64_t, metrics::kSigningFailures>;

  Counts counts() const {
    Counts counts{};
    for (std::size_t reason = 0; reason < counts.size(); ++reason) {
      counts[reason] = loops_[0]->metrics.signing_failures[0][reason].value();
    }
    return counts;
  }
  static Counts one(SigningFailure reason) {
    Counts counts{};
    counts[metrics::index(reason)] = 1;
    return counts;
  }
};

// A key that signs until it breaks.
struct BreakableKey {
  explicit BreakableKey(bool in_token) {
    const auto identity = pki::make_ocsp_signer(nullptr);
    const pki::BioPtr pem(BIO_new_mem_buf(identity.key_pem.data(), -1));
    pkey = {PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
    CHECK(pkey != nullptr);
    auto made = pki::Signer::make({identity.certificate}, std::make_shared<const pki::SignerKey>(
                                                              pkey, in_token ? &loading : nullptr));
    CHECK(made.has_value());
    signer = *made;
  }
  void breaks() const { CHECK(EVP_PKEY_set_type(pkey.get(), EVP_PKEY_X25519) == 1); }

  std::shared_mutex loading;
  std::shared_ptr<EVP_PKEY> pkey;
  pki::SignerPtr signer;
};

class KeyThatBreaks : public SigningFailures,
                      public ::testing::WithParamInterface<SigningFailure> {};

TEST_P(KeyThatBreaks, IsCountedByWhereItIs) {
  const BreakableKey key(GetParam() == SigningFailure::token);
  signer_ = key.signer;
  set_policy({});
  give_crl({});
  EXPECT_EQ(ask_about(7).word, "good");
  EXPECT_EQ(counts(), Counts{});

  key.breaks();
  auto& service = loops_[0]->service;
  const auto der = request_of(*ca_.certificate(), {.serials = {8}});
  auto now = service.answer({.der = as_bytes(der), .authority = {}, .client = client_});
  ASSERT_TRUE(std::holds_alternative<OcspSignaturePtr>(now));
  auto signature = std::get<OcspSignaturePtr>(std::move(now));
  // Not the digest that OpenSSL has prepared already.
  signature->scheme = pki::SignatureScheme::ecdsa_sha512;
  auto told = std::make_shared<Told>();
  service.sign(std::move(signature),
               [told](const OcspResult& result) { *told = told_of(result, false); });
  scheduler_.run_until_idle();
  EXPECT_EQ(told->word, "internalError");
  EXPECT_EQ(counts(), one(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Places, KeyThatBreaks,
                         ::testing::Values(SigningFailure::key, SigningFailure::token));

TEST_F(SigningFailures, ASignerThatIsOverIsCountedForEachQuestionAndNotTried) {
  give_crl({});
  signer_not_after_ = std::chrono::floor<std::chrono::seconds>(scheduler_.wall());
  set_policy({});
  EXPECT_EQ(ask_about(7).word, "tryLater");
  EXPECT_EQ(counts(), one(SigningFailure::expired));
  EXPECT_EQ(signed_answers(), 0U);
}

TEST_F(SigningFailures, ASignerThatMayNotSignIsCountedApart) {
  give_crl({});
  set_policy({}, /*may_sign=*/false);
  EXPECT_EQ(ask_about(7).word, "tryLater");
  EXPECT_EQ(counts(), one(SigningFailure::unusable));
}

TEST_F(SigningFailures, WhatIsNotSignedForWantOfEvidenceIsNoFailureOfTheSigner) {
  EXPECT_EQ(ask_about(7).word, "tryLater");
  EXPECT_EQ(counts(), Counts{});
}

// Shed: its own metric.
TEST_F(SigningFailures, AFullQueueIsShedAndNoFailure) {
  give_crl({});
  loops_[0]->background.profile(net::WorkKind::sign).queue_max = 0;
  EXPECT_EQ(ask_about(7).word, "tryLater");
  EXPECT_EQ(counts(), Counts{});
  EXPECT_EQ(loops_[0]->metrics.signing_shed[0].value(), 1U);
}

}  // namespace
}  // namespace revcache::revocation::testing
