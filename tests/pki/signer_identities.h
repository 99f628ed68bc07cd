// Certificates with their keys, made when a test wants them, by OpenSSL alone: what our own builder
// makes is not what it is tested with.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/signer.h"

namespace revcache::pki {

// Long before and after whatever day a test runs on, for peers that look at the clock.
inline constexpr WallSeconds kLongAgo = std::chrono::sys_days{std::chrono::year(2020) / 1 / 1};
inline constexpr WallSeconds kFarAhead = std::chrono::sys_days{std::chrono::year(2099) / 1 / 1};

struct Identity {
  std::string key_pem;
  std::string certificate_pem;
  CertificatePtr certificate;
};

struct IdentityWanted {
  std::string name;
  const Identity* issuer = nullptr;  // null: self-signed
  std::string_view key = "P-256";    // P-256, P-384, P-521, RSA-1024, RSA-2048, ED25519
  // Extensions as openssl.cnf writes them; empty: none.
  std::string extended_key_usage;
  std::string key_usage;
  bool is_ca = false;
  bool nocheck = false;
  WallSeconds not_before = kLongAgo;
  WallSeconds not_after = kFarAhead;
};

Identity make_identity(const IdentityWanted& wanted);

Identity make_authority(std::string name = "Authority", std::string_view key = "P-256");
// A delegated signer of `issuer` with everything right; independent without `issuer`.
Identity make_ocsp_signer(const Identity* issuer, std::string_view key = "P-256");

// The signer of an identity; fails the test when there is none.
SignerPtr signer_of(const Identity& identity);

class AnyProof final : public ProofOfGood {};

}  // namespace revcache::pki
