// The extensions of a certificate (RFC 5280 section 4.2). Pure.
#pragma once

#include <vector>

#include "pki/certificate.h"
#include "pki/certificate_fields.h"

namespace revcache::pki {

// Reads what revocation needs of `extension` into `certificate`; one that nothing here acts on is
// noted in unknown_critical_extensions when it is critical. False with a fault in `reader`.
bool read_certificate_extension(DerReader& reader, const Extension& extension,
                                Certificate& certificate);

// CRLDistributionPoints (4.2.1.13), also the syntax of freshestCRL in a CRL (5.2.6):
//
//   CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
//   DistributionPoint     ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL,
//                             reasons [1] ReasonFlags OPTIONAL, cRLIssuer [2] GeneralNames OPTIONAL
//                             }
//   DistributionPointName ::= CHOICE { fullName [0] GeneralNames,
//                             nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
//
// `value`: octets of the extnValue. False with a fault in `reader`.
bool read_distribution_points(DerReader& reader, ByteView value,
                              std::vector<DistributionPoint>& points);

}  // namespace revcache::pki
