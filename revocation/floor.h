// Which evidence is newer than which: the keys under which floors are kept, and the comparison.
// Pure; any thread. The keys outlive a restart: docs/formats.md, "State database".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pki/cert_id.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/ocsp_response.h"
#include "revocation/state_store.h"

namespace revcache::revocation {

enum class CrlKind : std::uint8_t { complete, delta };

// By kind and by the octets of the issuing distribution point (CrlScope::extension): each
// partition, and the delta CRLs of each, have a floor of their own.
FloorKey crl_key(const pki::KeyHash& issuer, CrlKind kind, ByteView distribution_point);

// Of this CRL's floor.
FloorKey crl_floor_key(const pki::VerifiedCrl& crl);
// Of the complete CRLs of its scope, where also the revocations of a delta CRL are remembered: so
// removeFromCRL lifts what a complete CRL said, and the next complete CRL is compared with both.
FloorKey complete_crl_key(const pki::VerifiedCrl& crl);
// Of the delta CRLs of its scope.
FloorKey delta_crl_key(const pki::VerifiedCrl& crl);

// Of an OCSP answer: by hash algorithm, both hashes and the significant octets of the serial, so
// that two spellings of one CertID (absent or NULL parameters) share a floor. Answers to SHA-1 and
// SHA-256 CertIDs do not: responders make them at different times.
FloorKey ocsp_floor_key(const pki::KeyHash& issuer, const pki::CertId& cert_id);

Floor floor_of(const pki::VerifiedCrl& crl);
// `hash` is that of what the answer says (status, and when revoked date and reason), not of its
// DER: a responder may sign the same statement again and again under one thisUpdate.
Floor floor_of(const pki::SingleResponse& answer);

enum class FloorOrder : std::uint8_t {
  newer,
  same,         // the very one that set the floor
  rolled_back,  // older than the newest seen, or a doubtful twin of it
};
std::string_view to_string(FloorOrder order) noexcept;  // "rolled_back"

// Of a CRL. An older thisUpdate or, where both have one, a lower CRL number is rolled back,
// whatever the other says. Equal in both but with another hash is rolled back too: RFC 5280 5.2.3
// gives each CRL of a scope its own number, so one of the two is not what the CA means to say. The
// same number under a newer thisUpdate is taken (some CAs forget to count), and so is a higher
// number of the same second. No floor: newer.
FloorOrder compare(const Floor& candidate, const std::optional<Floor>& floor) noexcept;

// Of an OCSP answer. An older thisUpdate is rolled back. With an equal one (a responder that takes
// it from its last CRL) another statement is newer when it revokes, and rolled back when it takes a
// revocation back: within one thisUpdate, revoked wins.
FloorOrder compare(const pki::SingleResponse& candidate, const std::optional<Floor>& floor);

}  // namespace revcache::revocation
