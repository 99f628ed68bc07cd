// CRLs for tests, written element by element, so that each may be wrong on purpose, and issuers
// that sign them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/openssl_ptr.h"

namespace revcache::pki {

inline constexpr std::uint64_t kTestHashSeed = 0x1234567890abcdefU;

// 2026-11-22T12:00:00Z: between the dates that a CrlText has.
WallTime test_now();

// The OBJECT IDENTIFIER 2.5.29.<number>, and Microsoft's Next CRL Publish: contents.
std::string id_ce(unsigned number);
std::string next_publish_oid();

// Elements.
std::string utc_time(std::string_view text);
std::string generalized_time_element(std::string_view text);
std::string integer(std::string_view content);
std::string extension(std::string_view oid, std::string_view value, bool critical = false);
std::string reason_extension(unsigned reason);
// `extensions`: elements; empty: no crlEntryExtensions.
std::string entry(std::string_view serial, std::string_view extensions = {},
                  std::string_view date = utc_time("261120101112Z"));
// An issuing distribution point whose SEQUENCE has this content.
std::string issuing_point(std::string_view content);
// [0] with a fullName of one URL.
std::string point_name(std::string_view url);
std::string name(std::string_view common_name);

// A v2 CRL of "Root" that is valid at test_now(), with number 5 and no entry.
struct CrlText {
  std::string version = integer("\x01");
  std::string algorithm;  // empty: the signer's
  std::string issuer = name("Root");
  std::string this_update = utc_time("261121000000Z");
  std::string next_update = utc_time("261128000000Z");
  std::string entries;
  bool has_list = true;                                            // revokedCertificates is written
  std::string extensions = extension(id_ce(20), integer("\x05"));  // empty: none
};

enum class CrlKeyKind : std::uint8_t { ec, rsa };

struct SignerOptions {
  CrlKeyKind kind = CrlKeyKind::ec;
  std::string common_name = "Root";
  std::string extensions = {};  // of the certificate; empty: none
};

// A certification authority. Its key is new each time.
class CrlSigner {
 public:
  explicit CrlSigner(const SignerOptions& options = {});

  [[nodiscard]] const CertificatePtr& certificate() const noexcept { return certificate_; }
  [[nodiscard]] EVP_PKEY* key() const noexcept { return key_.get(); }
  [[nodiscard]] const std::string& algorithm() const noexcept { return algorithm_; }

  // The whole signed object. `outer`: the AlgorithmIdentifier outside; empty: the signer's.
  [[nodiscard]] std::string sign(std::string_view tbs, std::string outer = {}) const;
  [[nodiscard]] std::string crl(const CrlText& text) const;

 private:
  EvpPkeyPtr key_;
  std::string algorithm_;
  CertificatePtr certificate_;
};

// Parsed, which must succeed; and verified at test_now().
ParsedCrlPtr parsed(std::string der);
VerifiedCrlPtr verified(const CrlSigner& signer, const CrlText& text);

}  // namespace revcache::pki
