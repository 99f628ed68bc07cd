// What an NPS server answers, as one table. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pki/diagnosis.h"

namespace revcache::pki {

enum class NpsCause : std::uint8_t {
  accepted,
  revoked,
  no_revocation_information,  // no CDP and no OCSP URL: nobody can be asked
  revocation_unusable,        // a CRL or OCSP answer came that proves nothing
  revocation_offline,         // none came
  untrusted_root,
  issuer_missing,
  expired,     // the user's own certificate
  ca_expired,  // one above it
  signature_wrong,
  not_a_ca,
  path_too_long,
  critical_extension,
  no_client_authentication,
};

NpsVerdict nps_verdict(NpsCause cause, std::optional<std::size_t> place);

// The first reason to refuse: the chain itself, then revocation, then the leaf's purpose.
NpsVerdict nps_verdict(std::span<const CertificateDiagnosis> chain, bool reaches_anchor);

}  // namespace revcache::pki
