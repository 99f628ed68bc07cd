#include "revocation/floor.h"

#include <string>

#include "pki/signature.h"

namespace revcache::revocation {
namespace {

using namespace std::string_view_literals;

void append_with_length(ByteView bytes, std::string& out) {
  out += static_cast<char>(static_cast<unsigned char>(bytes.size() >> 8U));
  out += static_cast<char>(static_cast<unsigned char>(bytes.size()));
  out += as_text(bytes);
}

// What an answer says, without when it says so.
pki::Sha256 statement_hash(pki::OcspCertStatus status, WallSeconds revoked_at,
                           pki::CrlReason reason) {
  std::string said(1, static_cast<char>(status));
  if (status == pki::OcspCertStatus::revoked) {
    const auto seconds = static_cast<std::uint64_t>(revoked_at.time_since_epoch().count());
    for (unsigned shift = 64; shift > 0; shift -= 8) {
      said += static_cast<char>(static_cast<unsigned char>(seconds >> (shift - 8)));
    }
    said += static_cast<char>(reason);
  }
  return pki::sha256(as_bytes(said));
}

bool says_not_revoked(const pki::Sha256& statement) {
  return statement == statement_hash(pki::OcspCertStatus::good, {}, {}) ||
         statement == statement_hash(pki::OcspCertStatus::unknown, {}, {});
}

}  // namespace

FloorKey crl_key(const pki::KeyHash& issuer, CrlKind kind, ByteView distribution_point) {
  std::string scope(kind == CrlKind::delta ? "delta\0"sv : "crl\0"sv);
  scope += as_text(distribution_point);
  return {.issuer = issuer, .scope = pki::sha256(as_bytes(scope))};
}

FloorKey crl_floor_key(const pki::VerifiedCrl& crl) {
  return crl->is_delta() ? delta_crl_key(crl) : complete_crl_key(crl);
}

FloorKey complete_crl_key(const pki::VerifiedCrl& crl) {
  return crl_key(crl.issuer_key(), CrlKind::complete, crl->scope.extension);
}

FloorKey delta_crl_key(const pki::VerifiedCrl& crl) {
  return crl_key(crl.issuer_key(), CrlKind::delta, crl->scope.extension);
}

FloorKey ocsp_floor_key(const pki::KeyHash& issuer, const pki::CertId& cert_id) {
  std::string scope("ocsp\0"sv);
  scope += static_cast<char>(cert_id.hash);
  append_with_length(cert_id.issuer_name_hash, scope);
  append_with_length(cert_id.issuer_key_hash, scope);
  append_with_length(pki::significant_octets(cert_id.serial), scope);
  return {.issuer = issuer, .scope = pki::sha256(as_bytes(scope))};
}

Floor floor_of(const pki::VerifiedCrl& crl) {
  return {.number = std::string(as_text(crl->number)),
          .this_update = crl->this_update,
          .hash = crl.hash()};
}

Floor floor_of(const pki::SingleResponse& answer) {
  return {.number = {},
          .this_update = answer.this_update,
          .hash = statement_hash(answer.status, answer.revoked_at, answer.reason)};
}

std::string_view to_string(FloorOrder order) noexcept {
  switch (order) {
    case FloorOrder::newer:
      return "newer";
    case FloorOrder::same:
      return "same";
    case FloorOrder::rolled_back:
      break;
  }
  return "rolled_back";
}

FloorOrder compare(const Floor& candidate, const std::optional<Floor>& floor) noexcept {
  if (!floor) return FloorOrder::newer;
  const bool both_numbered = !candidate.number.empty() && !floor->number.empty();
  const int by_number =
      both_numbered ? pki::compare_numbers(as_bytes(candidate.number), as_bytes(floor->number)) : 0;
  if (candidate.this_update < floor->this_update || by_number < 0) return FloorOrder::rolled_back;
  if (candidate.this_update > floor->this_update || by_number > 0) return FloorOrder::newer;
  return candidate.hash == floor->hash ? FloorOrder::same : FloorOrder::rolled_back;
}

FloorOrder compare(const pki::SingleResponse& candidate, const std::optional<Floor>& floor) {
  if (!floor || candidate.this_update > floor->this_update) return FloorOrder::newer;
  if (candidate.this_update < floor->this_update) return FloorOrder::rolled_back;
  if (floor_of(candidate).hash == floor->hash) return FloorOrder::same;
  if (candidate.status == pki::OcspCertStatus::revoked) return FloorOrder::newer;
  return says_not_revoked(floor->hash) ? FloorOrder::newer : FloorOrder::rolled_back;
}

}  // namespace revcache::revocation
