// OCSP requests (RFC 6960 section 4.1, appendix A.1 for GET), as far as a cache must understand
// them. Pure: DER in, views out.
//
//   OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT … OPTIONAL }
//   TBSRequest  ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1, requestorName [1] EXPLICIT
//                   GeneralName OPTIONAL, requestList SEQUENCE OF Request,
//                   requestExtensions [2] EXPLICIT Extensions OPTIONAL }
//   Request     ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT … OPTIONAL }
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "pki/cert_id.h"

namespace revcache::pki {

inline constexpr std::size_t kOcspRequestBytesMax = 64 * 1024;
inline constexpr std::size_t kOcspRequestsMax = 64;  // SingleRequests in one message

// Views into the DER that was parsed.
struct OcspRequest {
  std::vector<CertId> requests;   // at least one
  std::optional<ByteView> nonce;  // content of the extension's OCTET STRING value
  ByteView
      preferred_signature_algorithms;  // extnValue content, empty when absent (RFC 6960 4.4.7.1)
  bool has_unknown_critical_extension = false;
  bool is_signed = false;
};

// What the hot path needs, without allocating. Views into the DER that was parsed.
struct OcspQuestion {
  CertId cert_id;  // the first
  ByteView preferred_signature_algorithms;
  bool single = true;  // exactly one SingleRequest, no critical extension, not signed:
                       // the answer can be shared under the CertID's key
  bool has_nonce = false;
};

// Strict DER. Fails with malformed (blame client); detail says what and at which offset.
Result<OcspRequest> parse_ocsp_request(ByteView der);
Result<OcspQuestion> parse_ocsp_question(ByteView der);

struct OcspGetPath {
  std::size_t prefix = 0;  // octets of the path before the request, "/" included
  OcspQuestion question;   // views into the DER
};

// GET form: `path` is the path of a URI, "/ocsp/MFEwTzBN…" (RFC 6960 A.1). Finds the shortest
// suffix after a "/" that is percent- and base64-decoded (standard alphabet, also URL-safe; with
// or without padding; "//" inside base64 is not merged) to one well-formed OCSPRequest. Overwrites
// `der`; nullopt when the path is no OCSP request. Allocates only when `der` must grow.
std::optional<OcspGetPath> decode_ocsp_get_path(std::string_view path, std::string& der);

}  // namespace revcache::pki
