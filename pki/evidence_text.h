// How facts of CRLs and OCSP responses are written, for people and in JSON alike. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "pki/diagnosis_evidence.h"

namespace revcache::pki {

// The content of a non-negative INTEGER in decimal, as openssl shows CRL numbers. Empty: "".
std::string decimal(ByteView integer);

// "0a1b2c": lower-case hex; a leading zero octet that only carries the sign is left out.
std::string serial_text(ByteView serial);

// What one piece of evidence says about itself.
struct EvidenceFacts {
  std::string kind;  // "crl", "delta_crl", "ocsp"
  std::string number;
  std::optional<WallSeconds> this_update;
  std::optional<WallSeconds> next_update;
};

// `issuer` may be null: then of an OCSP response with several answers the first one is meant.
EvidenceFacts facts_of(const JudgedEvidence& judged, const Certificate& subject,
                       const Certificate* issuer);

}  // namespace revcache::pki
