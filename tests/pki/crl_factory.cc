#include "tests/pki/crl_factory.h"

#include <openssl/rsa.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "tests/pki/der_text.h"

namespace revcache::pki {
namespace {

using namespace std::string_literals;

const std::string kEcdsaSha256 = der(0x30, {der(0x06, {"\x2a\x86\x48\xce\x3d\x04\x03\x02"})});
const std::string kRsaSha256 =
    der(0x30, {der(0x06, {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"}), "\x05\x00"s});

std::string spki_of(EVP_PKEY* key) {
  std::uint8_t* octets = nullptr;
  const int length = i2d_PUBKEY(key, &octets);
  CHECK(length > 0);
  std::string text(as_text({octets, static_cast<std::size_t>(length)}));
  OPENSSL_free(octets);
  return text;
}

std::string tbs_of(const CrlText& text, const std::string& algorithm) {
  std::string list;
  if (text.has_list) list = der(0x30, {text.entries});
  std::string extensions;
  if (!text.extensions.empty()) extensions = der(0xa0, {der(0x30, {text.extensions})});
  return der(0x30, {text.version, text.algorithm.empty() ? algorithm : text.algorithm, text.issuer,
                    text.this_update, text.next_update, list, extensions});
}

}  // namespace

WallTime test_now() {
  return std::chrono::sys_days{std::chrono::year(2026) / 11 / 22} + std::chrono::hours(12);
}

std::string id_ce(unsigned number) { return "\x55\x1d"s + static_cast<char>(number); }

std::string next_publish_oid() { return "\x2b\x06\x01\x04\x01\x82\x37\x15\x04"; }

std::string utc_time(std::string_view text) { return der(0x17, {text}); }

std::string generalized_time_element(std::string_view text) { return der(0x18, {text}); }

std::string integer(std::string_view content) { return der(0x02, {content}); }

std::string extension(std::string_view oid, std::string_view value, bool critical) {
  return der(0x30, {der(0x06, {oid}), critical ? "\x01\x01\xff"s : ""s, der(0x04, {value})});
}

std::string reason_extension(unsigned reason) {
  return extension(id_ce(21), der(0x0a, {std::string(1, static_cast<char>(reason))}));
}

std::string entry(std::string_view serial, std::string_view extensions, std::string_view date) {
  const std::string list = extensions.empty() ? std::string() : der(0x30, {extensions});
  return der(0x30, {integer(serial), date, list});
}

std::string issuing_point(std::string_view content) {
  return extension(id_ce(28), der(0x30, {content}), true);
}

std::string point_name(std::string_view url) { return der(0xa0, {der(0xa0, {der(0x86, {url})})}); }

std::string name(std::string_view common_name) {
  return der(0x30,
             {der(0x31, {der(0x30, {der(0x06, {"\x55\x04\x03"}), der(0x0c, {common_name})})})});
}

CrlSigner::CrlSigner(const SignerOptions& options)
    : key_(options.kind == CrlKeyKind::ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048)),
      algorithm_(options.kind == CrlKeyKind::ec ? kEcdsaSha256 : kRsaSha256) {
  CHECK(key_ != nullptr);
  std::string extensions;
  if (!options.extensions.empty()) extensions = der(0xa3, {der(0x30, {options.extensions})});
  const std::string tbs = der(
      0x30, {der(0xa0, {integer("\x02")}), integer("\x01"), algorithm_, name(options.common_name),
             der(0x30, {utc_time("260101000000Z"), utc_time("360101000000Z")}),
             name(options.common_name), spki_of(key_.get()), extensions});
  auto certificate = parse_certificate(SharedBytes::take(sign(tbs)));
  CHECK(certificate.has_value());
  certificate_ = *std::move(certificate);
}

std::string CrlSigner::sign(std::string_view tbs, std::string outer) const {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1);
  std::array<std::uint8_t, 512> octets{};
  std::size_t length = octets.size();
  CHECK(EVP_DigestSign(context.get(), octets.data(), &length,
                       reinterpret_cast<const std::uint8_t*>(tbs.data()), tbs.size()) == 1);
  const std::string_view signature = as_text({octets.data(), length});
  if (outer.empty()) outer = algorithm_;
  return der(0x30, {tbs, outer, der(0x03, {std::string_view("\0", 1), signature})});
}

std::string CrlSigner::crl(const CrlText& text) const { return sign(tbs_of(text, algorithm_)); }

ParsedCrlPtr parsed(std::string der) {
  auto crl = parse_crl(SharedBytes::take(std::move(der)), kTestHashSeed);
  CHECK(crl.has_value());
  return *std::move(crl);
}

VerifiedCrlPtr verified(const CrlSigner& signer, const CrlText& text) {
  auto crl = verify_crl(parsed(signer.crl(text)), signer.certificate(), test_now(), {});
  CHECK(crl.has_value());
  return *std::move(crl);
}

}  // namespace revcache::pki
