// The extensions of a CRL (RFC 5280 section 5.2). Pure; views into the bytes that are read.
//
//   AuthorityKeyIdentifier   ::= SEQUENCE { keyIdentifier [0] OPTIONAL, … }              (5.2.1)
//   CRLNumber                ::= INTEGER (0..MAX), at most 20 octets                      (5.2.3)
//   BaseCRLNumber            ::= CRLNumber, in the delta CRL indicator                    (5.2.4)
//   IssuingDistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL,
//       onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE, onlyContainsCACerts [2] …,
//       onlySomeReasons [3] ReasonFlags OPTIONAL, indirectCRL [4] …,
//       onlyContainsAttributeCerts [5] … }                                                (5.2.5)
//   FreshestCRL              ::= CRLDistributionPoints                                    (5.2.6)
//   Next CRL Publish         ::= Time                            (Microsoft, 1.3.6.1.4.1.311.21.4)
//
// Refused on purpose: a kind twice, a negative number, an issuing distribution point that speaks
// only of several disjoint kinds of certificates at once (5.2.5 forbids it).
#pragma once

#include "pki/crl.h"
#include "pki/der.h"

namespace revcache::pki {

// The next element of `reader`, which must be Extensions. What is critical and not understood is
// noted in crl.unknown_critical_extensions. False: `reader` says what and where.
bool read_crl_extensions(DerReader& reader, ParsedCrl& crl);

}  // namespace revcache::pki
