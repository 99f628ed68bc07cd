// Makes OCSP responses (RFC 6960 section 4.2, RFC 9919 section 3.2): the bytes to be signed, and
// the whole response around a signature. Pure: never signs, waits or reads a clock. Any thread.
//
// What comes out is DER by construction; the CertID of each question is echoed octet for octet,
// however its AlgorithmIdentifier is written (with NULL or without), since clients compare it so.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/crl_index.h"
#include "pki/ocsp_response.h"

namespace revcache::pki {

// Whoever wants to say "good" shows one of these. It carries nothing: it is the base of the proofs
// that answer policy makes from evidence, and of nothing else, so that a search for this name lists
// every way to a good answer.
class ProofOfGood {
 protected:
  ProofOfGood() = default;
  ~ProofOfGood() = default;
  ProofOfGood(const ProofOfGood&) = default;
  ProofOfGood& operator=(const ProofOfGood&) = default;
};

// CertStatus of a SingleResponse to be. Unknown unless said otherwise.
class StatusToSign {
 public:
  StatusToSign() = default;
  static StatusToSign unknown() noexcept { return {}; }
  // `unspecified` and `remove_from_crl`, which revokes nothing, are written as no reason at all
  // (RFC 5280 5.3.1).
  static StatusToSign revoked(WallSeconds at, CrlReason reason) noexcept {
    StatusToSign status;
    status.status_ = OcspCertStatus::revoked;
    status.revoked_at_ = at;
    status.reason_ = reason;
    return status;
  }
  static StatusToSign good(const ProofOfGood& /*proof*/) noexcept {
    StatusToSign status;
    status.status_ = OcspCertStatus::good;
    return status;
  }

  [[nodiscard]] OcspCertStatus status() const noexcept { return status_; }
  [[nodiscard]] WallSeconds revoked_at() const noexcept { return revoked_at_; }  // when revoked
  [[nodiscard]] CrlReason reason() const noexcept { return reason_; }

 private:
  OcspCertStatus status_ = OcspCertStatus::unknown;
  WallSeconds revoked_at_{};
  CrlReason reason_ = CrlReason::unspecified;
};

// One SingleResponse. Views must outlive the call that takes it.
struct SingleAnswer {
  ByteView cert_id_der;  // CertId::der of the question
  StatusToSign status;
  WallSeconds this_update;
  WallSeconds next_update;  // RFC 9919 3.2.4: always there; later than this_update
};

// ResponderID. By key (RFC 9919 3.2.3 wants it supported; it is the shorter one) or by name.
struct ResponderId {
  // SHA-1 of the signer's public key, without tag, length and unused bits.
  static ResponderId by_key(const Certificate& signer);
  static ResponderId by_name(const Certificate& signer);
  std::string der;  // the whole tagged element
};

// ResponseData, version 1.
struct ResponseToSign {
  const ResponderId* responder = nullptr;  // not null
  WallSeconds produced_at;
  std::span<const SingleAnswer> answers;  // 1 to kOcspRequestsMax
  std::optional<ByteView> nonce;          // RFC 9654: 1 to 128 octets, as in the request
};

// The tbsResponseData: what is signed.
std::string encode_response_data(const ResponseToSign& response);

struct SignedResponse {
  ByteView tbs;
  ByteView signature_algorithm;  // the whole AlgorithmIdentifier
  ByteView signature;
  std::span<const CertificatePtr> certificates;  // signer first, then its chain; may be empty
};

// The whole OCSPResponse, responseStatus successful.
std::string encode_ocsp_response(const SignedResponse& response);

// The whole OCSPResponse of an error: five octets, static storage. `status` is not successful.
std::string_view ocsp_error_response(OcspResponseStatus status) noexcept;

}  // namespace revcache::pki
