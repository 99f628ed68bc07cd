// One entry of a CRL (RFC 5280 section 5.3), and all of them in their order. Pure; views into the
// bytes that are read. On a fault the reader says what and where.
//
//   entry ::= SEQUENCE { userCertificate INTEGER, revocationDate Time,
//             crlEntryExtensions Extensions OPTIONAL }
//
// Understood: reasonCode (5.3.1; a value that it does not name counts as unspecified, as X.509 has
// added some since), invalidityDate (5.3.2), certificateIssuer (5.3.3), and the holdInstructionCode
// of older CAs, which says nothing. Refused on purpose: a serial of more than kSerialBytesMax
// octets, an extension twice, dates that are not strict.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "pki/crl_index.h"
#include "pki/der.h"

namespace revcache::pki {

// What all entries together have that verification must know of.
struct CrlEntryRemarks {
  bool has_extensions = false;
  bool has_certificate_issuer = false;
  std::vector<std::string> unknown_critical_extensions;  // dotted OIDs, each once, bounded
};

// An entry in the shape that nearly all have: short lengths, UTCTime, and no extension or a reason
// that is not critical. Returns its size, or 0 when the first entry of `list` has another shape or
// is malformed: read_entry() then tells. Where it returns a size, both read the same.
std::size_t read_common_entry(ByteView list, RevokedEntry& entry) noexcept;

// An entry of any shape; else `list` fails.
std::optional<RevokedEntry> read_entry(DerReader& list, CrlEntryRemarks& remarks);

// All entries of `content`, that of revokedCertificates. False: `reader` takes over the fault.
bool read_entries(DerReader& reader, ByteView content, CrlIndexBuilder& index,
                  CrlEntryRemarks& remarks);

}  // namespace revcache::pki
