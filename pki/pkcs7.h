// The certificates in a PKCS#7 file (.p7b, .p7c; RFC 2315 section 9.1), which is a SignedData that
// need not be signed. Nothing but them is looked at. Pure.
//
//   ContentInfo ::= SEQUENCE { contentType OBJECT IDENTIFIER, content [0] EXPLICIT SignedData }
//   SignedData  ::= SEQUENCE { version INTEGER, digestAlgorithms SET, contentInfo SEQUENCE,
//                   certificates [0] IMPLICIT SET OF CHOICE { Certificate, … } OPTIONAL,
//                   crls [1] IMPLICIT SET OPTIONAL, signerInfos SET }
#pragma once

#include <vector>

#include "base/bytes.h"
#include "pki/refusal.h"

namespace revcache::pki {

// It begins like a ContentInfo, which no certificate does.
bool is_pkcs7(ByteView der) noexcept;

// The whole Certificates in their order, views into `der`; elements of another kind (attribute
// certificates) are left out. DER only: indefinite lengths are refused. Refuses with malformed; the
// detail says what and at which offset.
Checked<std::vector<ByteView>> pkcs7_certificates(ByteView der);

}  // namespace revcache::pki
