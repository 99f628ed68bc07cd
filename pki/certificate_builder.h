// Makes what `revcache signer new` hands out: a self-signed certificate that may sign OCSP
// responses and nothing else, or the request (RFC 2986) for one of somebody's CA. Pure but for the
// key, which signs; blocking as that is.
//
// Both ask for: basicConstraints CA:FALSE and keyUsage digitalSignature (critical),
// extendedKeyUsage id-kp-OCSPSigning (RFC 6960 4.2.2.2), id-pkix-ocsp-nocheck (4.2.2.2.1),
// subjectKeyIdentifier. A self-signed one lands in the trusted roots of its clients: CA:FALSE keeps
// its key from issuing anything there.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "pki/signer_key.h"

namespace revcache::pki {

inline constexpr std::size_t kCommonNameBytesMax = 64;  // RFC 5280 appendix A, ub-common-name

struct SignerSubject {
  const SignerKey* key = nullptr;  // not null; of generate()
  SignatureScheme scheme{};        // one for this key
  std::string_view common_name;    // UTF-8, 1 to kCommonNameBytesMax octets
};

// DER. Its serial number is the hash of the key and not_before, so that two certificates never
// share one. Fails with unreachable (blame local).
Result<std::string> self_signed_certificate(const SignerSubject& subject, WallSeconds not_before,
                                            WallSeconds not_after);

// DER of a CertificationRequest. Fails with unreachable (blame local).
Result<std::string> certification_request(const SignerSubject& subject);

// RFC 7468: "-----BEGIN CERTIFICATE-----" and so on.
std::string pem_text(std::string_view label, ByteView der);

}  // namespace revcache::pki
